// What the built-in modules promise, on random clusters. How many is rapidcheck's word: RC_PARAMS=max_success=N; with a
// hundred thousand, `ctest -L slow -R allocator_properties_at_length`.

#include "allocator/drf/drf.hpp"
#include "allocator/modules.hpp"
#include "common/base/prng.hpp"
#include "tests/support/allocator_cluster.hpp"

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

namespace fairlead::allocator::drf {
namespace {

using resources::Milli;
using resources::Quantities;
using resources::Resources;
using tests::AllocatorCluster;

// --- fairness: one agent, users with tasks of one size each, everybody always hungry ---

struct Task {
    std::int64_t cpus = 0, mem = 0;
    Resources resources() const { return Resources::scalars(Milli::units(cpus), Milli::units(mem)); }
};

struct Market {
    std::int64_t cpus = 0, mem = 0;
    std::vector<Task> tasks;  // what one task of each user needs
    std::uint64_t seed = 0;

    double share_of(const Task& task) const {
        return std::max(double(task.cpus) / double(cpus), double(task.mem) / double(mem));
    }
    // Tasks are not divisible, so everybody may be one task ahead of everybody else, and shares in one band are equal.
    double tolerance() const {
        double sum = 2.0 / 512;
        for (const Task& task : tasks) sum += share_of(task);
        return sum;
    }
};

Task draw_task() {
    Task task;
    task.cpus = *rc::gen::inRange<std::int64_t>(0, 4);
    task.mem = *rc::gen::inRange<std::int64_t>(task.cpus == 0 ? 1 : 0, 4);
    return task;
}

Market draw_market() {
    Market market;
    market.cpus = *rc::gen::inRange<std::int64_t>(300, 900);
    market.mem = *rc::gen::inRange<std::int64_t>(300, 900);
    const int users = *rc::gen::inRange(2, 6);
    for (int i = 0; i < users; ++i) market.tasks.push_back(draw_task());
    market.seed = *rc::gen::arbitrary<std::uint64_t>();
    return market;
}

struct Outcome {
    std::vector<std::int64_t> launched;
    Quantities left;
};

// Each takes one task of what it is offered and hands back the rest, until nobody's task fits.
Outcome run(const Market& market) {
    AllocatorCluster cluster;
    cluster.add_agent(Resources::scalars(Milli::units(market.cpus), Milli::units(market.mem)));
    for (std::size_t i = 0; i < market.tasks.size(); ++i) cluster.add_framework("user" + std::to_string(i));
    Drf drf(market.seed);
    Outcome outcome{std::vector<std::int64_t>(market.tasks.size()), {}};
    for (;;) {
        const Plan plan = cluster.plan(drf);
        if (plan.offers.empty()) break;
        for (const OfferLine& line : plan.offers) {
            cluster.give_back(line);
            const Resources task = market.tasks[line.framework].resources();
            if (cluster.agents[line.agent].available.contains(task)) {
                cluster.hold(line.framework, line.agent, task);
                ++outcome.launched[line.framework];
            } else {
                cluster.refusals.pairs.insert({line.framework, line.agent});
            }
        }
    }
    outcome.left = cluster.agents[0].available.quantities();
    return outcome;
}

// How many tasks of this size fit into so much.
double fits(const Task& task, double cpus, double mem) {
    double times = 1e9;
    if (task.cpus > 0) times = std::min(times, cpus / double(task.cpus));
    if (task.mem > 0) times = std::min(times, mem / double(task.mem));
    return times;
}

// --- plans: any cluster, anything happens ---

class Walk {
  public:
    Walk(std::uint64_t seed, std::string_view module)
        : chance_(seed), module_(choose_module(module).value().make(seed)) {
        const std::size_t agents = 1 + chance_.below(5);
        for (std::size_t i = 0; i < agents; ++i) cluster_.add_agent(draw_agent().c_str());
        const std::size_t frameworks = 1 + chance_.below(6);
        for (std::size_t i = 0; i < frameworks; ++i) {
            const FrameworkSlot slot = cluster_.add_framework(draw_role());
            if (chance_.below(2) == 0) cluster_.claim(slot).min_allocatable = {AllocatorCluster::amounts("cpus:0.5")};
        }
        for (const char* role : {"a", "b", "c", "a/x"}) set_orders(role);
    }

    void happen() {
        switch (chance_.below(6)) {
            case 0:
            case 1: return end_one(false);
            case 2: return end_one(true);
            case 3: {
                const FrameworkSlot slot = draw_framework();
                cluster_.claim(slot).suppressed = true;
                return cluster_.touch(slot);
            }
            case 4: {
                const FrameworkSlot slot = draw_framework();
                cluster_.claim(slot).suppressed = false;
                std::erase_if(cluster_.refusals.pairs, [&](const auto& pair) { return pair.first == slot; });
                return cluster_.wake(slot);
            }
            case 5: {
                cluster_.add_agent(draw_agent().c_str());
                return;
            }
        }
    }

    // Takes the next plan; every line of it is checked as the master does, limits among them.
    void plan() {
        const Plan plan = cluster_.plan(*module_);
        out_.insert(out_.end(), plan.offers.begin(), plan.offers.end());
        RC_ASSERT(!testing::Test::HasFailure());
    }

    // What is free is enough for all that roles lack of their guarantees, a parent's and its children's being the same where
    // they overlap.
    bool guarantees_are_covered() const { return cluster_.free.contains(lacking(root_role)); }

    // What a module finds to offer that sees everything for the first time.
    std::string overlooked() const {
        Drf fresh(1);
        Changes all;
        all.everything = true;
        const auto& c = cluster_;
        const Plan plan = fresh.plan({c.now, c.agents, c.frameworks, c.roles.entries(), c.total, c.free, c.refusals,
                                      c.constraints, c.tasks, c.offers, c.policy},
                                     all);
        std::string lines;
        for (const OfferLine& line : plan.offers)
            lines += line.resources.to_string() + " of agent " + std::to_string(line.agent) + " to framework " +
                     std::to_string(line.framework) + " of " + c.roles.entries()[line.role].name.value() + "\n";
        return lines;
    }

  private:
    std::string draw_agent() {
        std::string text = "cpus:" + std::to_string(1 + chance_.below(8)) + ";mem:" + std::to_string(1 + chance_.below(64));
        if (chance_.below(3) == 0) text += ";cpus(" + draw_role() + "):" + std::to_string(1 + chance_.below(4));
        if (chance_.below(3) == 0) text += ";ports:[31000-31010]";
        return text;
    }
    std::string draw_role() {
        const char* const roles[] = {"a", "b", "c", "a/x", "a/x/y", "d"};
        return roles[chance_.below(6)];
    }
    void set_orders(const std::string& role) {
        const auto some = [&] { return std::to_string(1 + chance_.below(6)); };
        if (chance_.below(3) == 0) cluster_.set_guarantee(role, ("cpus:" + some() + ";mem:" + some()).c_str());
        if (chance_.below(3) == 0)
            cluster_.set_limit(role, {{"cpus", static_cast<std::int64_t>(6 + chance_.below(8))}});
        if (chance_.below(3) == 0) cluster_.set_weight(role, static_cast<double>(1 + chance_.below(4)));
    }
    FrameworkSlot draw_framework() { return static_cast<FrameworkSlot>(chance_.below(cluster_.frameworks.size())); }

    // Part of an offer becomes free again: its task ended, or it was declined and is not wanted again.
    void end_one(bool refuse) {
        if (out_.empty()) return;
        std::swap(out_[chance_.below(out_.size())], out_.back());
        const OfferLine line = out_.back();
        out_.pop_back();
        cluster_.give_back(line);
        if (refuse) cluster_.refusals.pairs.insert({line.framework, line.agent});
    }

    Quantities lacking(RoleSlot above) const {
        const auto& roles = cluster_.roles.entries();
        Quantities sum;
        for (RoleSlot slot = 1; slot < roles.size(); ++slot)
            if (!roles[slot].name.empty() && roles[slot].parent == above)
                sum.add(larger(without(roles[slot].guarantee, roles[slot].chargeable), lacking(slot)));
        return sum;
    }

    base::Prng chance_;
    AllocatorCluster cluster_;
    std::unique_ptr<Module> module_;
    std::vector<OfferLine> out_;
};

}  // namespace

RC_GTEST_PROP(DrfProperty, NobodyWouldBeBetterOffWithAnEqualPartOfTheCluster, ()) {
    const Market market = draw_market();
    const Outcome outcome = run(market);
    const auto users = double(market.tasks.size());
    for (std::size_t i = 0; i < market.tasks.size(); ++i) {
        const double alone = fits(market.tasks[i], double(market.cpus) / users, double(market.mem) / users);
        const double share = market.share_of(market.tasks[i]);
        RC_ASSERT(double(outcome.launched[i]) * share + market.tolerance() >= alone * share);
    }
}

RC_GTEST_PROP(DrfProperty, NobodyWouldRatherHaveWhatAnotherHas, ()) {
    const Market market = draw_market();
    const Outcome outcome = run(market);
    for (std::size_t i = 0; i < market.tasks.size(); ++i)
        for (std::size_t j = 0; j < market.tasks.size(); ++j) {
            const auto its = double(outcome.launched[j]);
            const double envied = fits(market.tasks[i], its * double(market.tasks[j].cpus), its * double(market.tasks[j].mem));
            const double share = market.share_of(market.tasks[i]);
            RC_ASSERT(double(outcome.launched[i]) * share + market.tolerance() >= envied * share);
        }
}

RC_GTEST_PROP(DrfProperty, NobodyGainsByAskingForWhatItDoesNotNeed, ()) {
    const Market honest = draw_market();
    Market lying = honest;
    lying.tasks[0] = draw_task();
    const auto with_truth = double(run(honest).launched[0]);
    const auto with_lie = double(run(lying).launched[0]);
    const double useful = fits(honest.tasks[0], with_lie * double(lying.tasks[0].cpus), with_lie * double(lying.tasks[0].mem));
    const double share = honest.share_of(honest.tasks[0]);
    RC_ASSERT(with_truth * share + honest.tolerance() + lying.tolerance() >= useful * share);
}

RC_GTEST_PROP(DrfProperty, NothingIsLeftThatSomebodyCouldUse, ()) {
    const Market market = draw_market();
    const Outcome outcome = run(market);
    for (const Task& task : market.tasks) RC_ASSERT(!outcome.left.contains(task.resources().quantities()));
}

RC_GTEST_PROP(DrfProperty, PlansHoldAndOverlookNothingWhateverHappens, (std::uint64_t seed)) {
    Walk walk(seed, seed % 4 == 0 ? "lottery" : "drf");
    for (int i = 0; i < 30; ++i) {
        walk.happen();
        const bool was_covered = walk.guarantees_are_covered();
        walk.plan();
        if (was_covered) RC_ASSERT(walk.guarantees_are_covered());
        RC_ASSERT(walk.overlooked() == "");
    }
}

RC_GTEST_PROP(PriorityProperty, PlansHoldWhateverHappens, (std::uint64_t seed)) {
    Walk walk(seed, "priority");
    for (int i = 0; i < 30; ++i) {
        walk.happen();
        walk.plan();
    }
}

RC_GTEST_PROP(PartitionProperty, PlansHoldWhateverHappens, (std::uint64_t seed)) {
    Walk walk(seed, "partition");
    for (int i = 0; i < 30; ++i) {
        walk.happen();
        walk.plan();
    }
}

}  // namespace fairlead::allocator::drf
