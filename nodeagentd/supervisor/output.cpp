#include "nodeagentd/supervisor/output.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace fairlead::nodeagentd::supervisor {

namespace {
constexpr std::size_t chunk_bytes = 16 * 1024;
constexpr int chunks_per_turn_max = 16;
char chunk[chunk_bytes];  // one thread, one buffer for both streams
}  // namespace

void Output::open(int pipe, int file, int journal) {
    pipe_ = pipe;
    file_ = file;
    journal_ = journal;
}

bool Output::copy_some() {
    for (int turn = 0; turn < chunks_per_turn_max && pipe_ >= 0; ++turn) {
        const ssize_t got = ::read(pipe_, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return turn > 0;
        if (got <= 0) {
            ::close(pipe_);
            pipe_ = -1;
            return true;
        }
        to_file(chunk, static_cast<std::size_t>(got));
        to_journal(chunk, static_cast<std::size_t>(got));
    }
    return true;
}

void Output::drain() {
    while (pipe_ >= 0 && copy_some()) {
    }
}

void Output::close() {
    send_rest();
    for (int* fd : {&pipe_, &file_, &journal_}) {
        if (*fd >= 0) ::close(*fd);
        *fd = -1;
    }
}

void Output::to_file(const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t put = ::write(file_, bytes, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return;  // disk full or worse: the task goes on, its output is lost here
        bytes += put;
        size -= static_cast<std::size_t>(put);
    }
}

bool Output::send_rest() {
    if (rest_bytes_ == 0) return true;
    const ssize_t put = ::send(journal_, rest_, rest_bytes_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put <= 0) return false;
    rest_bytes_ -= static_cast<std::size_t>(put);
    std::memmove(rest_, rest_ + put, rest_bytes_);
    return rest_bytes_ == 0;
}

void Output::to_journal(const char* bytes, std::size_t size) {
    if (journal_ < 0) return;
    if (!send_rest()) {
        journal_dropped_bytes_ += size;
        return;
    }
    if (journal_dropped_bytes_ > 0) {
        rest_bytes_ = static_cast<std::size_t>(std::snprintf(
            rest_, sizeof rest_,
            "%s[fairlead-supervisor: %llu bytes are missing here, the sandbox has them]\n",
            line_open_ ? "\n" : "", static_cast<unsigned long long>(journal_dropped_bytes_)));
        journal_dropped_bytes_ = 0;
        line_open_ = false;
        if (!send_rest()) {
            journal_dropped_bytes_ = size;
            return;
        }
    }
    ssize_t put = ::send(journal_, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && (errno == EPIPE ||
                    errno == ECONNRESET)) {  // journald restarted without its descriptor store
        ::close(journal_);
        journal_ = -1;
        return;
    }
    if (put < 0) put = 0;
    if (put > 0) line_open_ = bytes[put - 1] != '\n';
    if (static_cast<std::size_t>(put) == size) return;

    // The line that the journal has begun is finished later, if it is short; the rest is not kept.
    const char* const left = bytes + put;
    const std::size_t left_bytes = size - static_cast<std::size_t>(put);
    const void* const newline = line_open_ ? std::memchr(left, '\n', left_bytes) : nullptr;
    const std::size_t line_bytes =
        newline == nullptr ? 0 : static_cast<const char*>(newline) - left + 1;
    if (line_bytes > 0 && line_bytes <= rest_bytes_max) {
        std::memcpy(rest_, left, line_bytes);
        rest_bytes_ = line_bytes;
        line_open_ = false;
        journal_dropped_bytes_ = left_bytes - line_bytes;
    } else {
        journal_dropped_bytes_ = left_bytes;
    }
}

int connect_journal(const char* identifier, int priority) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/run/systemd/journal/stdout");
    // The head of journald's stream protocol: identifier, unit (empty: from our cgroup), priority,
    // take "<N>" prefixes, do not forward to syslog, kmsg or console by ourselves.
    char head[512];
    const int head_bytes =
        std::snprintf(head, sizeof head, "%.256s\n\n%d\n1\n0\n0\n0\n", identifier, priority);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::send(fd, head, static_cast<std::size_t>(head_bytes), MSG_NOSIGNAL) != head_bytes) {
        ::close(fd);
        return -1;
    }
    ::shutdown(fd, SHUT_RD);
    return fd;
}

}  // namespace fairlead::nodeagentd::supervisor
