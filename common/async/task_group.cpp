#include "common/async/task_group.hpp"

#include "common/async/wake.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/system_error.hpp>

#include <mutex>
#include <unordered_map>
#include <vector>

namespace fairlead::async {

namespace {

struct Entry {
    Executor executor;
    std::string name;
    asio::cancellation_signal signal;  // emitted on `executor` only
};

bool is_cancellation(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

struct TaskGroup::State {
    Executor executor;
    FailureHandler on_failure;

    mutable std::mutex mutex;
    std::unordered_map<const Entry*, std::shared_ptr<Entry>> entries;
    std::vector<Wake> waiting;
    bool stopped = false;

    void ended(const std::shared_ptr<Entry>& entry, std::exception_ptr failure) {
        bool expected = false;
        std::vector<Wake> to_ring;
        {
            std::lock_guard lock(mutex);
            expected = stopped;
            entries.erase(entry.get());
            if (entries.empty()) to_ring.swap(waiting);
        }
        if (failure && on_failure && !(expected && is_cancellation(failure))) {
            on_failure(entry->name, failure);
        }
        for (const auto& wake : to_ring) wake.ring();
    }
};

TaskGroup::TaskGroup(Executor executor, FailureHandler on_failure)
    : state_(std::make_shared<State>()) {
    state_->executor = std::move(executor);
    state_->on_failure = std::move(on_failure);
}

TaskGroup::~TaskGroup() {
    stop();
}

bool TaskGroup::spawn(std::string name, awaitable<void> task) {
    return spawn_on(state_->executor, std::move(name), std::move(task));
}

bool TaskGroup::spawn_on(Executor executor, std::string name, awaitable<void> task) {
    auto entry = std::make_shared<Entry>();
    entry->executor = executor;
    entry->name = std::move(name);
    {
        std::lock_guard lock(state_->mutex);
        if (state_->stopped) return false;
        state_->entries.emplace(entry.get(), entry);
    }
    // The slot is connected inside co_spawn, which must not race with an emission: both happen on
    // the executor.
    asio::dispatch(executor, [state = state_, entry, task = std::move(task)]() mutable {
        asio::co_spawn(entry->executor, std::move(task),
                       asio::bind_cancellation_slot(entry->signal.slot(),
                                                    [state, entry](std::exception_ptr failure) {
                                                        state->ended(entry, failure);
                                                    }));
    });
    return true;
}

void TaskGroup::stop() {
    std::vector<std::shared_ptr<Entry>> to_cancel;
    {
        std::lock_guard lock(state_->mutex);
        if (std::exchange(state_->stopped, true)) return;
        to_cancel.reserve(state_->entries.size());
        for (const auto& [key, entry] : state_->entries) to_cancel.push_back(entry);
    }
    for (const auto& entry : to_cancel) {
        asio::post(entry->executor,
                   [entry] { entry->signal.emit(asio::cancellation_type::terminal); });
    }
}

awaitable<void> TaskGroup::join() {
    const auto state = state_;
    const Wake wake(co_await asio::this_coro::executor);
    {
        std::lock_guard lock(state->mutex);
        if (state->entries.empty()) co_return;
        state->waiting.push_back(wake);
    }
    co_await wake.wait();
}

bool TaskGroup::stopped() const {
    std::lock_guard lock(state_->mutex);
    return state_->stopped;
}

std::size_t TaskGroup::size() const {
    std::lock_guard lock(state_->mutex);
    return state_->entries.size();
}

std::string describe(std::exception_ptr failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception of unknown type";
    }
}

}  // namespace fairlead::async
