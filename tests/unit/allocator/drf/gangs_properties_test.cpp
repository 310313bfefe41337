// Gangs, large tasks and short tasks on random clusters, with everything that may happen to them. The cluster checks each
// line of each plan as the master does, and that no gang is offered in part.

#include "allocator/drf/drf.hpp"
#include "common/base/prng.hpp"
#include "tests/support/allocator_cluster.hpp"

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

namespace fairlead::allocator::drf {
namespace {

using namespace std::chrono_literals;
using tests::AllocatorCluster;

class GangWalk {
  public:
    explicit GangWalk(std::uint64_t seed) : chance_(seed), drf_(seed) {
        const std::size_t agents = 2 + chance_.below(5);
        for (std::size_t i = 0; i < agents; ++i) add_agent();
        const std::size_t frameworks = 2 + chance_.below(5);
        for (std::size_t i = 0; i < frameworks; ++i) {
            const FrameworkSlot slot = cluster_.add_framework(draw_role());
            cluster_.frameworks[slot].short_aware = chance_.below(2) == 0;
        }
        for (const char* role : {"a", "b", "a/x"}) {
            if (chance_.below(3) == 0) cluster_.set_limit(role, {{"cpus", static_cast<std::int64_t>(4 + chance_.below(8))}});
            if (chance_.below(4) == 0) cluster_.set_guarantee(role, "cpus:2;mem:2");
        }
    }

    void step() {
        cluster_.now += std::chrono::seconds(chance_.below(20));
        happen();
        plan();
    }

    // Without anything new everybody's room is free again after a while: no hold outlives its time, and nobody holds twice
    // as long as it rests.
    void settle() {
        for (FrameworkSlot slot = 0; slot < cluster_.frameworks.size(); ++slot) {
            cluster_.claim(slot).wishes.clear();
            cluster_.wake(slot);
        }
        plan();
        RC_ASSERT(cluster_.holds.empty());
        while (!out_.empty()) {
            cluster_.give_back(out_.back());
            out_.pop_back();
        }
        cluster_.refusals.pairs.clear();
        for (FrameworkSlot slot = 0; slot < cluster_.frameworks.size(); ++slot) cluster_.claim(slot).suppressed = true;
        for (FrameworkSlot slot = 0; slot < cluster_.frameworks.size(); ++slot) cluster_.touch(slot);
        plan();
        RC_ASSERT(cluster_.holds.empty());
        cluster_.claim(0).suppressed = false;
        cluster_.frameworks[0].short_aware = true;
        cluster_.wake(0);
        plan();
        bool is_limited = false;
        for (RoleSlot role = cluster_.claim(0).role; role != root_role; role = cluster_.roles.entries()[role].parent)
            is_limited |= !cluster_.roles.entries()[role].limit.empty();
        bool has_guarantees = false;
        for (const RoleEntry& role : cluster_.roles.entries()) has_guarantees |= !role.guarantee.empty();
        if (!is_limited && !has_guarantees)
            for (const AgentEntry& agent : cluster_.agents)
                RC_ASSERT(!agent.offerable || agent.available.empty());  // nothing was left behind
    }

  private:
    void plan() {
        const Plan plan = cluster_.plan(drf_);
        out_.insert(out_.end(), plan.offers.begin(), plan.offers.end());
        RC_ASSERT(!testing::Test::HasFailure());
        std::map<AgentSlot, int> holders;
        for (const HoldLine& hold : cluster_.holds) {
            RC_ASSERT(hold.until > cluster_.now);
            RC_ASSERT(hold.until <= cluster_.now + cluster_.policy.hold_max);
            RC_ASSERT(++holders[hold.agent] == 1);
            RC_ASSERT(cluster_.agents[hold.agent].total.quantities().contains(hold.amount));
            RC_ASSERT(!cluster_.claim(hold.framework).wishes.empty());
        }
        RC_ASSERT(cluster_.holds.empty() || (plan.again_at && *plan.again_at <= cluster_.now + cluster_.policy.hold_max));
        limits_hold();
    }
    void limits_hold() const {
        const auto& roles = cluster_.roles.entries();
        for (const RoleEntry& role : roles)
            if (!role.name.empty()) RC_ASSERT(role.limit.allow(role.chargeable));
    }

    void add_agent() {
        const auto slot = cluster_.add_agent(
            ("cpus:" + std::to_string(1 + chance_.below(6)) + ";mem:" + std::to_string(1 + chance_.below(6))).c_str());
        if (chance_.below(2) == 0) cluster_.keep_for_short_tasks(slot, "cpus:1");
    }
    std::string draw_role() {
        const char* const roles[] = {"a", "b", "c", "a/x"};
        return roles[chance_.below(4)];
    }
    FrameworkSlot draw_framework() { return static_cast<FrameworkSlot>(chance_.below(cluster_.frameworks.size())); }

    void happen() {
        switch (chance_.below(8)) {
            case 0:
            case 1:
            case 2: return end_one(chance_.below(3) == 0);
            case 3: {
                const FrameworkSlot slot = draw_framework();
                cluster_.claim(slot).suppressed = chance_.below(2) == 0;
                std::erase_if(cluster_.refusals.pairs, [&](const auto& pair) { return pair.first == slot; });
                return cluster_.wake(slot);
            }
            case 4: return add_agent();
            case 5: {
                const auto agent = static_cast<AgentSlot>(chance_.below(cluster_.agents.size()));
                return cluster_.set_offerable(agent, !cluster_.agents[agent].offerable);
            }
            default: {
                const FrameworkSlot slot = draw_framework();
                auto& wishes = cluster_.claim(slot).wishes;
                if (wishes.size() >= 3) wishes.erase(wishes.begin());
                const std::string shape =
                    "cpus:" + std::to_string(1 + chance_.below(4)) + ";mem:" + std::to_string(1 + chance_.below(3));
                const bool is_gang = chance_.below(2) == 0;
                cluster_.ask(slot, shape.c_str(), static_cast<std::uint32_t>(1 + chance_.below(5)),
                             is_gang ? "g" + std::to_string(next_gang_++) : "");
            }
        }
    }
    void end_one(bool refuse) {
        if (out_.empty()) return;
        std::swap(out_[chance_.below(out_.size())], out_.back());
        const OfferLine line = out_.back();
        out_.pop_back();
        cluster_.give_back(line);
        if (refuse) cluster_.refusals.pairs.insert({line.framework, line.agent});
    }

    base::Prng chance_;
    AllocatorCluster cluster_;
    Drf drf_;
    std::vector<OfferLine> out_;
    int next_gang_ = 0;
};

}  // namespace

RC_GTEST_PROP(GangProperty, NoGangIsPartialNoHoldIsForEverAndLimitsHold, (std::uint64_t seed)) {
    GangWalk walk(seed);
    for (int i = 0; i < 60; ++i) walk.step();
    walk.settle();
}

}  // namespace fairlead::allocator::drf
