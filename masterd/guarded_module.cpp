#include "masterd/guarded_module.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <exception>
#include <utility>

namespace fairlead::masterd {
namespace {

std::chrono::milliseconds in_ms(base::Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

}  // namespace

GuardedModule::GuardedModule(std::string name, std::unique_ptr<allocator::Module> module, Options options)
    : name_(std::move(name)), module_(std::move(module)), options_(std::move(options)) {}

allocator::Plan GuardedModule::plan(const allocator::Snapshot& snapshot, const allocator::Changes& changes) {
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

allocator::Plan GuardedModule::pause(const allocator::Snapshot& snapshot, const std::string& why) {
    shows_everything_ = true;
    options_.complain(fmt::format("the allocation module {} failed: {}", name_, why));
    allocator::Plan nothing;
    nothing.again_at = snapshot.now + options_.pause;
    return nothing;
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

}  // namespace fairlead::masterd
