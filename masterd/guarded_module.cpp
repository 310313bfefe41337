#include "masterd/guarded_module.hpp"

#include "allocator/modules.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace fairlead::masterd {
namespace {

constexpr const char* successor = "drf";

std::chrono::milliseconds in_ms(base::Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

bool says_nothing(const allocator::Changes& changes) {
    return !changes.everything && changes.agents.empty() && changes.frameworks.empty() && changes.roles.empty() &&
           changes.opened.empty() && changes.eager.empty();
}

std::size_t lines_of(const allocator::Plan& plan) {
    return plan.offers.size() + plan.rescinds.size() + plan.revocations.size() + plan.call_offs.size() +
           plan.inverse_offers.size() + (plan.holds ? plan.holds->size() : 0);
}

}  // namespace

GuardedModule::GuardedModule(std::string name, std::unique_ptr<allocator::Module> module, Options options)
    : name_(std::move(name)), module_(std::move(module)), options_(std::move(options)) {}

GuardedModule::GuardedModule(std::string name, std::unique_ptr<ModuleThread> thread, Options options)
    : name_(std::move(name)), thread_(std::move(thread)), options_(std::move(options)) {}

base::Result<std::unique_ptr<GuardedModule>> GuardedModule::on_its_own_thread(std::string name,
                                                                              const ModuleThread::Make& make,
                                                                              Options options) {
    auto thread = ModuleThread::start(make, options.start_time);
    if (!thread)
        return base::Error(thread.error().code(),
                           fmt::format("the allocation module {} cannot be made: {}", name, thread.error().message()));
    return std::unique_ptr<GuardedModule>(new GuardedModule(std::move(name), *std::move(thread), std::move(options)));
}

GuardedModule::~GuardedModule() {
    if (thread_ && !thread_->stop(options_.end_time))
        options_.complain(fmt::format("the allocation module {} did not end within {}, and is left behind", name_,
                                      in_ms(options_.end_time)));
}

void GuardedModule::on_plan(std::function<void()> tell) {
    tell_ = std::move(tell);
    if (thread_) thread_->on_plan(tell_);
}

allocator::Plan GuardedModule::plan(const allocator::Snapshot& snapshot, const allocator::Changes& changes) {
    return thread_ ? plan_on_thread(snapshot, changes) : plan_here(snapshot, changes);
}

allocator::Plan GuardedModule::pause(const allocator::Snapshot& snapshot, const std::string& why) {
    shows_everything_ = true;
    options_.complain(fmt::format("the allocation module {} failed: {}", name_, why));
    allocator::Plan nothing;
    nothing.again_at = snapshot.now + options_.pause;
    return nothing;
}

// --- here ---

allocator::Plan GuardedModule::plan_here(const allocator::Snapshot& snapshot, const allocator::Changes& changes) {
    allocator::Changes shown = changes;
    shown.everything |= std::exchange(shows_everything_, false);
    const base::Instant start = options_.clock();
    started_ = start.time_since_epoch().count();
    allocator::Plan plan;
    try {
        plan = module_->plan(snapshot, shown);
    } catch (const std::exception& failure) {
        plan = pause(snapshot, failure.what());
    } catch (...) {
        plan = pause(snapshot, "something that is no std::exception");
    }
    const base::Duration taken = options_.clock() - start;
    const bool is_told = started_.exchange(0) == 0;
    if (taken > options_.time_budget && !is_told)
        options_.complain(fmt::format("the allocation module {} took {} for a plan; it has {}", name_, in_ms(taken),
                                      in_ms(options_.time_budget)));
    return plan;
}

void GuardedModule::look() {
    base::Instant::rep started = started_;
    const base::Instant start{base::Duration(started)};
    if (started == 0 || options_.clock() - start <= options_.time_budget) return;
    if (!started_.compare_exchange_strong(started, 0)) return;
    options_.complain(fmt::format("the allocation module {} has been at one plan for {}; it has {}, and nothing else "
                                  "happens in this master meanwhile",
                                  name_, in_ms(options_.clock() - start), in_ms(options_.time_budget)));
}

// --- on a thread ---

allocator::Plan GuardedModule::plan_on_thread(const allocator::Snapshot& snapshot, const allocator::Changes& changes) {
    noted_.add(snapshot, changes);
    if (!thread_->is_busy()) return begin(snapshot);
    asked_meanwhile_ |= !says_nothing(changes);
    count_time(snapshot.now);
    if (auto outcome = thread_->take()) return hand_over(snapshot, *std::move(outcome));
    return thought_ >= options_.patience ? give_up(snapshot) : wait(snapshot);
}

allocator::Plan GuardedModule::begin(const allocator::Snapshot& snapshot) {
    const auto noted = noted_.take();
    allocator::Changes shown = noted.changes;
    shown.everything |= std::exchange(shows_everything_, false);
    thought_ = {};
    looked_at_ = snapshot.now;
    is_told_ = false;
    thread_->begin(snapshot, noted, std::move(shown));
    return wait(snapshot);
}

void GuardedModule::count_time(base::Instant now) {
    thought_ += std::min<base::Duration>(now - looked_at_, 2 * options_.time_budget);
    looked_at_ = now;
}

allocator::Plan GuardedModule::wait(const allocator::Snapshot& snapshot) {
    if (thought_ >= options_.time_budget && !std::exchange(is_told_, true))
        options_.complain(fmt::format("the allocation module {} has been at one plan for {}; it has {}, and is given up "
                                      "after {}",
                                      name_, in_ms(thought_), in_ms(options_.time_budget), in_ms(options_.patience)));
    allocator::Plan nothing;
    nothing.again_at = snapshot.now + std::min<base::Duration>(options_.time_budget, options_.patience - thought_);
    return nothing;
}

allocator::Plan GuardedModule::hand_over(const allocator::Snapshot& snapshot, ModuleThread::Outcome outcome) {
    // The next plan is for when this one has been carried out.
    if (std::exchange(asked_meanwhile_, false) && tell_) tell_();
    if (outcome.failure) return pause(snapshot, *outcome.failure);
    if (const std::size_t lines = lines_of(outcome.plan); lines > options_.lines_max)
        return pause(snapshot, fmt::format("its plan has {} lines, and no more than {} are read", lines, options_.lines_max));
    if (thought_ >= options_.time_budget && !is_told_)
        options_.complain(fmt::format("the allocation module {} took {} for a plan; it has {}", name_, in_ms(thought_),
                                      in_ms(options_.time_budget)));
    noted_.mark_overtaken(outcome.plan, snapshot);
    return std::move(outcome.plan);
}

allocator::Plan GuardedModule::give_up(const allocator::Snapshot& snapshot) {
    thread_->leave_behind();
    thread_.reset();
    module_ = allocator::choose_module(successor)->make(options_.seed);
    is_given_up_ = true;
    options_.give_up(fmt::format("the allocation module {} has been at one plan for {} and is given up; {} plans until this "
                                 "master is started again",
                                 name_, in_ms(thought_), successor));
    name_ = fmt::format("{} (in place of {})", successor, name_);
    shows_everything_ = true;
    allocator::Plan plan = plan_here(snapshot, {});
    if (!plan.holds) plan.holds.emplace();  // what the other one kept back is nobody's
    return plan;
}

}  // namespace fairlead::masterd
