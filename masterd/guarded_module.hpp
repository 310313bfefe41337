#pragma once
// Stands between the core and an allocation module that may be wrong: what it throws ends here, what takes too long is
// told, and what never comes back is done without. The lines of a plan that do not hold are refused, and told, by the core.
//
// A built-in module plans where it is asked, over the books themselves. One from a shared object plans on a thread of its
// own over a copy (module_thread.hpp): asked for a plan, the guard sets it to work and answers with an empty plan; the
// finished one is the answer to the next question, which on_plan() tells the owner to ask. Lines of what has changed
// meanwhile are marked, so that the core can tell what was overtaken from what was wrong.
//
// A module that throws has offered nothing, is asked again soon, and is shown everything then, as it may have lost its own
// notes half-way. A plan that came late is still a plan. When none has come after `patience`, the module is given up: it is
// left behind with its thread, and drf plans until the next start. Time is what the questions say, in steps of at most two
// budgets, so that a master that was stopped for an hour does not blame its module.
//
// Owned and asked by the owner's strand; only look() may be called from elsewhere.

#include "allocator/allocator.hpp"
#include "common/base/error.hpp"
#include "masterd/module_thread.hpp"

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
        // Of a module on a thread of its own: for one plan, to be made, and to be unmade.
        base::Duration patience = std::chrono::seconds(5);
        base::Duration start_time = std::chrono::seconds(10);
        base::Duration end_time = std::chrono::seconds(2);
        std::size_t lines_max = 1'000'000;  // of one plan
        std::uint64_t seed = 0;             // of the module that comes after one that is given up
        std::function<base::Instant()> clock;
        std::function<void(const std::string&)> complain;  // from any thread; one sentence, with the name
        std::function<void(const std::string&)> give_up;   // the same, of the one time that it is given up
    };

    // Plans where it is asked.
    GuardedModule(std::string name, std::unique_ptr<allocator::Module> module, Options options);
    // Plans on a thread of its own, and is made there. The error says why it cannot be.
    static base::Result<std::unique_ptr<GuardedModule>> on_its_own_thread(std::string name, const ModuleThread::Make& make,
                                                                          Options options);
    ~GuardedModule() override;

    // From then on `tell` is called, on any thread, when there is a plan to be asked for.
    void on_plan(std::function<void()> tell);

    allocator::Plan plan(const allocator::Snapshot& snapshot, const allocator::Changes& changes) override;

    bool is_given_up() const { return is_given_up_; }

    // Complains, once for each plan, of a built-in module that is at one for too long. From any thread.
    void look();

  private:
    GuardedModule(std::string name, std::unique_ptr<ModuleThread> thread, Options options);
    allocator::Plan plan_here(const allocator::Snapshot& snapshot, const allocator::Changes& changes);
    allocator::Plan plan_on_thread(const allocator::Snapshot& snapshot, const allocator::Changes& changes);
    allocator::Plan begin(const allocator::Snapshot& snapshot);
    allocator::Plan wait(const allocator::Snapshot& snapshot);
    allocator::Plan hand_over(const allocator::Snapshot& snapshot, ModuleThread::Outcome outcome);
    allocator::Plan give_up(const allocator::Snapshot& snapshot);
    allocator::Plan pause(const allocator::Snapshot& snapshot, const std::string& why);
    void count_time(base::Instant now);

    std::string name_;
    std::unique_ptr<allocator::Module> module_;  // one of the two
    std::unique_ptr<ModuleThread> thread_;
    Options options_;
    bool shows_everything_ = false;
    std::atomic<base::Instant::rep> started_{0};  // of the plan that is being made here; 0: none, or complained of

    std::function<void()> tell_;
    allocator::NotedChanges noted_;  // that the module on the thread has not been shown
    bool asked_meanwhile_ = false;   // about something new, while it was at a plan
    base::Duration thought_{};       // about the plan that is being made
    base::Instant looked_at_{};
    bool is_told_ = false;           // that it takes long
    bool is_given_up_ = false;
};

}  // namespace fairlead::masterd
