#include "nodeagentd/supervisor/output.hpp"

#include <unistd.h>
#include <cerrno>
#include <initializer_list>

namespace fairlead::nodeagentd::supervisor {

namespace {
constexpr std::size_t chunk_bytes = 16 * 1024;
constexpr int chunks_per_turn_max = 16;
char chunk[chunk_bytes];  // one thread, one buffer for both streams
}  // namespace

void Output::open(int pipe, int file, const char* fields, int priority) {
    pipe_ = pipe;
    file_ = file;
    journal_.open(fields, priority);
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
        journal_.write(chunk, static_cast<std::size_t>(got));
    }
    return true;
}

void Output::drain() {
    while (pipe_ >= 0 && copy_some()) {
    }
}

void Output::close() {
    journal_.close();
    for (int* fd : {&pipe_, &file_}) {
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

}  // namespace fairlead::nodeagentd::supervisor
