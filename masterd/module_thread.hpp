#pragma once
// The thread on which a module from a shared object lives: it is made there, plans there over a copy of what the master
// sees, and is unmade there. Nothing that it does or fails to do holds up the one who owns this: a module that does not
// come back is left behind, with its thread, its copy and its code, and never touched again.
//
// All calls come from the owner, one at a time.

#include "allocator/kept_snapshot.hpp"
#include "common/base/error.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace fairlead::masterd {

class ModuleThread {
  public:
    using Make = std::function<std::unique_ptr<allocator::Module>()>;
    struct Outcome {
        allocator::Plan plan;
        std::optional<std::string> failure;  // what it threw instead
    };

    // Waits until the module is made. An error: it threw, or was not there in time.
    static base::Result<std::unique_ptr<ModuleThread>> start(const Make& make, base::Duration time);
    // Without stop(): leaves it behind.
    ~ModuleThread();

    // Called on the thread when a plan is there to be taken. Before the first plan.
    void on_plan(std::function<void()> tell);

    // Precondition of begin: not busy. `shown` is what the module is told of `noted`.
    void begin(const allocator::Snapshot& present, const allocator::NotedChanges::Noted& noted, allocator::Changes shown);
    bool is_busy() const { return is_busy_; }
    // None: there is no plan, or not yet.
    std::optional<Outcome> take();

    // Ends the module and the thread. False: they did not end in time and are left behind.
    bool stop(base::Duration time);
    void leave_behind();

  private:
    struct Desk;
    static void live(const std::shared_ptr<Desk>& desk, const Make& make);

    ModuleThread(std::shared_ptr<Desk> desk, std::thread thread);

    std::shared_ptr<Desk> desk_;  // null: stopped or left behind
    std::thread thread_;
    bool is_busy_ = false;
};

}  // namespace fairlead::masterd
