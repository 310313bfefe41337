#pragma once
// A module whose plans come late, as those of shared objects do, but in the thread and the time of the test.

#include "allocator/kept_snapshot.hpp"
#include "common/base/prng.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace fairlead::tests {

// Each plan is made of what there was, and given some time later, when much may have changed.
class LateModule final : public allocator::Module {
  public:
    LateModule(std::unique_ptr<allocator::Module> inner, std::uint64_t seed, base::Duration late_max)
        : inner_(std::move(inner)), prng_(seed), late_max_(late_max) {}

    allocator::Plan plan(const allocator::Snapshot& present, const allocator::Changes& changes) override {
        noted_.add(present, changes);
        if (!made_) {
            const auto noted = noted_.take();
            kept_.bring_up_to_date(present, noted);
            made_ = inner_->plan(kept_.view(), noted.changes);
            ready_at_ = present.now + base::Duration(prng_.below(static_cast<std::uint64_t>(late_max_.count())));
        } else if (ready_at_ <= present.now) {
            allocator::Plan ready = *std::exchange(made_, std::nullopt);
            noted_.mark_overtaken(ready, present);
            if (std::exchange(asked_meanwhile_, false)) ready.again_at = present.now;
            return ready;
        } else {
            asked_meanwhile_ |= !changes.opened.empty() || !changes.eager.empty() || !changes.roles.empty();
        }
        allocator::Plan nothing;
        nothing.again_at = ready_at_;
        return nothing;
    }

  private:
    std::unique_ptr<allocator::Module> inner_;
    base::Prng prng_;
    base::Duration late_max_;
    allocator::NotedChanges noted_;
    allocator::KeptSnapshot kept_;
    std::optional<allocator::Plan> made_;
    base::Instant ready_at_{};
    bool asked_meanwhile_ = false;
};

}  // namespace fairlead::tests
