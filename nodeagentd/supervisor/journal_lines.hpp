#pragma once
// The task's output as journal entries: each line becomes one, with the fields that the agent gave
// (FRAMEWORK_ID=, TASK_ID= ...), over journald's native datagram socket. The stream socket would be
// less work here, but it carries no fields, and journald hands every stream's descriptor to PID 1
// for keeping: PID 1 is what all tasks of the host wait for.
//
// The journal must not hold a task up. While journald is full we wait for it, but at most 50 ms in
// a second; beyond that lines are dropped, and once it takes entries again one says how many bytes
// are missing. A line longer than the buffer becomes several entries, an empty line none, and "<N>"
// at its begin sets the priority, as for any service. One buffer of 8 KiB to a stream, no
// allocation.

#include <cstddef>
#include <cstdint>

namespace fairlead::nodeagentd::supervisor {

class JournalLines {
  public:
    static constexpr const char* journald = "/run/systemd/journal/socket";

    // `fields`: "NAME=value" lines, each ended by a newline. Where nobody listens at `socket_path`
    // everything that follows does nothing.
    void open(const char* fields, int priority, const char* socket_path = journald);

    void write(const char* bytes, std::size_t size);
    // Sends what is left of a line without an end.
    void close();

  private:
    void line(const char* bytes, std::size_t size);
    bool send(int priority, const char* text, std::size_t size);
    bool may_wait();

    static constexpr std::size_t line_bytes_max = 8 * 1024;
    static constexpr std::size_t fields_bytes_max = 2 * 1024;

    int socket_ = -1;
    int priority_ = 6;
    std::uint64_t dropped_bytes_ = 0;
    std::uint64_t next_wait_us_ = 0;
    std::size_t fields_bytes_ = 0;
    std::size_t held_bytes_ = 0;  // of a line whose end has not come yet
    char fields_[fields_bytes_max];
    char held_[line_bytes_max];
};

}  // namespace fairlead::nodeagentd::supervisor
