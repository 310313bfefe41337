// That the copy answers as the original is held by the random walks of the master's core, with the core's own tables.

#include "allocator/kept_snapshot.hpp"

#include "tests/support/allocator_cluster.hpp"

namespace fairlead::allocator {
namespace {

using tests::AllocatorCluster;

// A cluster in which F0 has a task on each of two agents and an offer of the first, when something has changed.
class NotedChangesTest : public testing::Test {
  protected:
    NotedChangesTest() {
        for (int i = 0; i < 2; ++i) cluster.add_agent("cpus:4");
        cluster.add_framework("a");
        for (const char* id : {"t0", "t1"}) {
            TaskEntry task;
            task.id = base::TaskId(id);
            task.agent = static_cast<AgentSlot>(cluster.tasks.all.size());
            task.resources = &some;
            cluster.tasks.all.push_back(task);
        }
        cluster.offers.all.push_back({0, 1, 0, &some, {}});
    }
    Snapshot present() const {
        return {cluster.now, cluster.agents, cluster.frameworks, cluster.roles.entries(), cluster.total, cluster.free,
                cluster.refusals, cluster.constraints, cluster.tasks, cluster.offers, cluster.policy};
    }
    void change(const Changes& changes) { noted.add(present(), changes); }
    Plan marked(Plan plan) {
        noted.mark_overtaken(plan, present());
        return plan;
    }

    resources::Resources some = AllocatorCluster::parsed("cpus:1");
    AllocatorCluster cluster;
    NotedChanges noted;
};

Changes of_agent(AgentSlot slot) {
    Changes changes;
    changes.agents = {slot};
    return changes;
}

}  // namespace

TEST_F(NotedChangesTest, AreEachNamedOnce) {
    change(of_agent(1));
    change(of_agent(1));
    change(of_agent(0));
    EXPECT_EQ(noted.take().changes.agents, (std::vector<AgentSlot>{1, 0}));
    EXPECT_TRUE(noted.take().changes.agents.empty());
}

TEST_F(NotedChangesTest, MarkOffersOfWhatHasChangedAndTheirWholeGang) {
    change(of_agent(1));
    Plan plan;
    plan.offers = {{0, 1, 0, some}, {0, 1, 1, some}, {0, 1, 0, some, {}, "g"}, {0, 1, 1, some, {}, "g"}};
    const auto offers = marked(plan).offers;
    EXPECT_FALSE(offers[0].of_earlier);
    EXPECT_TRUE(offers[1].of_earlier);
    EXPECT_TRUE(offers[2].of_earlier);
    EXPECT_TRUE(offers[3].of_earlier);
}

TEST_F(NotedChangesTest, AMarkThatAModuleHasSetIsTakenAway) {
    Plan plan;
    plan.offers = {{0, 1, 0, some}};
    plan.offers[0].of_earlier = true;
    EXPECT_FALSE(marked(plan).offers[0].of_earlier);
}

TEST_F(NotedChangesTest, AChangeOfARoleAboveOvertakesToo) {
    const auto child = cluster.add_framework("a/b");
    Changes changes;
    changes.roles = {cluster.claim(0).role};
    change(changes);
    Plan plan;
    plan.offers = {{child, cluster.claim(child).role, 0, some}};
    EXPECT_TRUE(marked(plan).offers[0].of_earlier);
}

TEST_F(NotedChangesTest, LeaveOutWhatHasGoneByItself) {
    Plan plan;
    plan.revocations = {{0, 0, base::TaskId("t0"), 1}, {0, 1, base::TaskId("t1"), 1}, {0, 0, base::TaskId("x"), 1}};
    plan.rescinds = {{0, 0}, {0, 1}};
    plan.call_offs = {{0, base::TaskId("t1")}};
    EXPECT_EQ(marked(plan).revocations.size(), 3u) << "nothing has changed: what is wrong was wrong";
    EXPECT_EQ(marked(plan).rescinds.size(), 2u);
    EXPECT_EQ(marked(plan).call_offs.size(), 1u);

    cluster.tasks.all.erase(cluster.tasks.all.begin());
    cluster.tasks.all[0].ending = true;
    cluster.offers.all.clear();
    Changes changes = of_agent(0);
    changes.frameworks = {0};
    change(changes);
    const Plan left = marked(plan);
    ASSERT_EQ(left.revocations.size(), 1u);
    EXPECT_EQ(left.revocations[0].task.value(), "t1") << "its agent has not changed";
    ASSERT_EQ(left.rescinds.size(), 1u);
    EXPECT_EQ(left.rescinds[0].agent, 1u);
    EXPECT_EQ(left.call_offs.size(), 1u);
    cluster.tasks.all[0].ending = false;
    EXPECT_TRUE(marked(plan).call_offs.empty());
}

}  // namespace fairlead::allocator
