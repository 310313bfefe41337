#include "allocator/drf/share_tree.hpp"

#include "allocator/portion.hpp"
#include "common/resources/resources.hpp"
#include "tests/support/rival_policies.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace fairlead::allocator::drf {
namespace {

using resources::Milli;
using resources::Quantities;
using resources::Resources;
using tests::Fraction;

Quantities amounts(const char* text) { return Resources::parse(text).value().quantities(); }

// Fills a cluster task by task: whoever the tree says is next gets one more, until nobody's task fits.
class Filling {
  public:
    explicit Filling(const char* capacity)
        : tree({ShareTree::Order::fair, 0, ShareTree::Ties::by_age}, 1), left_(amounts(capacity)), total_(left_) {
        tree.set_cluster(total_, {});
    }

    NodeId leaf(const std::string& name, NodeId parent, const char* demand) {
        const NodeId id = tree.add_leaf(parent);
        demands_[id] = amounts(demand);
        leaves[name] = id;
        tree.set_appetite(id, Appetite::hungry);
        return id;
    }
    // Returns the names in the order in which they were served.
    std::string run(std::size_t steps = 1'000'000) {
        std::string order;
        for (std::size_t i = 0; i < steps; ++i) {
            NodeId next = 0;
            if (!tree.first_of(ShareTree::root, [&](NodeId leaf) { return next = leaf, true; })) break;
            if (!left_.contains(demands_[next])) {
                tree.set_appetite(next, Appetite::none);
                continue;
            }
            left_.subtract(demands_[next]);
            held_[next].add(demands_[next]);
            tree.serve(next, held_[next]);
            for (const auto& [name, id] : leaves)
                if (id == next) order += name;
            std::vector<std::string> saturated;
            total_.for_each([&](std::string_view name, Milli) {
                if (left_.of(name).is_zero()) saturated.emplace_back(name);
            });
            tree.set_cluster(total_, saturated);
        }
        return order;
    }
    double held(const std::string& name, std::string_view scalar) { return held_[leaves.at(name)].of(scalar).to_double(); }

    ShareTree tree;
    std::map<std::string, NodeId> leaves;

  private:
    std::map<NodeId, Quantities> demands_;
    std::map<NodeId, Quantities> held_;
    Quantities left_;
    Quantities total_;
};

}  // namespace

TEST(ShareTree, V1ServesInTheOrderOfThePaper) {
    Filling filling("cpus:9;mem:18");
    filling.leaf("B", ShareTree::root, "cpus:3;mem:1");
    filling.leaf("A", ShareTree::root, "cpus:1;mem:4");
    const std::vector<std::pair<double, double>> shares_after{
        {0, 1.0 / 3}, {2.0 / 9, 1.0 / 3}, {4.0 / 9, 1.0 / 3}, {4.0 / 9, 2.0 / 3}, {2.0 / 3, 2.0 / 3}};
    std::string order;
    for (const auto& [a, b] : shares_after) {
        order += filling.run(1);
        EXPECT_DOUBLE_EQ(filling.tree.share(filling.leaves["A"]), a) << order;
        EXPECT_DOUBLE_EQ(filling.tree.share(filling.leaves["B"]), b) << order;
    }
    EXPECT_EQ(order, "BAABA");
    EXPECT_EQ(filling.run(), "") << "nothing more fits";
    EXPECT_EQ(filling.held("A", "mem"), 12);
    EXPECT_EQ(filling.held("B", "cpus"), 6);
}

TEST(ShareTree, V2AndV3WeightsScaleShares) {
    for (const auto& [weight_a, weight_b, tasks_a, tasks_b] :
         {std::tuple{2.0, 1.0, 4.0, 1.0}, std::tuple{1.0, 2.0, 3.0, 2.0}}) {
        Filling filling("cpus:9;mem:18");
        const NodeId a = filling.tree.add_group(ShareTree::root, weight_a);
        const NodeId b = filling.tree.add_group(ShareTree::root, weight_b);
        filling.leaf("A", a, "cpus:1;mem:4");
        filling.leaf("B", b, "cpus:3;mem:1");
        filling.run();
        EXPECT_EQ(filling.held("A", "cpus"), tasks_a) << weight_a;
        EXPECT_EQ(filling.held("B", "cpus") / 3, tasks_b) << weight_a;
    }
}

// Divisible tasks: of a cluster that is so many times larger the exact fractions are whole tasks, and filling it passes
// through every point at which all shares are equal.
TEST(ShareTree, V2AndV3DivisibleTasks) {
    struct Vector {
        double weight_a, weight_b;
        const char* capacity;  // <9 CPU, 18 GB> times the denominator
        double tasks_a, tasks_b;
    };
    // 54/13 and 18/13; 9/5 and 12/5.
    for (const auto& [weight_a, weight_b, capacity, tasks_a, tasks_b] :
         {Vector{2, 1, "cpus:117;mem:234", 54, 18}, Vector{1, 2, "cpus:45;mem:90", 9, 12}}) {
        Filling filling(capacity);
        const NodeId a = filling.tree.add_group(ShareTree::root, weight_a);
        const NodeId b = filling.tree.add_group(ShareTree::root, weight_b);
        filling.leaf("A", a, "cpus:1;mem:4");
        filling.leaf("B", b, "cpus:3;mem:1");
        filling.run();
        EXPECT_EQ(filling.held("A", "cpus"), tasks_a) << capacity;
        EXPECT_EQ(filling.held("B", "mem"), tasks_b) << capacity;
    }
}

TEST(ShareTree, V4WhoNeedsOnlyWhatIsLeftGoesOn) {
    Filling filling("cpus:10;mem:20");
    filling.leaf("1", ShareTree::root, "cpus:1");
    filling.leaf("2", ShareTree::root, "mem:1");
    filling.leaf("3", ShareTree::root, "cpus:1;mem:1");
    filling.run();
    EXPECT_EQ(filling.held("1", "cpus"), 5);
    EXPECT_EQ(filling.held("2", "mem"), 15);
    EXPECT_EQ(filling.held("3", "cpus"), 5);
}

// 4/3 each of <4, 4>, 2 and 1 of <8, 4>; three times as much of everything.
TEST(ShareTree, V5MoreCapacityMayCostSomebody) {
    for (const auto& [capacity, tasks_a, tasks_b] :
         {std::tuple{"cpus:12;mem:12", 4, 4}, std::tuple{"cpus:24;mem:12", 6, 3}}) {
        Filling filling(capacity);
        filling.leaf("A", ShareTree::root, "cpus:2;mem:1");
        filling.leaf("B", ShareTree::root, "cpus:1;mem:2");
        filling.run();
        EXPECT_EQ(filling.held("A", "mem"), tasks_a) << capacity;
        EXPECT_EQ(filling.held("B", "cpus"), tasks_b) << capacity;
    }
}

// 35/2 each, of twice as much.
TEST(ShareTree, V6NobodyHasLessThanItsHalf) {
    Filling filling("cpus:140;mem:140");
    filling.leaf("1", ShareTree::root, "cpus:2;mem:2");
    filling.leaf("2", ShareTree::root, "cpus:1;mem:2");
    filling.run();
    EXPECT_EQ(filling.held("1", "mem") / 2, 35);
    EXPECT_EQ(filling.held("2", "mem") / 2, 35);
}

TEST(ShareTree, V6AssetFairnessLeavesSomebodyLessThanItsHalf) {
    const auto tasks = tests::asset_fair({70, 70}, {{2, 2}, {1, 2}});
    EXPECT_EQ(tasks, (std::vector<Fraction>{15, 20}));
    EXPECT_LT(tasks[0] * 2 / 70, Fraction(1, 2)) << "of either scalar";
}

// 25/6 and 100/3, of six times as much.
TEST(ShareTree, V7ALieAboutTheDemandGainsNothing) {
    for (const bool lies : {false, true}) {
        Filling filling("cpus:600;mem:600");
        filling.leaf("1", ShareTree::root, lies ? "cpus:16;mem:8" : "cpus:16;mem:1");
        filling.leaf("2", ShareTree::root, "cpus:1;mem:2");
        filling.run();
        EXPECT_EQ(filling.held("1", "cpus") / 16, 25) << lies;
        EXPECT_EQ(filling.held("2", "cpus"), 200) << lies;
    }
}

TEST(ShareTree, V7ACompetitiveEquilibriumRewardsTheLie) {
    using Tasks = std::pair<Fraction, Fraction>;
    EXPECT_EQ(tests::competitive_equilibrium({100, 100}, {16, 1}, {1, 2}), Tasks(Fraction(100, 31), Fraction(1500, 31)));
    EXPECT_EQ(tests::competitive_equilibrium({100, 100}, {16, 8}, {1, 2}), Tasks(Fraction(25, 6), Fraction(100, 3)));
}

TEST(ShareTree, V7bTheRivalsOnTheFirstVector) {
    EXPECT_EQ(tests::competitive_equilibrium({9, 18}, {1, 4}, {3, 1}), std::pair(Fraction(45, 11), Fraction(18, 11)));
    EXPECT_EQ(tests::asset_fair({9, 18}, {{1, 4}, {3, 1}}), (std::vector{Fraction(252, 100), Fraction(216, 100)}));
}

// 12/5, 12/5 and 24/5; 4 and 4 without the third. Of five times as much.
TEST(ShareTree, V8WhoLeavesMakesRoomForAll) {
    for (const bool third : {true, false}) {
        Filling filling("cpus:60;mem:60");
        filling.leaf("1", ShareTree::root, "cpus:1;mem:2");
        filling.leaf("2", ShareTree::root, "cpus:2;mem:1");
        if (third) filling.leaf("3", ShareTree::root, "cpus:1;mem:1");
        filling.run();
        EXPECT_EQ(filling.held("1", "cpus"), third ? 12 : 20);
        EXPECT_EQ(filling.held("2", "mem"), third ? 12 : 20);
        if (third) {
            EXPECT_EQ(filling.held("3", "mem"), 24);
        }
    }
}

// 200/9, 200/9 and 100/9, of nine times as much.
TEST(ShareTree, V9ThreeScalars) {
    Filling filling("cpus:900;mem:3600;disk:9000");
    filling.leaf("1", ShareTree::root, "cpus:1;mem:8;disk:5");
    filling.leaf("2", ShareTree::root, "cpus:2;mem:2;disk:20");
    filling.leaf("3", ShareTree::root, "cpus:1;mem:4;disk:40");
    filling.run();
    EXPECT_EQ(filling.held("1", "cpus"), 200);
    EXPECT_EQ(filling.held("2", "cpus") / 2, 200);
    EXPECT_EQ(filling.held("3", "cpus"), 100);
}

TEST(ShareTree, V9WholeTasksWithTiesByAge) {
    Filling filling("cpus:100;mem:400;disk:1000");
    filling.leaf("1", ShareTree::root, "cpus:1;mem:8;disk:5");
    filling.leaf("2", ShareTree::root, "cpus:2;mem:2;disk:20");
    filling.leaf("3", ShareTree::root, "cpus:1;mem:4;disk:40");
    filling.run();
    EXPECT_EQ(filling.held("1", "cpus"), 24);
    EXPECT_EQ(filling.held("2", "cpus") / 2, 22);
    EXPECT_EQ(filling.held("3", "cpus"), 11);
}

// Fairness within each server by itself, which wastes what suits nobody there: six tasks each, where the whole cluster has
// room for ten of each (Drf.V10...). In tenths of a cpu and of a GB.
TEST(ShareTree, V10FairnessWithinEachServerGivesSixEach) {
    double tasks[2] = {};
    for (const char* server : {"cpus:20;mem:120", "cpus:120;mem:20"}) {
        Filling filling(server);
        filling.leaf("1", ShareTree::root, "cpus:2;mem:10");
        filling.leaf("2", ShareTree::root, "cpus:10;mem:2");
        filling.run();
        tasks[0] += filling.held("1", "cpus") / 2;
        tasks[1] += filling.held("2", "cpus") / 10;
    }
    EXPECT_EQ(tasks[0], 6);
    EXPECT_EQ(tasks[1], 6);
}

// The order of global shares, each task on the server that suits it best: ten each, both at five sevenths of the cluster.
TEST(ShareTree, V10GlobalSharesGiveTenEachWhereTasksGoWhereTheySuit) {
    const std::vector capacities{amounts("cpus:2;mem:12"), amounts("cpus:12;mem:2")};
    auto left = capacities;
    ShareTree tree({ShareTree::Order::fair, 0, ShareTree::Ties::by_age}, 1);
    tree.set_cluster(amounts("cpus:14;mem:14"), {});
    std::map<NodeId, Quantities> tasks, held;
    for (const char* task : {"cpus:0.2;mem:1", "cpus:1;mem:0.2"}) {
        const NodeId leaf = tree.add_leaf(ShareTree::root);
        tasks[leaf] = amounts(task);
        tree.set_appetite(leaf, Appetite::hungry);
    }
    for (;;) {
        NodeId next = 0;
        if (!tree.first_of(ShareTree::root, [&](NodeId leaf) { return next = leaf, true; })) break;
        std::optional<std::size_t> best;
        const auto suits = [&](std::size_t server) {
            return alignment(tasks[next], left[server], capacities[server]) -
                   stranded(tasks[next], left[server], capacities[server]);
        };
        for (std::size_t server = 0; server < left.size(); ++server)
            if (left[server].contains(tasks[next]) && (!best || suits(server) > suits(*best))) best = server;
        if (!best) {
            tree.set_appetite(next, Appetite::none);
            continue;
        }
        left[*best].subtract(tasks[next]);
        held[next].add(tasks[next]);
        tree.serve(next, held[next]);
    }
    for (const auto& [leaf, task] : tasks) {
        EXPECT_EQ(held[leaf].of(leaf == tasks.begin()->first ? "mem" : "cpus"), Milli::units(10));
        EXPECT_DOUBLE_EQ(tree.share(leaf), 5.0 / 7);
    }
}

TEST(ShareTree, V11SiblingsWithDifferentScalarsDoNotStarveEachOther) {
    Filling filling("cpus:10;gpus:10");
    filling.leaf("1", ShareTree::root, "gpus:1");
    const NodeId group = filling.tree.add_group(ShareTree::root, 1);
    filling.leaf("21", group, "cpus:1");
    filling.leaf("22", group, "gpus:1");
    filling.run();
    EXPECT_EQ(filling.held("1", "gpus"), 5);
    EXPECT_EQ(filling.held("21", "cpus"), 10);
    EXPECT_EQ(filling.held("22", "gpus"), 5);
}

TEST(ShareTree, V12WhoCannotGrowIsNotScaledDown) {
    Filling filling("cpus:12;gpus:12");
    filling.leaf("1", ShareTree::root, "cpus:1");
    filling.leaf("2", ShareTree::root, "cpus:1");
    const NodeId group = filling.tree.add_group(ShareTree::root, 1);
    filling.leaf("31", group, "cpus:1");
    filling.leaf("32", group, "gpus:1");
    filling.leaf("4", ShareTree::root, "gpus:1");
    filling.run();
    for (const char* name : {"1", "2", "31"}) EXPECT_EQ(filling.held(name, "cpus"), 4) << name;
    EXPECT_EQ(filling.held("32", "gpus"), 6);
    EXPECT_EQ(filling.held("4", "gpus"), 6);
}

// The same vector under the rule that the paper warns of: all children are rescaled, the blocked too, and what is used up
// counts. It must come out differently, or V12 proves nothing.
TEST(ShareTree, V12TheNaiveRuleGivesTwoThirdsAndOne) {
    double n31 = 0, n32 = 0, n4 = 0, others = 0;
    double cpus = 12, gpus = 12;
    const auto share_of_group = [&] {
        if (n31 == 0 || n32 == 0) return std::max(n31, n32) / 12;
        return std::min(n31, n32) / 12;
    };
    for (;;) {
        const bool cpu_left = cpus >= 1, gpu_left = gpus >= 1;
        if (!cpu_left && !gpu_left) break;
        const double infinity = 1e9;
        const double of_others = cpu_left ? others / 2 / 12 : infinity;
        const double of_group = cpu_left || gpu_left ? share_of_group() : infinity;
        const double of_4 = gpu_left ? n4 / 12 : infinity;
        if (of_others <= of_group && of_others <= of_4) {
            others += 1, cpus -= 1;
        } else if (of_group <= of_4) {
            if (cpu_left && (n31 <= n32 || !gpu_left))
                n31 += 1, cpus -= 1;
            else if (gpu_left)
                n32 += 1, gpus -= 1;
        } else {
            n4 += 1, gpus -= 1;
        }
    }
    EXPECT_EQ(n32, 8);
    EXPECT_EQ(n4, 4);
}

TEST(ShareTree, V16RestatedScenariosOfASorter) {
    ShareTree tree({ShareTree::Order::fair, 0}, 1);
    std::map<std::string, NodeId> leaves;
    const auto add = [&](const char* name, const char* held) {
        leaves[name] = tree.add_leaf(ShareTree::root);
        tree.set_appetite(leaves[name], Appetite::hungry);
        tree.set_held(leaves[name], amounts(held));
    };
    const auto order = [&] {
        std::string names;
        tree.first_of(ShareTree::root, [&](NodeId leaf) {
            for (const auto& [name, id] : leaves)
                if (id == leaf) names += name;
            return false;
        });
        return names;
    };
    tree.set_cluster(amounts("cpus:100;mem:100"), {});
    add("a", "cpus:5;mem:5");
    add("b", "cpus:6;mem:6");
    add("c", "cpus:1;mem:1");
    add("d", "cpus:3;mem:1");
    EXPECT_EQ(order(), "cdab");
    tree.remove(leaves["a"]);
    leaves.erase("a");
    tree.set_held(leaves["b"], amounts("cpus:2;mem:2"));
    EXPECT_EQ(order(), "cbd");
    tree.set_cluster(amounts("cpus:50;mem:100"), {});
    add("e", "cpus:1;mem:5");
    EXPECT_EQ(order(), "cbed");
    tree.set_cluster(amounts("cpus:50;mem:200"), {});
    add("f", "cpus:5;mem:1");
    tree.set_held(leaves["c"], amounts("cpus:1;mem:16"));
    tree.remove(leaves["b"]);
    leaves.erase("b");
    EXPECT_EQ(order(), "edcf");
}

TEST(ShareTree, V16WeightsDivide) {
    ShareTree tree({ShareTree::Order::fair, 0}, 1);
    tree.set_cluster(amounts("cpus:100;mem:100"), {});
    std::map<NodeId, char> names;
    const auto add = [&](char name, double weight, const char* held) {
        const NodeId leaf = tree.add_leaf(tree.add_group(ShareTree::root, weight));
        tree.set_appetite(leaf, Appetite::hungry);
        tree.set_held(leaf, amounts(held));
        names[leaf] = name;
    };
    add('b', 2, "cpus:6;mem:6");
    add('d', 10, "cpus:10;mem:20");
    add('e', 0.1, "cpus:1;mem:1");
    std::string order;
    tree.first_of(ShareTree::root, [&](NodeId leaf) { return order += names[leaf], false; });
    EXPECT_EQ(order, "dbe");
}

TEST(ShareTree, V16ALotteryFavoursByWeight) {
    int first[5] = {};
    constexpr int draws = 20'000;
    for (int seed = 0; seed < draws; ++seed) {
        ShareTree tree({ShareTree::Order::lottery, 0}, static_cast<std::uint64_t>(seed));
        std::map<NodeId, int> index;
        for (int i = 0; i < 5; ++i) {
            const NodeId leaf = tree.add_leaf(tree.add_group(ShareTree::root, i + 1));
            index[leaf] = i;
            tree.set_appetite(leaf, Appetite::hungry);
        }
        tree.first_of(ShareTree::root, [&](NodeId leaf) { return ++first[index[leaf]], true; });
    }
    for (int i = 0; i < 5; ++i) EXPECT_NEAR(first[i] / double(draws), (i + 1) / 15.0, 0.015) << i;
}

TEST(ShareTree, ALotteryServesInProportionToTheWeightsOverTime) {
    ShareTree tree({ShareTree::Order::lottery, 0}, 7);
    std::map<NodeId, int> served;
    NodeId leaves[3];
    for (int i = 0; i < 3; ++i) {
        leaves[i] = tree.add_leaf(tree.add_group(ShareTree::root, i + 1));
        tree.set_appetite(leaves[i], Appetite::hungry);
    }
    for (int i = 0; i < 60'000; ++i) {
        NodeId next = 0;
        tree.first_of(ShareTree::root, [&](NodeId leaf) { return next = leaf, true; });
        ++served[next];
        tree.serve(next, {});
    }
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(served[leaves[i]] / 60'000.0, (i + 1) / 6.0, 0.02);
}

TEST(ShareTree, SharesInOneBandAreDecidedByLot) {
    std::map<NodeId, int> first;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        ShareTree tree({ShareTree::Order::fair, 0.01}, seed);
        tree.set_cluster(amounts("cpus:10000"), {});
        for (const char* held : {"cpus:101", "cpus:150"}) {
            const NodeId leaf = tree.add_leaf(ShareTree::root);
            tree.set_appetite(leaf, Appetite::hungry);
            tree.set_held(leaf, amounts(held));
        }
        tree.first_of(ShareTree::root, [&](NodeId leaf) { return ++first[leaf], true; });
    }
    EXPECT_EQ(first.size(), 2u);
    for (const auto& [leaf, times] : first) EXPECT_GT(times, 60);
}

TEST(ShareTree, TheContentComeAfterTheHungryWhateverTheyHold) {
    ShareTree tree({}, 1);
    tree.set_cluster(amounts("cpus:10"), {});
    const NodeId rich = tree.add_leaf(ShareTree::root);
    const NodeId poor = tree.add_leaf(ShareTree::root);
    tree.set_held(rich, amounts("cpus:9"));
    tree.set_appetite(rich, Appetite::hungry);
    tree.set_appetite(poor, Appetite::content);
    std::vector<NodeId> order;
    tree.first_of(ShareTree::root, [&](NodeId leaf) { return order.push_back(leaf), false; });
    EXPECT_EQ(order, (std::vector{rich, poor}));
    EXPECT_TRUE(tree.precedes(rich, poor));
}

// What is kept step by step is what a tree that is made at once would have.
TEST(ShareTree, SharesAreThoseOfATreeMadeAnew) {
    base::Prng prng(11);
    ShareTree kept({ShareTree::Order::fair, 0}, 1);
    kept.set_cluster(amounts("cpus:1000;mem:5000;gpus:10"), {"gpus"});
    struct Group {
        NodeId id;
        double weight;
        std::vector<std::pair<NodeId, Quantities>> leaves;
        std::vector<Appetite> appetites;
    };
    std::vector<Group> groups;
    for (int i = 0; i < 6; ++i) groups.push_back({kept.add_group(ShareTree::root, 1 + i * 0.5), 1 + i * 0.5, {}, {}});
    for (int step = 0; step < 20'000; ++step) {
        Group& group = groups[prng.below(groups.size())];
        if (group.leaves.size() < 8 && prng.chance(0.05)) {
            group.leaves.emplace_back(kept.add_leaf(group.id), Quantities{});
            group.appetites.push_back(Appetite::none);
        } else if (!group.leaves.empty()) {
            const auto which = prng.below(group.leaves.size());
            auto& [leaf, held] = group.leaves[which];
            if (prng.chance(0.3)) {
                group.appetites[which] = static_cast<Appetite>(prng.below(3));
                kept.set_appetite(leaf, group.appetites[which]);
            } else {
                held = {};
                held.add("cpus", Milli(static_cast<std::int64_t>(prng.below(1000))));
                if (prng.chance(0.5)) held.add("mem", Milli(static_cast<std::int64_t>(prng.below(10'000))));
                if (prng.chance(0.1)) held.add("gpus", Milli::units(1));
                kept.set_held(leaf, held);
            }
        }
    }
    ShareTree anew({ShareTree::Order::fair, 0}, 2);
    anew.set_cluster(amounts("cpus:1000;mem:5000;gpus:10"), {"gpus"});
    for (const Group& group : groups) {
        const NodeId id = anew.add_group(ShareTree::root, group.weight);
        for (std::size_t i = 0; i < group.leaves.size(); ++i) {
            const NodeId leaf = anew.add_leaf(id);
            anew.set_held(leaf, group.leaves[i].second);
            anew.set_appetite(leaf, group.appetites[i]);
            EXPECT_DOUBLE_EQ(anew.share(leaf), kept.share(group.leaves[i].first));
        }
        EXPECT_NEAR(anew.share(id), kept.share(group.id), 1e-9);
    }
}

}  // namespace fairlead::allocator::drf
