// An allocation module: whoever subscribed first is offered everything, until it wants no more; then the next.

#include "allocator/module_abi.hpp"
#include "allocator/round.hpp"

#include <algorithm>
#include <unordered_map>

namespace site {

using namespace fairlead::allocator;

class FirstCome : public Module {
  public:
    explicit FirstCome(std::uint64_t /* seed: nothing is decided by chance here */) {}

    Plan plan(const Snapshot& snapshot, const Changes& changes) override {
        note_arrivals(snapshot, changes);
        // `Round` knows what every policy has to respect. What it offers, the master will not refuse.
        Round round(snapshot, changes, Round::Look::where_something_changed);
        auto& askers = round.askers();
        std::sort(askers.begin(), askers.end(), [&](const Asker& a, const Asker& b) {
            return std::pair(a.is_content, arrivals_.at(snapshot.frameworks[a.framework].id)) <
                   std::pair(b.is_content, arrivals_.at(snapshot.frameworks[b.framework].id));
        });
        for (const AgentSlot agent : round.agents())
            for (Asker& asker : askers) round.offer(asker, agent, round.limits_of(asker.claim->role));
        return round.take_plan();
    }

  private:
    // Changes names every framework that is not as it was, and so every new one; after a failure the master says
    // `everything` instead.
    void note_arrivals(const Snapshot& snapshot, const Changes& changes) {
        const auto note = [&](FrameworkSlot slot) {
            if (slot < snapshot.frameworks.size() && !snapshot.frameworks[slot].id.empty())
                arrivals_.try_emplace(snapshot.frameworks[slot].id, arrivals_.size());
        };
        for (const FrameworkSlot slot : changes.frameworks) note(slot);
        if (changes.everything)
            for (FrameworkSlot slot = 0; slot < snapshot.frameworks.size(); ++slot) note(slot);
    }

    std::unordered_map<fairlead::base::FrameworkId, std::size_t> arrivals_;
};

}  // namespace site

FAIRLEAD_ALLOCATION_MODULE(site::FirstCome, "first-come", "1.0")
