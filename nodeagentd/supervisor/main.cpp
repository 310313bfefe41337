// fairlead-supervisor: one in each task's scope. The agent starts it with one end of a socketpair
// as descriptor 3 and it waits there, so that the scope and its limits stand before anything of the
// task runs. It then makes the sandbox, starts the task, copies its output there and to the journal, and
// keeps the task's end until an agent has acknowledged it, whoever that agent is: agents come and go, the
// supervisor stays.
//
// It ignores SIGTERM, which systemd sends to all of the scope: the task decides when to end, and
// the supervisor remembers that it was asked. SIGKILL after the grace takes it along; the unit's
// Result then tells the agent what happened.

#include "nodeagentd/supervisor/channel.hpp"
#include "nodeagentd/supervisor/output.hpp"
#include "nodeagentd/supervisor/protocol.hpp"
#include "nodeagentd/supervisor/scope_memory.hpp"
#include "nodeagentd/supervisor/task.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <initializer_list>

namespace fairlead::nodeagentd::supervisor {
namespace {

constexpr int priority_out = 6;  // info
constexpr int priority_err = 4;  // warning
// How long output of processes that outlive the main process is waited for before its end is
// reported.
constexpr std::uint64_t leftover_output_us_max = 200'000;

std::uint64_t now_us() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1000;
}

std::uint64_t microseconds(const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_usec);
}

class Supervisor {
  public:
    Supervisor(int channel, int signals) : channel_(channel), signals_(signals) {}
    int run();

  private:
    enum class Next { go_on, leave };

    int poll_once(int timeout_ms);
    int timeout_ms() const;
    Next on_channel();
    void on_signals();
    bool is_over() const {
        return state_.state == TaskState::exited || state_.state == TaskState::start_failed;
    }
    void launch(int record);
    void start(const LaunchReader& launch);
    void report_start();
    void reap();
    void finish_when_output_is_in();
    void report(MessageType type);
    void on_agent_lost();
    void leave_end_behind();
    void reconnect_when_due();

    Channel channel_;
    int signals_;
    Output out_;
    Output err_;
    Message state_;  // what hello says
    bool main_ended_ = false;
    bool left_behind_ = false;  // the end is in the report file
    std::uint64_t sigterm_us_ = 0;
    std::uint64_t started_us_ = 0;
    std::uint64_t finish_by_us_ = 0;  // end of the wait for leftover output
    std::uint64_t reconnect_at_us_ = 0;
    char agent_socket_[108] = {};
    char report_path_[480] = {};
};

int Supervisor::run() {
    for (;;) {
        if (poll_once(timeout_ms()) < 0 && errno != EINTR) return 1;
        if (state_.state == TaskState::waiting && (sigterm_us_ != 0 || !channel_.is_connected()))
            return 0;
        if (channel_.is_connected() && on_channel() == Next::leave) break;
        if (state_.state == TaskState::running) finish_when_output_is_in();
        if (is_over() && sigterm_us_ != 0 && !state_.sigterm_seen) leave_end_behind();
        if (left_behind_) break;
        reconnect_when_due();
    }
    out_.drain();
    err_.drain();
    out_.close();
    err_.close();
    return 0;
}

int Supervisor::timeout_ms() const {
    std::uint64_t due = 0;
    if (main_ended_ && state_.state == TaskState::running) due = finish_by_us_;
    if (reconnect_at_us_ != 0 && (due == 0 || reconnect_at_us_ < due)) due = reconnect_at_us_;
    if (due == 0) return -1;
    const std::uint64_t now = now_us();
    return due <= now ? 0 : static_cast<int>((due - now + 999) / 1000);
}

int Supervisor::poll_once(int timeout_ms) {
    pollfd waits[4] = {{signals_, POLLIN, 0},
                       {channel_.fd(), POLLIN, 0},
                       {out_.pipe(), POLLIN, 0},  // a negative descriptor is skipped
                       {err_.pipe(), POLLIN, 0}};
    const int ready = ::poll(waits, 4, timeout_ms);
    if (ready <= 0) return ready;
    if (waits[2].revents != 0) out_.copy_some();
    if (waits[3].revents != 0) err_.copy_some();
    if (waits[0].revents != 0) on_signals();
    return ready;
}

Supervisor::Next Supervisor::on_channel() {
    for (;;) {
        Message message;
        int attached = -1;
        const auto received = channel_.receive(message, attached);
        if (received == Channel::Received::nothing) return Next::go_on;
        if (received == Channel::Received::closed) {
            if (state_.state == TaskState::waiting) return Next::leave;
            on_agent_lost();
            return Next::go_on;
        }
        if (message.type == MessageType::launch && state_.state == TaskState::waiting) {
            launch(attached);
        } else if (attached >= 0) {
            ::close(attached);
        }
        if (message.type == MessageType::acknowledge && is_over()) return Next::leave;
        if (!channel_.is_connected()) return Next::go_on;
    }
}

void Supervisor::on_signals() {
    signalfd_siginfo info;
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        if (info.ssi_signo == SIGTERM && sigterm_us_ == 0) sigterm_us_ = now_us();
    }
    reap();
}

void Supervisor::launch(int record) {
    struct stat status {};
    LaunchReader launch;
    void* bytes = MAP_FAILED;
    if (record >= 0 && ::fstat(record, &status) == 0 && status.st_size > 0) {
        bytes = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE,
                       record, 0);
    }
    if (record >= 0) ::close(record);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (bytes != MAP_FAILED && launch.parse(static_cast<const char*>(bytes), size)) {
        start(launch);
    } else {
        state_.stage = StartStage::record;
        state_.error = EINVAL;
        report_start();
    }
    if (bytes != MAP_FAILED) ::munmap(bytes, size);
}

void Supervisor::report_start() {
    const bool runs = state_.stage == StartStage::none;
    state_.state = runs ? TaskState::running : TaskState::start_failed;
    report(runs ? MessageType::started : MessageType::start_failed);
}

void Supervisor::start(const LaunchReader& launch) {
    const char* const key = launch.string(LaunchString::key);
    state_.key_bytes = static_cast<std::uint32_t>(std::strlen(key));
    std::memcpy(state_.key, key, state_.key_bytes);
    std::strncpy(agent_socket_, launch.string(LaunchString::agent_socket),
                 sizeof agent_socket_ - 1);
    std::strncpy(report_path_, launch.string(LaunchString::report_path), sizeof report_path_ - 1);

    const auto failed = [this](StartStage stage) {
        state_.stage = stage;
        state_.error = errno;
        report_start();
    };
    // Here and not in the agent, which must not wait for the disk.
    if (!make_sandbox(launch.string(LaunchString::sandbox), launch.head())) return failed(StartStage::sandbox);
    const int out_file = open_output_file(launch.string(LaunchString::stdout_path), launch.head());
    if (out_file < 0) return failed(StartStage::output_file);
    const int err_file = open_output_file(launch.string(LaunchString::stderr_path), launch.head());
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    if (err_file < 0) return failed(StartStage::output_file);
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
        return failed(StartStage::pipe);
    ::fcntl(out[0], F_SETFL, O_NONBLOCK);
    ::fcntl(err[0], F_SETFL, O_NONBLOCK);

    const StartOutcome outcome = start_task(launch, out[1], err[1]);
    started_us_ = now_us();
    ::close(out[1]);
    ::close(err[1]);
    state_.pid = outcome.pid;
    state_.stage = outcome.stage;
    state_.error = outcome.error;
    report_start();
    if (outcome.stage != StartStage::none) return;
    // The journal is opened when everybody who waits for the start knows of it.
    const char* const fields = launch.string(LaunchString::journal_fields);
    out_.open(out[0], out_file, fields, priority_out);
    err_.open(err[0], err_file, fields, priority_err);
}

void Supervisor::reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != state_.pid || main_ended_) continue;
        main_ended_ = true;
        state_.wait_status = status;
        state_.run_us = now_us() - started_us_;
        finish_by_us_ = now_us() + leftover_output_us_max;
    }
    // As subreaper we are the parent of whatever the task left behind.
    if (main_ended_) state_.leftovers = pid == 0 ? 1 : 0;
}

void Supervisor::finish_when_output_is_in() {
    if (!main_ended_) return;
    const bool complete = !out_.is_open() && !err_.is_open();
    if (!complete && state_.leftovers != 0 && now_us() < finish_by_us_) return;
    out_.drain();
    err_.drain();

    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const ScopeMemory memory = read_scope_memory();
    state_.cpu_user_us = microseconds(usage.ru_utime);
    state_.cpu_system_us = microseconds(usage.ru_stime);
    state_.memory_peak_bytes = memory.peak_bytes != 0
                                   ? memory.peak_bytes
                                   : static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    state_.oom_kills = memory.oom_kills;
    if (sigterm_us_ != 0) {
        state_.sigterm_seen = 1;
        state_.sigterm_after_us = sigterm_us_ > started_us_ ? sigterm_us_ - started_us_ : 0;
    }
    state_.state = TaskState::exited;
    report(MessageType::exited);
}

void Supervisor::report(MessageType type) {
    Message message = state_;
    message.type = type;
    if (!channel_.send(message)) on_agent_lost();
}

void Supervisor::on_agent_lost() {
    if (is_over()) leave_end_behind();
    if (reconnect_at_us_ == 0)
        reconnect_at_us_ = now_us() + static_cast<std::uint64_t>(channel_.next_pause_ms()) * 1000;
}

// Nobody listens, or the scope is being stopped: the file says it all, and there is nothing to stay
// for. Where it cannot be written we stay.
void Supervisor::leave_end_behind() {
    left_behind_ = write_report(report_path_, state_);
}

void Supervisor::reconnect_when_due() {
    if (reconnect_at_us_ == 0 || now_us() < reconnect_at_us_) return;
    reconnect_at_us_ = 0;
    if (channel_.connect(agent_socket_)) {
        report(MessageType::hello);
    } else {
        reconnect_at_us_ = now_us() + static_cast<std::uint64_t>(channel_.next_pause_ms()) * 1000;
    }
}

int open_signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM})
        sigaddset(&wanted, signal);
    ::sigprocmask(SIG_SETMASK, &wanted, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
    return ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace
}  // namespace fairlead::nodeagentd::supervisor

int main() {
    using namespace fairlead::nodeagentd::supervisor;
    if (::fcntl(channel_descriptor, F_SETFD, FD_CLOEXEC) != 0) {
        static constexpr char text[] =
            "fairlead-supervisor is started by fairlead-nodeagentd, not by hand.\n";
        [[maybe_unused]] const ssize_t put = ::write(2, text, sizeof text - 1);
        return 64;
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    spare_from_oom_killer();
    const int signals = open_signals();
    if (signals < 0) return 71;
    return Supervisor(channel_descriptor, signals).run();
}
