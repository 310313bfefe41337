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
// wants, the best of a few agents is chosen for it: well aligned, little stranded; and it is offered nothing else. Gangs are
// offered whole; for them and for large tasks room is gathered (gangs.cpp). What is kept for short tasks goes by the same
// order to those that take it (short_tasks.cpp).
//
// Cost: a change of one agent or framework costs what has changed plus the claims that have to be asked before one takes it;
// only agents with something available are ever looked at, and those with nothing but reservations only for their roles. A
// claim that limits or guarantees have cut short is remembered, and asked again when there is more room for it.

#include "allocator/allocator.hpp"
#include "allocator/drf/gatherings.hpp"
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
    // What is known of one of a claim's wishes.
    struct Want {
        std::uint64_t wish = 0;  // its number
        base::Instant waits_since{};
        bool is_possible = true;  // in this cluster, if it were empty
    };
    // A claim as the tree knows it.
    struct Leaf {
        FrameworkSlot framework = 0;
        RoleSlot role = root_role;
        NodeId node = 0;
        Minimums::Id minimum = 0;
        resources::Quantities held;
        base::Instant content_until{};
        // What its own minimum stands for: a task of that size, wherever it fits. Empty where it has said more, or wants nothing.
        std::vector<Wish> implied{};
        std::vector<Want> wants{};                // as wishes_of()
        std::optional<base::Instant> ages_at{};  // when one of them is to be looked at next
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
    void wake_the_content(const Snapshot& snapshot);
    void set_appetite(Leaf& leaf, Appetite appetite);

    // drf.cpp
    template <typename Admit>
    void serve(const Snapshot& snapshot, AgentSlot agent, Admit&& admit, Plan& plan);
    template <typename Admit>
    bool serve_next(const Snapshot& snapshot, AgentSlot agent, NodeId from, Admit&& admit, resources::Resources& left,
                    Plan& plan);
    bool serve_guarantee(const Snapshot& snapshot, AgentSlot agent, resources::Resources& left, Plan& plan);
    bool serve_guarantee_of(const Snapshot& snapshot, RoleSlot role, AgentSlot agent, resources::Resources& left,
                            Plan& plan);
    void serve_freed(const Snapshot& snapshot, Plan& plan);
    bool offer_freed(const Snapshot& snapshot, const Asks::Freed& freed, LeafIndex taker, Plan& plan);
    void serve_released(const Snapshot& snapshot, Plan& plan);
    void serve_eager(const Snapshot& snapshot, std::vector<LeafIndex> eager, const std::set<AgentSlot>& served,
                     Plan& plan);
    std::vector<LeafIndex> eager_leaves(const Snapshot& snapshot, const std::vector<FrameworkSlot>& eager);
    bool is_spent(const Snapshot& snapshot, const Leaf& leaf) const;
    bool is_relieved(const Snapshot& snapshot, RoleSlot role) const;
    bool offer(const Snapshot& snapshot, LeafIndex index, AgentSlot agent, const Limits& ceilings,
               resources::Resources& left, Plan& plan, std::optional<base::Duration> max_task_duration = std::nullopt);
    resources::Resources& left_on(const Snapshot& snapshot, AgentSlot agent);
    static const Claim* claim_of(const Snapshot& snapshot, const Leaf& leaf);
    Limits ceilings(const Snapshot& snapshot, const Leaf& leaf) const;
    Limits limits_of(const Snapshot& snapshot, RoleSlot role) const;
    Ceilings ceilings_above(const Snapshot& snapshot, RoleSlot role) const;
    Limits room_beside_guarantees(const Snapshot& snapshot, RoleSlot role) const;
    void charge(const Snapshot& snapshot, LeafIndex leaf, const OfferLine& line);
    void charge_all(const Snapshot& snapshot, LeafIndex leaf, const Plan& plan, std::size_t first);
    void count_as_given(const Snapshot& snapshot, RoleSlot role, const resources::Quantities& gathered);
    void count_as_left(const Snapshot& snapshot, RoleSlot role, const resources::Quantities& gathered);
    Limits room_within_guarantees(const Snapshot& snapshot, RoleSlot role) const;
    void draw(const Snapshot& snapshot, std::vector<AgentSlot>& agents, std::size_t which);

    // needs.cpp: who has less than it should have, after all that the plan offers.
    std::vector<Need> needs(const Snapshot& snapshot);
    void add_need(const Snapshot& snapshot, Need need, std::vector<Need>& needs) const;
    std::optional<Need::Taker> taker_for(const Snapshot& snapshot, const Need& need, LeafIndex index) const;
    bool may_be_cleared_for(const Snapshot& snapshot, LeafIndex index, const Wish& wish) const;
    // gangs.cpp
    static std::span<const Wish> wishes_of(const Leaf& leaf, const Claim& claim);
    void imply(const Snapshot& snapshot, Leaf& leaf, const Claim& claim);
    void absorb_wishes(const Snapshot& snapshot, LeafIndex index, const Claim& claim);
    void await_ageing(const Snapshot& snapshot, LeafIndex index);
    std::vector<LeafIndex> take_aged(const Snapshot& snapshot);
    void measure_wishes(const Snapshot& snapshot);
    bool is_wanted(const Snapshot& snapshot, Leaf& leaf, const Claim& claim, AgentSlot agent,
                   const resources::Resources& part);
    void review_gatherings(const Snapshot& snapshot, const Changes& changes, Plan& plan);
    void end_gathering(const Snapshot& snapshot, const Gathering& gathering);
    void end_in_vain(const Snapshot& snapshot, const Gathering& gathering);
    void hold_what_is_free(const Snapshot& snapshot, AgentSlot agent);
    Limits room_for(const Snapshot& snapshot, const Gathering& gathering) const;
    void forget_wish(const Snapshot& snapshot, LeafIndex index, std::uint64_t wish);
    static bool is_awaited(const Want& want, const Wish& wish, base::Instant now);
    static const Wish* wish_of(const Snapshot& snapshot, const Leaf& leaf, std::uint64_t number);
    void complete(const Snapshot& snapshot, const Gathering& gathering, const Wish& wish, Plan& plan);
    resources::Quantities weight_of(const Leaf& leaf);
    void weigh(LeafIndex index);
    void weigh_gathered();
    bool gather(const Snapshot& snapshot, LeafIndex index, const Claim& claim, AgentSlot agent,
                const resources::Resources& part, Plan& plan);
    void gather_for_gang(const Snapshot& snapshot, LeafIndex index, const Wish& wish, AgentSlot agent,
                         const resources::Resources& part, bool has_aged);
    void gather_for_large(const Snapshot& snapshot, LeafIndex index, const Wish& wish);
    Gathering* gathering_for(const Snapshot& snapshot, LeafIndex index, const Wish& wish);
    void keep_back(const Snapshot& snapshot, Gathering& gathering, AgentSlot agent, std::uint32_t tasks);
    resources::Resources eligible_part(const Snapshot& snapshot, const Leaf& leaf, const Wish& wish, AgentSlot agent,
                                       const resources::Resources& room) const;
    bool offer_gang(const Snapshot& snapshot, LeafIndex index, const Wish& wish, Plan& plan);
    void gather_what_is_taken(const Snapshot& snapshot);
    void tell_of_gatherings(Plan& plan);

    // short_tasks.cpp
    using Admits = std::function<bool(LeafIndex)>;
    void serve_short(const Snapshot& snapshot, AgentSlot agent, const Admits& admits, Plan& plan);
    void serve_eager_short(const Snapshot& snapshot, const std::vector<LeafIndex>& eager, Plan& plan);
    void offer_short(const Snapshot& snapshot, AgentSlot agent, resources::Resources& room, base::Duration duration,
                     const Admits& admits, Plan& plan);

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
    OpenAgents open_for_short_;                           // where something is kept for short tasks
    std::set<FrameworkSlot> short_aware_;
    Gatherings gatherings_;
    std::set<std::pair<base::Instant, LeafIndex>> ageing_;
    std::uint64_t next_implied_ = 1ULL << 63;             // numbers beyond those that a master gives to wishes
    std::set<std::uint64_t> given_up_;                    // gangs for which room was taken back, and that came to nothing
    resources::Quantities total_;                         // of the cluster, when wishes were last measured by it
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
    std::unordered_map<AgentSlot, resources::Resources> left_;   // for tasks of any length, where something was given
    std::unordered_map<AgentSlot, resources::Resources> left_for_short_;
    std::vector<AgentSlot> released_;                            // where a gathering has ended
    std::vector<LeafIndex> to_weigh_;                            // have gathered, or do not any more
    std::set<std::uint64_t> looked_for_;                         // wishes, on all agents
    std::set<std::uint64_t> offered_gangs_;
};

}  // namespace fairlead::allocator::drf
