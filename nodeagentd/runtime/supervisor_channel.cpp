#include "nodeagentd/runtime/supervisor_channel.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace fairlead::nodeagentd::runtime {

using supervisor::Message;
using supervisor::MessageType;

namespace {

constexpr int backlog = 4096;  // after a restart all supervisors of the host come at once

bool is_one_of_us(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

}  // namespace

void SupervisorChannel::listen(OnMessage on_message, OnLost on_lost) {
    on_message_ = std::move(on_message);
    on_lost_ = std::move(on_lost);
    wait();
}

void SupervisorChannel::wait() {
    descriptor_.async_wait(async::asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](boost::system::error_code error) {
                               if (error || self->closed_) return;
                               const bool more = self->read_all();
                               if (self->closed_) return;
                               if (more) return self->wait();
                               const OnLost on_lost = std::move(self->on_lost_);
                               self->close();
                               if (on_lost) on_lost();
                           });
}

bool SupervisorChannel::read_all() {
    while (!closed_) {
        Message message;
        const ssize_t got =
            ::recv(descriptor_.native_handle(), &message, sizeof message, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return true;
        if (got <= 0 || !supervisor::is_valid(message, static_cast<std::size_t>(got))) return false;
        on_message_(message);
    }
    return false;
}

base::Status SupervisorChannel::send_launch(const std::string& record) {
    const int fd = ::memfd_create("launch", MFD_CLOEXEC);
    if (fd < 0) return base::errno_error("memfd", errno);
    Message message;
    message.type = MessageType::launch;
    iovec part{&message, sizeof message};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* const extra = CMSG_FIRSTHDR(&header);
    extra->cmsg_level = SOL_SOCKET;
    extra->cmsg_type = SCM_RIGHTS;
    extra->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(extra), &fd, sizeof fd);
    base::Status sent;
    if (::write(fd, record.data(), record.size()) != static_cast<ssize_t>(record.size()) ||
        ::sendmsg(descriptor_.native_handle(), &header, MSG_NOSIGNAL) < 0)
        sent = base::errno_error("tell the supervisor what to run", errno);
    ::close(fd);
    return sent;
}

void SupervisorChannel::acknowledge() {
    if (closed_) return;
    Message message;
    message.type = MessageType::acknowledge;
    ::send(descriptor_.native_handle(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void SupervisorChannel::close() {
    if (std::exchange(closed_, true)) return;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
}

base::Status SupervisorListener::open() {
    const std::filesystem::path directory = std::filesystem::path(path_).parent_path();
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error || ::chmod(directory.c_str(), 0700) != 0)
        return base::errno_error("make the directory " + directory.string(),
                                 error ? error.value() : errno);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path)
        return base::Error(base::ErrorCode::invalid_config,
                           "the path of a socket has at most 107 bytes: " + path_);
    std::strcpy(address.sun_path, path_.c_str());
    ::unlink(path_.c_str());
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return base::errno_error("make a socket", errno);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path_.c_str(), 0600) != 0 || ::listen(fd, backlog) != 0) {
        const int saved = errno;
        ::close(fd);
        return base::errno_error("listen on " + path_, saved);
    }
    listener_.assign(fd);
    return {};
}

void SupervisorListener::listen(OnChannel on_channel) {
    on_channel_ = std::move(on_channel);
    wait();
}

void SupervisorListener::wait() {
    listener_.async_wait(
        async::asio::posix::stream_descriptor::wait_read,
        [this, alive = std::weak_ptr<bool>(alive_)](boost::system::error_code error) {
            if (error || alive.expired()) return;
            int fd = -1;
            while ((fd = ::accept4(listener_.native_handle(), nullptr, nullptr,
                                   SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
                if (is_one_of_us(fd))
                    on_channel_(std::make_shared<SupervisorChannel>(executor_, fd));
                else
                    ::close(fd);
            }
            wait();
        });
}

}  // namespace fairlead::nodeagentd::runtime
