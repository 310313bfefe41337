#include "nodeagentd/runtime/supervisor_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace fairlead::nodeagentd::runtime {

base::Result<SupervisorProcess> spawn_supervisor(const async::Executor& executor,
                                                 const std::string& program) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return base::errno_error("make a channel for a supervisor", errno);
    // dup2 onto itself would leave close-on-exec set.
    if (pair[1] == supervisor::channel_descriptor) {
        const int moved = ::fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
        ::close(pair[1]);
        pair[1] = moved;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], supervisor::channel_descriptor);
    // Asio's sockets are inherited: a supervisor that outlives this process would keep our port.
    posix_spawn_file_actions_addclosefrom_np(&actions, supervisor::channel_descriptor + 1);
    char* const argv[] = {const_cast<char*>("fairlead-supervisor"), nullptr};
    char* const none[] = {nullptr};
    SupervisorProcess process;
    const int r = ::posix_spawn(&process.pid, program.c_str(), &actions, nullptr, argv, none);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pair[1]);
    if (r != 0) {
        ::close(pair[0]);
        return base::errno_error("start " + program, r);
    }
    process.channel = std::make_shared<SupervisorChannel>(executor, pair[0]);
    return process;
}

void bury(const async::Executor& executor, pid_t pid) {
    if (pid <= 0 || ::waitpid(pid, nullptr, WNOHANG) != 0) return;
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) return;
    const auto grave =
        std::make_shared<async::asio::posix::stream_descriptor>(executor, fd);
    grave->async_wait(async::asio::posix::stream_descriptor::wait_read,
                      [grave, pid](boost::system::error_code error) {
                          if (!error) ::waitpid(pid, nullptr, WNOHANG);
                      });
}

}  // namespace fairlead::nodeagentd::runtime
