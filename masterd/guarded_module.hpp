#pragma once
// Stands between the core and an allocation module that may be wrong: what it throws ends here, and what takes too long is
// told. The lines of a plan that do not hold are refused, and told, by the core.
//
// A module that throws has offered nothing, is asked again soon, and is shown everything then, as it may have lost its own
// notes half-way. A plan that came late is still a plan. One that never comes blocks the master: whoever holds the guard
// looks at it from another thread, so that the journal has the module's name before systemd's watchdog ends the process.

#include "allocator/allocator.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace fairlead::masterd {

class GuardedModule final : public allocator::Module {
  public:
    struct Options {
        base::Duration time_budget = std::chrono::seconds(1);  // of one plan
        base::Duration pause = std::chrono::seconds(1);        // after an exception, until it is asked again
        std::function<base::Instant()> clock;
        std::function<void(const std::string&)> complain;      // from any thread; one sentence, with the name
    };

    GuardedModule(std::string name, std::unique_ptr<allocator::Module> module, Options options);

    allocator::Plan plan(const allocator::Snapshot& snapshot, const allocator::Changes& changes) override;

    // Complains, once for each plan, of one that is being made for too long. From any thread.
    void look();

  private:
    allocator::Plan pause(const allocator::Snapshot& snapshot, const std::string& why);

    std::string name_;
    std::unique_ptr<allocator::Module> module_;
    Options options_;
    bool shows_everything_ = false;
    std::atomic<base::Instant::rep> started_{0};  // of the plan that is being made; 0: none, or already complained of
};

}  // namespace fairlead::masterd
