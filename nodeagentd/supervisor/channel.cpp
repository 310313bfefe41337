#include "nodeagentd/supervisor/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

namespace fairlead::nodeagentd::supervisor {

namespace {
constexpr int pause_ms_first = 250;
constexpr int pause_ms_max = 1000;
}  // namespace

bool Channel::send(const Message& message) {
    if (fd_ < 0) return false;
    ssize_t put = 0;
    do {
        put = ::send(fd_, &message, sizeof message, MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    if (put == static_cast<ssize_t>(sizeof message)) return true;
    close();
    return false;
}

Channel::Received Channel::receive(Message& message, int& attached) {
    attached = -1;
    iovec part{&message, sizeof message};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(fd_, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Received::nothing;
    if (got > 0) {
        const cmsghdr* const extra = CMSG_FIRSTHDR(&header);
        if (extra != nullptr && extra->cmsg_level == SOL_SOCKET && extra->cmsg_type == SCM_RIGHTS) {
            std::memcpy(&attached, CMSG_DATA(extra), sizeof attached);
        }
        if (is_valid(message, static_cast<std::size_t>(got))) return Received::message;
        if (attached >= 0) ::close(attached);
        attached = -1;
    }
    close();
    return Received::closed;
}

bool Channel::connect(const char* path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof address.sun_path) return false;
    std::strcpy(address.sun_path, path);
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        return false;
    }
    fd_ = fd;
    pause_ms_ = 0;
    return true;
}

void Channel::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

int Channel::next_pause_ms() {
    pause_ms_ = pause_ms_ == 0 ? pause_ms_first : pause_ms_ * 2;
    if (pause_ms_ > pause_ms_max) pause_ms_ = pause_ms_max;
    return pause_ms_;
}

bool write_report(const char* path, const Message& message) {
    if (path[0] == '\0') return false;
    char temporary[512];
    const int length = std::snprintf(temporary, sizeof temporary, "%s.new", path);
    if (length <= 0 || static_cast<std::size_t>(length) >= sizeof temporary) return false;
    const int fd = ::open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    const bool complete =
        ::write(fd, &message, sizeof message) == static_cast<ssize_t>(sizeof message);
    ::close(fd);
    if (complete && ::rename(temporary, path) == 0) return true;
    ::unlink(temporary);
    return false;
}

}  // namespace fairlead::nodeagentd::supervisor
