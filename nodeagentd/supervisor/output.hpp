#pragma once
// One output stream of the task: what comes out of its pipe goes to a file in the sandbox, whole,
// and to the journal, line by line and best effort (journal_lines.hpp). A file that cannot be
// written (disk full) does not hold the task up either: the journal still gets the rest.

#include "nodeagentd/supervisor/journal_lines.hpp"

#include <cstddef>
#include <cstdint>

namespace fairlead::nodeagentd::supervisor {

class Output {
  public:
    // `pipe` is the read end, not blocking; `file` is open for appending. Both are owned from here
    // on. `fields` go with every line into the journal.
    void open(int pipe, int file, const char* fields, int priority);

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

    int pipe_ = -1;
    int file_ = -1;
    JournalLines journal_;
};

}  // namespace fairlead::nodeagentd::supervisor
