#pragma once
// The default policy: hierarchical weighted dominant resource fairness with guarantees and limits.
//
// What is available on an agent is given away in three passes, each in the order of the share tree:
//   guarantees  roles below their guarantee, the least satisfied first;
//   fair share  everybody;
//   revocable   what may be taken back at any time, to frameworks that understand it: it goes along with either.
// Neither touches what must stay free for the guarantees of others, or passes a limit. What an agent has goes as a whole to
// the one that is served, as far as these rules allow; what is left, to the next.
// What a role lacks of its guarantee for longer than the policy's patience is taken back from others (revocations.hpp).
// A framework that has just declined everything is asked after those that have not. Where a framework has said what it
// wants, the best of a few agents is chosen for it: well aligned, little stranded.
//
// Cost: a change of one agent or framework costs what has changed plus the claims that have to be asked before one takes it;
// only agents with something available are ever looked at, and those with nothing but reservations only for their roles. A
// claim that limits or guarantees have cut short is remembered, and asked again when there is more room for it.

#include "allocator/allocator.hpp"
#include "allocator/drf/guarantees.hpp"
#include "allocator/drf/minimums.hpp"
#include "allocator/drf/open_agents.hpp"
#include "allocator/drf/revocations.hpp"
#include "allocator/drf/share_tree.hpp"
#include "common/base/prng.hpp"

#include <map>
#include <set>
#include <unordered_map>

namespace fairlead::allocator::drf {

class Drf : public Module {
  public:
    explicit Drf(std::uint64_t seed, ShareTree::Options options = {});

    Plan plan(const Snapshot& snapshot, const Changes& changes) override;

    // The weighted dominant share by which a role is compared with its siblings; for metrics and tests.
    double share_of(RoleSlot role) const;

  private:
    // A claim as the tree knows it.
    struct Leaf {
        FrameworkSlot framework = 0;
        RoleSlot role = root_role;
        NodeId node = 0;
        Minimums::Id minimum = 0;
        resources::Quantities held;
        base::Instant content_until{};
    };
    using LeafIndex = std::uint32_t;
    struct RoleNodes {
        base::Role name;      // empty: none
        NodeId group = 0;     // the role among its siblings
        NodeId members = 0;   // its own frameworks, beside its child roles
    };

    // What an operator has said of a role, and what it had, when it was last looked at.
    struct Ordered {
        resources::Quantities guarantee;
        Limits limit;
        resources::Quantities chargeable;
    };

    // absorb.cpp: brings what was derived from earlier snapshots up to date.
    void absorb(const Snapshot& snapshot, const Changes& changes);
    void absorb_roles(const Snapshot& snapshot, std::vector<RoleSlot> changed);
    void absorb_orders(RoleSlot role, const RoleEntry& entry);
    void drop_stale_leaves(const Snapshot& snapshot, FrameworkSlot framework);
    void absorb_framework(const Snapshot& snapshot, FrameworkSlot framework);
    void absorb_agent(const Snapshot& snapshot, AgentSlot agent);
    void measure_cluster(const Snapshot& snapshot);
    void wake_the_content(base::Instant now);
    void set_appetite(Leaf& leaf, Appetite appetite);

    // drf.cpp
    template <typename Admit>
    void serve(const Snapshot& snapshot, AgentSlot agent, Admit&& admit, Plan& plan);
    template <typename Admit>
    bool serve_next(const Snapshot& snapshot, AgentSlot agent, NodeId from, Admit&& admit, resources::Resources& left,
                    Plan& plan);
    bool serve_guarantee(const Snapshot& snapshot, AgentSlot agent, resources::Resources& left, Plan& plan);
    void serve_eager(const Snapshot& snapshot, std::vector<LeafIndex> eager, const std::set<AgentSlot>& served,
                     Plan& plan);
    std::vector<LeafIndex> eager_leaves(const Snapshot& snapshot, const std::vector<FrameworkSlot>& eager);
    bool is_spent(const Snapshot& snapshot, const Leaf& leaf) const;
    bool is_relieved(const Snapshot& snapshot, RoleSlot role) const;
    bool offer(const Snapshot& snapshot, const Leaf& leaf, AgentSlot agent, const Limits& ceilings,
               resources::Resources& left, Plan& plan);
    Limits ceilings(const Snapshot& snapshot, const Leaf& leaf) const;
    Limits limits_of(const Snapshot& snapshot, RoleSlot role) const;
    Limits room_beside_guarantees(const Snapshot& snapshot, RoleSlot role) const;
    void charge(const Snapshot& snapshot, LeafIndex leaf, const resources::Resources& part);
    void draw(const Snapshot& snapshot, std::vector<AgentSlot>& agents, std::size_t which);

    // needs.cpp: who has less than it should have, after all that the plan offers.
    std::vector<Need> needs(const Snapshot& snapshot);
    void add_need(const Snapshot& snapshot, Need need, std::vector<Need>& needs) const;

    ShareTree tree_;
    base::Prng prng_;
    Guarantees guarantees_;
    Revocations revocations_;
    std::vector<RoleNodes> roles_;                        // by RoleSlot
    std::vector<Leaf> leaves_;
    std::vector<LeafIndex> free_leaves_;
    std::vector<LeafIndex> leaf_of_node_;                 // by NodeId
    std::vector<std::vector<LeafIndex>> of_framework_;    // by FrameworkSlot
    std::set<std::pair<base::Instant, LeafIndex>> content_;
    Minimums minimums_;
    OpenAgents open_;
    std::unordered_map<base::Role, RoleSlot> slot_of_role_;
    std::map<RoleSlot, Ordered> ordered_;                 // roles with a guarantee or a limit
    std::set<RoleSlot> limited_;                          // roles with a limit
    std::set<LeafIndex> cut_short_;                       // would have taken more than limits and guarantees left to them
    std::vector<double> fair_shares_;                     // when it was last looked at them
    base::Instant fair_shares_due_{};
    resources::Quantities room_;                          // free and owed to nobody, after the last plan

    // Of one plan.
    std::set<RoleSlot> relieved_;
    resources::Quantities free_;
    std::unordered_map<RoleSlot, resources::Quantities> given_;  // to limited roles
};

}  // namespace fairlead::allocator::drf
