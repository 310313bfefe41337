#include "common/log/backlog.hpp"

#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace fairlead::log {
namespace {

std::size_t bytes_of(const Backlog::Line& line) {
    std::size_t bytes = 0;
    for (const std::string& field : line) bytes += field.size();
    return bytes;
}

}  // namespace

// The thread keeps it: it may be inside the sink when the Backlog goes.
struct Backlog::State {
    State(Sink sink, Lost lost, Limits limits) : sink(std::move(sink)), lost_line(std::move(lost)), limits(limits) {}

    const Sink sink;
    const Lost lost_line;
    const Limits limits;
    const ::pid_t process = ::getpid();
    bool has_thread = false;

    std::mutex mutex;
    std::condition_variable come, gone;
    std::deque<Line> queue;
    std::size_t bytes = 0;
    std::size_t lost = 0;  // behind what is in the queue: it is full until all of that is taken
    bool busy = false;     // with what was taken
    bool over = false;

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            come.wait(lock, [this] { return over || !queue.empty(); });
            if (over) return;
            busy = true;
            std::deque<Line> taken = std::exchange(queue, {});
            const std::size_t lost_behind = std::exchange(lost, 0);
            bytes = 0;
            lock.unlock();
            for (Line& line : taken) sink(std::move(line));
            if (lost_behind > 0) sink(lost_line(lost_behind));
            lock.lock();
            busy = false;
            gone.notify_all();
        }
    }
};

Backlog::Backlog(Sink sink, Lost lost, Limits limits)
    : state_(std::make_shared<State>(std::move(sink), std::move(lost), limits)) {
    // Signals are for the threads of the program.
    ::sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    try {
        std::thread([state = state_] { state->work(); }).detach();
        state_->has_thread = true;
    } catch (const std::system_error&) {  // no more threads: lines are handed on by whoever writes them
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Backlog::~Backlog() {
    const std::lock_guard lock(state_->mutex);
    state_->over = true;
    state_->queue.clear();
    state_->come.notify_all();
}

void Backlog::put(Line line) {
    if (!state_->has_thread || ::getpid() != state_->process) return state_->sink(std::move(line));
    const std::size_t bytes = bytes_of(line);
    const std::lock_guard lock(state_->mutex);
    const bool is_full =
        state_->queue.size() >= state_->limits.lines_max || state_->bytes + bytes > state_->limits.bytes_max;
    if (state_->lost > 0 || is_full) {
        ++state_->lost;
        return;
    }
    state_->queue.push_back(std::move(line));
    state_->bytes += bytes;
    state_->come.notify_one();
}

bool Backlog::flush(std::chrono::milliseconds limit) const {
    if (!state_->has_thread || ::getpid() != state_->process) return true;
    std::unique_lock lock(state_->mutex);
    return state_->gone.wait_for(lock, limit, [this] { return state_->queue.empty() && !state_->busy; });
}

}  // namespace fairlead::log
