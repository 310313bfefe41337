#include "allocator/drf/drf.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace fairlead::allocator::drf {
namespace {

using resources::Quantities;
using resources::Resources;

// Everything a role's frameworks hold, and its share of the cluster.
struct RoleStanding {
    Quantities allocated;
    double weight = 1;
    double share = 0;
};

// A framework under one of its roles that may be offered something.
struct Candidate {
    FrameworkSlot framework;
    const RoleEntry* entry;
    RoleStanding* role;
    Quantities allocated;
    double share = 0;
    std::uint64_t lot = 0;
};

class Round {
  public:
    Round(const Snapshot& snapshot, base::Prng& prng)
        : snapshot_(snapshot), prng_(prng), total_(snapshot.total.quantities()) {
        for (FrameworkSlot slot = 0; slot < snapshot.frameworks.size(); ++slot) enter(slot);
        for (auto& [name, role] : roles_) role.share = share_of(role.allocated, role.weight);
    }

    // Gives away what is available on one agent; `takers` says which candidates are asked.
    template <typename Takers>
    void serve(AgentSlot slot, const Takers& takers, Plan& plan) {
        const AgentEntry& agent = snapshot_.agents[slot];
        if (agent.id.empty() || !agent.offerable) return;
        Resources left = agent.available;
        while (!left.empty()) {
            Candidate* next = nullptr;
            Resources part;
            for (Candidate& candidate : candidates_) {
                if (!takers(candidate.framework)) continue;
                if (next != nullptr && !before(candidate, *next)) continue;
                Resources offered = left.available_to(candidate.entry->role);
                if (!eligible(candidate, slot, offered)) continue;
                next = &candidate;
                part = std::move(offered);
            }
            if (next == nullptr) return;
            left.subtract(part);
            charge(*next, part.quantities());
            plan.offers.push_back({next->framework, next->entry->role, slot, std::move(part)});
        }
    }

  private:
    void enter(FrameworkSlot slot) {
        const FrameworkEntry& framework = snapshot_.frameworks[slot];
        if (framework.id.empty()) return;
        for (const RoleEntry& entry : framework.roles) {
            const auto [found, is_new] = roles_.try_emplace(entry.role);
            RoleStanding& role = found->second;
            if (is_new) role.weight = snapshot_.policy.weight(entry.role);
            const Quantities allocated = entry.allocated.quantities();
            role.allocated.add(allocated);
            if (!framework.active || entry.suppressed) continue;
            candidates_.push_back({slot, &entry, &role, allocated, share_of(allocated, 1), prng_()});
        }
    }

    double share_of(const Quantities& allocated, double weight) const {
        return allocated.largest_share_of(total_) / weight;
    }

    static bool before(const Candidate& a, const Candidate& b) {
        if (a.role != b.role && a.role->share != b.role->share) return a.role->share < b.role->share;
        if (a.role == b.role && a.share != b.share) return a.share < b.share;
        return a.lot < b.lot;
    }

    bool eligible(const Candidate& candidate, AgentSlot slot, const Resources& offered) const {
        if (offered.empty()) return false;
        const auto& alternatives = candidate.entry->min_allocatable;
        const auto met = [&](const Resources& least) {
            return offered.quantities().contains(least.quantities());
        };
        if (!alternatives.empty() && std::none_of(alternatives.begin(), alternatives.end(), met)) return false;
        const bool has_gpus = !snapshot_.agents[slot].total.gpus().is_zero();
        if (has_gpus && snapshot_.policy.filter_gpu_resources &&
            !snapshot_.frameworks[candidate.framework].gpu_aware)
            return false;
        const auto* constraints = snapshot_.constraints;
        if (constraints != nullptr && !constraints->allow(candidate.framework, candidate.entry->role, slot)) return false;
        return !snapshot_.filters.refused(candidate.framework, candidate.entry->role, slot, offered);
    }

    void charge(Candidate& candidate, const Quantities& amount) {
        candidate.allocated.add(amount);
        candidate.share = share_of(candidate.allocated, 1);
        candidate.role->allocated.add(amount);
        candidate.role->share = share_of(candidate.role->allocated, candidate.role->weight);
        candidate.lot = prng_();
    }

    const Snapshot& snapshot_;
    base::Prng& prng_;
    const Quantities total_;
    std::unordered_map<base::Role, RoleStanding> roles_;  // stable addresses
    std::vector<Candidate> candidates_;
};

void shuffle(std::vector<AgentSlot>& slots, base::Prng& prng) {
    for (std::size_t i = slots.size(); i > 1; --i) std::swap(slots[i - 1], slots[prng.below(i)]);
}

}  // namespace

Plan Drf::plan(const Snapshot& snapshot, const Changes& changes) {
    Plan plan;
    Round round(snapshot, prng_);

    // Agents with more to give: everybody may have it.
    std::vector<AgentSlot> changed = changes.agents;
    std::vector<bool> is_changed(snapshot.agents.size(), changes.everything);
    if (changes.everything) {
        changed.resize(snapshot.agents.size());
        std::iota(changed.begin(), changed.end(), AgentSlot{0});
    }
    std::erase_if(changed, [&](AgentSlot slot) { return slot >= snapshot.agents.size(); });
    for (const AgentSlot slot : changed) is_changed[slot] = true;
    shuffle(changed, prng_);
    for (const AgentSlot slot : changed) round.serve(slot, [](FrameworkSlot) { return true; }, plan);

    // The other agents have nothing that anybody wanted before; only those that want more now are asked.
    if (changes.frameworks.empty()) return plan;
    std::vector<bool> wants(snapshot.frameworks.size(), false);
    for (const FrameworkSlot slot : changes.frameworks)
        if (slot < wants.size()) wants[slot] = true;
    std::vector<AgentSlot> others;
    for (AgentSlot slot = 0; slot < snapshot.agents.size(); ++slot)
        if (!is_changed[slot]) others.push_back(slot);
    shuffle(others, prng_);
    for (const AgentSlot slot : others)
        round.serve(slot, [&](FrameworkSlot framework) { return wants[framework]; }, plan);
    return plan;
}

}  // namespace fairlead::allocator::drf
