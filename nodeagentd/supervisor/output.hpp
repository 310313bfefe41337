#pragma once
// One output stream of the task: what comes out of its pipe goes to a file in the sandbox, whole,
// and to the journal, best effort. The journal never holds a task up: when journald does not take
// bytes they are dropped for the journal (the file still gets them), and once it takes bytes again
// a line there says how many are missing. A file that cannot be written (disk full) is treated the
// same way. Buffers are fixed: 16 KiB in passing, and nothing is queued but the unsent rest of a
// line of which the journal already has the beginning.

#include <cstddef>
#include <cstdint>

namespace fairlead::nodeagentd::supervisor {

class Output {
  public:
    // `pipe` is the read end, not blocking; `file` is open for appending. `journal` is a stream to
    // journald or -1. All three are owned from here on.
    void open(int pipe, int file, int journal);

    int pipe() const { return pipe_; }
    bool is_open() const { return pipe_ >= 0; }

    // Copies what is there, at most a bounded amount, so that two busy streams share the processor.
    // False: nothing was there.
    bool copy_some();
    // Copies until the pipe is empty or the writers are gone.
    void drain();
    void close();

  private:
    void to_file(const char* bytes, std::size_t size);
    void to_journal(const char* bytes, std::size_t size);
    bool send_rest();

    static constexpr std::size_t rest_bytes_max = 4096;

    int pipe_ = -1;
    int file_ = -1;
    int journal_ = -1;
    std::uint64_t journal_dropped_bytes_ = 0;
    bool line_open_ = false;  // the last byte the journal took was not a newline
    std::size_t rest_bytes_ = 0;
    char rest_[rest_bytes_max];
};

// A stream connection to journald under this process' unit; -1 where there is no journald.
int connect_journal(const char* identifier, int priority);

}  // namespace fairlead::nodeagentd::supervisor
