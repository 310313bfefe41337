#include "nodeagentd/supervisor/journal_lines.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace fairlead::nodeagentd::supervisor {

namespace {

constexpr int wait_ms_max = 50;
constexpr std::uint64_t wait_interval_us = 1'000'000;

std::uint64_t now_us() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1000;
}

iovec part(const char* bytes, std::size_t size) {
    return {const_cast<char*>(bytes), size};
}

}  // namespace

void JournalLines::open(const char* fields, int priority, const char* socket_path) {
    priority_ = priority;
    fields_bytes_ = std::strlen(fields);
    // Half a field would spoil every entry: too long a list is left out whole.
    if (fields_bytes_ > fields_bytes_max) fields_bytes_ = 0;
    std::memcpy(fields_, fields, fields_bytes_);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path, sizeof address.sun_path - 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return;
    ::close(socket_);
    socket_ = -1;
}

void JournalLines::write(const char* bytes, std::size_t size) {
    if (socket_ < 0) return;
    while (size > 0) {
        const auto* const newline = static_cast<const char*>(std::memchr(bytes, '\n', size));
        const std::size_t length = newline == nullptr ? size : newline - bytes;
        const std::size_t taken = std::min(length, line_bytes_max - held_bytes_);
        const bool ends = newline != nullptr && taken == length;
        if (ends && held_bytes_ == 0) {
            line(bytes, length);  // the usual case, without a copy
        } else {
            std::memcpy(held_ + held_bytes_, bytes, taken);
            held_bytes_ += taken;
            if (ends || held_bytes_ == line_bytes_max) {
                line(held_, held_bytes_);
                held_bytes_ = 0;
            }
        }
        bytes += taken + (ends ? 1 : 0);
        size -= taken + (ends ? 1 : 0);
    }
}

void JournalLines::close() {
    if (socket_ < 0) return;
    line(held_, held_bytes_);
    held_bytes_ = 0;
    ::close(socket_);
    socket_ = -1;
}

void JournalLines::line(const char* bytes, std::size_t size) {
    int priority = priority_;
    if (size >= 3 && bytes[0] == '<' && bytes[1] >= '0' && bytes[1] <= '7' && bytes[2] == '>') {
        priority = bytes[1] - '0';
        bytes += 3;
        size -= 3;
    }
    if (size == 0) return;
    if (dropped_bytes_ > 0) {
        char text[128];
        const int length = std::snprintf(
            text, sizeof text, "[fairlead-supervisor: %llu bytes are missing here, the sandbox has "
                               "them]",
            static_cast<unsigned long long>(dropped_bytes_));
        if (!send(4, text, static_cast<std::size_t>(length))) {
            dropped_bytes_ += size + 1;
            return;
        }
        dropped_bytes_ = 0;
    }
    if (!send(priority, bytes, size)) dropped_bytes_ += size + 1;
}

bool JournalLines::send(int priority, const char* text, std::size_t size) {
    char head[] = "PRIORITY=6\nMESSAGE=";
    head[9] = static_cast<char>('0' + priority);
    iovec parts[] = {part(fields_, fields_bytes_), part(head, sizeof head - 1), part(text, size),
                     part("\n", 1)};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 4;
    for (;;) {
        if (::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
        if (errno == EINTR) continue;
        if (errno != EAGAIN || !may_wait()) return false;
        pollfd ready{socket_, POLLOUT, 0};
        if (::poll(&ready, 1, wait_ms_max) <= 0) {
            next_wait_us_ = now_us() + wait_interval_us;
            return false;
        }
    }
}

// Waits that ended well cost nothing; after one that did not, journald has a second to itself.
bool JournalLines::may_wait() {
    return next_wait_us_ == 0 || now_us() >= next_wait_us_;
}

}  // namespace fairlead::nodeagentd::supervisor
