#include "nodeagentd/supervisor/task.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace fairlead::nodeagentd::supervisor {

namespace {

// What a child that could not become the task leaves in the memory that it has borrowed.
struct Failure {
    StartStage stage = StartStage::none;
    int error = 0;
};

// Everything that allocates happens before the fork.
struct Prepared {
    const char** arguments = nullptr;
    const char** environment = nullptr;
    gid_t* groups = nullptr;

    explicit Prepared(const LaunchReader& launch)
        : arguments(
              static_cast<const char**>(std::calloc(launch.head().arguments + 1, sizeof(char*)))),
          environment(
              static_cast<const char**>(std::calloc(launch.head().environment + 1, sizeof(char*)))),
          groups(static_cast<gid_t*>(std::calloc(launch.head().groups + 1, sizeof(gid_t)))) {
        if (!complete()) return;
        launch.fill_arguments(arguments);
        launch.fill_environment(environment);
        launch.fill_groups(groups);
    }
    ~Prepared() {
        std::free(arguments);
        std::free(environment);
        std::free(groups);
    }
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;

    bool complete() const {
        return arguments != nullptr && environment != nullptr && groups != nullptr;
    }
};

void reset_signals() {
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The kernel's OOM killer should take the task, whose end can then be told, and not the one that
// tells it; and the task starts with the score that the supervisor was given.
constexpr const char* oom_score_file = "/proc/self/oom_score_adj";
constexpr char oom_score_spared[] = "-900";
char oom_score_given[16] = "0";

void write_oom_score(const char* score) {
    const int fd = ::open(oom_score_file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    [[maybe_unused]] const ssize_t put = ::write(fd, score, std::strlen(score));
    ::close(fd);
}

[[noreturn]] void fail(volatile Failure& failure, StartStage stage) {
    failure.error = errno;
    failure.stage = stage;
    ::_exit(127);
}

[[noreturn]] void run_child(const LaunchReader& launch, const Prepared& prepared, int out, int err,
                            volatile Failure& failure) {
    ::setsid();
    write_oom_score(oom_score_given);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0)
        fail(failure, StartStage::pipe);
    // Every descriptor but these is close-on-exec, except for the channel.
    ::fcntl(channel_descriptor, F_SETFD, FD_CLOEXEC);
    ::umask(022);
    const LaunchHead& head = launch.head();
    if (head.change_credentials != 0) {
        if (::setgroups(head.groups, prepared.groups) != 0 || ::setgid(head.gid) != 0 ||
            ::setuid(head.uid) != 0) {
            fail(failure, StartStage::credentials);
        }
    }
    if (::chdir(launch.string(LaunchString::sandbox)) != 0) fail(failure, StartStage::directory);
    reset_signals();
    ::environ = const_cast<char**>(
        prepared.environment);  // execvp searches the PATH that the task was given
    ::execvp(prepared.arguments[0], const_cast<char* const*>(prepared.arguments));
    fail(failure, StartStage::execute);
}

// The child borrows our memory, and we stand still, until it has executed the command or ended: no
// page is copied, and whether it could is known at once. A function of its own, so that the child
// leaves none of the caller's variables changed.
[[gnu::noinline]] pid_t start_child(const LaunchReader& launch, const Prepared& prepared, int out, int err,
                                    volatile Failure& failure) {
    const pid_t pid = ::vfork();
    if (pid == 0) run_child(launch, prepared, out, err, failure);
    return pid;
}

bool make_directories(const char* path) {
    char part[PATH_MAX];
    const std::size_t size = std::strlen(path);
    if (size >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    std::memcpy(part, path, size + 1);
    for (std::size_t end = 1; end <= size; ++end) {
        if (path[end] != '/' && path[end] != '\0') continue;
        part[end] = '\0';
        if (::mkdir(part, 0755) != 0 && errno != EEXIST) return false;
        part[end] = path[end];
    }
    return true;
}

}  // namespace

void spare_from_oom_killer() {
    const int fd = ::open(oom_score_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    const ssize_t got = ::read(fd, oom_score_given, sizeof oom_score_given - 1);
    ::close(fd);
    if (got <= 0) return;
    oom_score_given[got] = '\0';
    write_oom_score(oom_score_spared);
}

StartOutcome start_task(const LaunchReader& launch, int out, int err) {
    StartOutcome outcome;
    const Prepared prepared(launch);
    if (!prepared.complete()) {
        outcome.stage = StartStage::fork;
        outcome.error = errno;
        return outcome;
    }
    volatile Failure failure;
    char** const ours = ::environ;
    outcome.pid = start_child(launch, prepared, out, err, failure);
    if (outcome.pid < 0) {
        failure.error = errno;
        failure.stage = StartStage::fork;
    }
    ::environ = ours;
    outcome.stage = failure.stage;
    outcome.error = failure.error;
    return outcome;
}

bool make_sandbox(const char* path, const LaunchHead& head) {
    if (!make_directories(path)) return false;
    const int fd = ::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    const bool given = ::fchmod(fd, 0750) == 0 &&
                       (head.change_credentials == 0 || ::fchown(fd, head.uid, head.gid) == 0);
    const int error = errno;
    ::close(fd);
    errno = error;
    return given;
}

int open_output_file(const char* path, const LaunchHead& head) {
    const int fd = ::open(
        path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd < 0) return -1;
    struct stat status {};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        ::close(fd);
        errno = EINVAL;
        return -1;
    }
    if (head.change_credentials != 0) {
        [[maybe_unused]] const int changed = ::fchown(fd, head.uid, head.gid);
    }
    return fd;
}

}  // namespace fairlead::nodeagentd::supervisor
