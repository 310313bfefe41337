#include "nodeagentd/fetcher/fetcher.hpp"

#include "fairlead/internal/fetch.pb.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <csignal>
#include <deque>
#include <map>

namespace fairlead::nodeagentd::fetcher {
namespace {

namespace asio = boost::asio;

base::Error failure(std::string why) { return base::Error(base::ErrorCode::io, std::move(why)); }

// One run of the program.
struct Run {
    Run(const async::Executor& executor, int process_descriptor, int answer_descriptor)
        : process(executor, process_descriptor), answer(executor, answer_descriptor), timer(executor) {}

    pid_t pid = 0;
    asio::posix::stream_descriptor process;  // readable when the process has ended
    asio::posix::stream_descriptor answer;
    asio::steady_timer timer;
    std::string ended_because;  // by us
};

struct Pipe {
    int read_end = -1;
    int write_end = -1;
    ~Pipe() {
        if (read_end >= 0) ::close(read_end);
        if (write_end >= 0) ::close(write_end);
    }
};

std::string order_of(const ports::FetchRequest& request) {
    internal::FetchOrder order;
    order.set_sandbox(request.sandbox);
    if (!request.user.empty()) order.set_user(request.user);
    for (const auto& fetch : request.fetches) {
        auto* file = order.add_files();
        file->set_source(fetch.source);
        file->set_name(fetch.name);
        file->set_executable(fetch.executable);
        file->set_extract(fetch.extract);
    }
    return order.SerializeAsString();
}

// The order as a file in memory: the program reads it when it likes, and nobody waits for it.
base::Result<int> order_file(const std::string& order) {
    const int file = ::memfd_create("fetch-order", MFD_CLOEXEC);
    if (file < 0) return base::errno_error("memfd_create", errno);
    const auto written = ::write(file, order.data(), order.size());
    if (written == static_cast<ssize_t>(order.size()) && ::lseek(file, 0, SEEK_SET) == 0) return file;
    const int saved = errno;
    ::close(file);
    return base::errno_error("write to a memfd", saved);
}

base::Result<pid_t> spawn(const std::string& program, int order, int answer) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, order, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, answer, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    char* const arguments[] = {const_cast<char*>(program.c_str()), nullptr};
    char* const environment[] = {nullptr};
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return base::errno_error("cannot start " + program, error);
    return pid;
}

std::string read_answer(int descriptor) {
    char text[4096];
    const auto count = ::read(descriptor, text, sizeof text);
    return count > 0 ? std::string(text, static_cast<std::size_t>(count)) : std::string();
}

}  // namespace

struct ProcessFetcher::State : std::enable_shared_from_this<State> {
    State(async::Executor on, Options with) : executor(std::move(on)), options(std::move(with)) {}

    async::Executor executor;
    const Options options;
    std::function<void(ports::Fetched)> sink;
    std::deque<ports::FetchRequest> waiting;
    std::map<base::ContainerId, std::shared_ptr<Run>> runs;
    std::atomic<std::uint64_t> succeeded{0}, failed{0}, running_count{0}, waiting_count{0};

    void count() {
        running_count = runs.size();
        waiting_count = waiting.size();
    }

    void answer(const base::ContainerId& container, base::Status status) {
        ++(status ? succeeded : failed);
        count();
        asio::post(executor, [self = shared_from_this(), fetched = ports::Fetched{container, std::move(status)}] {
            if (self->sink) self->sink(fetched);
        });
    }

    void start_waiting() {
        while (runs.size() < options.running_max && !waiting.empty()) {
            const ports::FetchRequest request = std::move(waiting.front());
            waiting.pop_front();
            if (auto started = start(request); !started)
                answer(request.container, started.error().in("cannot fetch the task's files"));
        }
        count();
    }

    base::Status start(const ports::FetchRequest& request) {
        Pipe pipe;
        if (int ends[2]; ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0)
            pipe.read_end = ends[0], pipe.write_end = ends[1];
        else
            return base::errno_error("pipe", errno);
        const auto order = order_file(order_of(request));
        if (!order) return order.error();
        const auto pid = spawn(options.program, *order, pipe.write_end);
        ::close(*order);
        if (!pid) return pid.error();
        const int process = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
        if (process < 0) {
            const int saved = errno;
            ::kill(*pid, SIGKILL);
            ::waitpid(*pid, nullptr, 0);
            return base::errno_error("pidfd_open", saved);
        }
        auto run = std::make_shared<Run>(executor, process, std::exchange(pipe.read_end, -1));
        run->pid = *pid;
        runs[request.container] = run;
        run->timer.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(options.deadline));
        run->timer.async_wait([self = shared_from_this(), run](boost::system::error_code error) {
            if (!error) self->end(*run, "the task's files were not there within the time allowed for it");
        });
        run->process.async_wait(asio::posix::stream_descriptor::wait_read,
                                [self = shared_from_this(), run, container = request.container](
                                    boost::system::error_code error) {
                                    if (!error) self->ended(container, *run);
                                });
        return {};
    }

    static void end(Run& run, std::string why) {
        if (run.pid == 0) return;
        run.ended_because = std::move(why);
        ::kill(run.pid, SIGKILL);
    }

    void ended(const base::ContainerId& container, Run& run) {
        int status = 0;
        ::waitpid(std::exchange(run.pid, 0), &status, 0);
        run.timer.cancel();
        runs.erase(container);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            answer(container, {});
        } else if (!run.ended_because.empty()) {
            answer(container, failure(run.ended_because));
        } else {
            const std::string why = read_answer(run.answer.native_handle());
            answer(container, failure(why.empty() ? "fairlead-fetcher ended without a word" : why));
        }
        start_waiting();
    }
};

ProcessFetcher::ProcessFetcher(async::Executor executor, Options options)
    : state_(std::make_shared<State>(std::move(executor), std::move(options))) {}

ProcessFetcher::~ProcessFetcher() {
    state_->sink = nullptr;
    for (const auto& [container, run] : state_->runs) {
        ::kill(run->pid, SIGKILL);
        ::waitpid(run->pid, nullptr, 0);
        run->pid = 0;
        run->timer.cancel();
        run->process.cancel();
    }
    state_->runs.clear();
}

void ProcessFetcher::set_sink(std::function<void(ports::Fetched)> sink) { state_->sink = std::move(sink); }

void ProcessFetcher::fetch(ports::FetchRequest request) {
    if (state_->waiting.size() >= state_->options.waiting_max)
        return state_->answer(request.container,
                              base::Error(base::ErrorCode::limit_exceeded,
                                          "more than " + std::to_string(state_->options.waiting_max) +
                                              " tasks wait for their files on this agent"));
    state_->waiting.push_back(std::move(request));
    state_->start_waiting();
}

void ProcessFetcher::cancel(const base::ContainerId& container) {
    if (const auto run = state_->runs.find(container); run != state_->runs.end())
        return State::end(*run->second, "the fetch was cancelled");
    const auto erased = std::erase_if(state_->waiting, [&](const auto& one) { return one.container == container; });
    if (erased > 0) state_->answer(container, base::Error(base::ErrorCode::cancelled, "the fetch was cancelled"));
}

ports::FetchCounters ProcessFetcher::counters() const {
    return {state_->succeeded, state_->failed, state_->running_count, state_->waiting_count};
}

}  // namespace fairlead::nodeagentd::fetcher
