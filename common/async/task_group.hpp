#pragma once
// Spawned coroutines that belong to somebody: a group can be stopped (each task is cancelled on its
// own executor) and awaited, and an exception that leaves a task reaches the group's handler under
// the task's name instead of being lost. All members may be called from any thread. A task's
// executor must be a strand or a context with a single thread. A group that is destroyed is stopped
// first; tasks that still unwind then do so on their own and touch nothing of it.

#include "common/async/asio.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::async {

class TaskGroup {
  public:
    // Called on the failed task's executor. What a cancelled task throws on its way out is not
    // reported.
    using FailureHandler = std::function<void(std::string_view task, std::exception_ptr failure)>;

    TaskGroup(Executor executor, FailureHandler on_failure);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // false (and the task never starts) once the group was stopped.
    bool spawn(std::string name, awaitable<void> task);
    bool spawn_on(Executor executor, std::string name, awaitable<void> task);

    void stop();
    // Returns when no task is left; normally after stop(). Any number of coroutines may wait, each
    // on its own strand.
    awaitable<void> join();

    bool stopped() const;
    std::size_t size() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

// The text of an exception, for a log line.
std::string describe(std::exception_ptr failure);

}  // namespace fairlead::async
