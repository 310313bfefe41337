#include "allocator/drf/guarantees.hpp"

#include "common/base/prng.hpp"
#include "tests/support/allocator_cluster.hpp"

namespace fairlead::allocator::drf {
namespace {

using tests::AllocatorCluster;

RoleSlot slot_of(const AllocatorCluster& cluster, const char* role) {
    return *cluster.roles.find(base::Role(role));
}

}  // namespace

TEST(Guarantees, WhatIsLackedMustStayFree) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:10;mem:1000");
    const auto framework = cluster.add_framework("a");
    cluster.set_guarantee("a", "cpus:4;mem:100");
    cluster.hold(framework, agent, "cpus:1;mem:200");
    Guarantees guarantees;
    guarantees.update(cluster.roles.entries(), cluster.roles.take_changes());
    EXPECT_EQ(guarantees.needed(), AllocatorCluster::amounts("cpus:3"));
    ASSERT_EQ(guarantees.needy().size(), 1u);
    EXPECT_DOUBLE_EQ(guarantees.needy().begin()->first, 0.25);

    guarantees.give(cluster.roles.entries(), slot_of(cluster, "a"), AllocatorCluster::amounts("cpus:3"));
    EXPECT_TRUE(guarantees.needed().empty());
    EXPECT_TRUE(guarantees.needy().empty());
}

TEST(Guarantees, WhatIsGatheredCountsUntilItIsCountedAnew) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:10");
    cluster.add_framework("eng/ads");
    cluster.set_guarantee("eng", "cpus:4");
    cluster.set_guarantee("eng/ads", "cpus:1");
    Guarantees guarantees;
    const auto& roles = cluster.roles.entries();
    guarantees.update(roles, cluster.roles.take_changes());
    const RoleSlot ads = slot_of(cluster, "eng/ads");
    guarantees.gather(roles, ads, AllocatorCluster::amounts("cpus:3"));
    EXPECT_EQ(guarantees.needed(), AllocatorCluster::amounts("cpus:1"));
    EXPECT_TRUE(guarantees.lacks(ads).empty());
    guarantees.release(roles, ads, AllocatorCluster::amounts("cpus:2"));
    EXPECT_EQ(guarantees.needed(), AllocatorCluster::amounts("cpus:3"));
    guarantees.forget_gathered(roles);
    EXPECT_EQ(guarantees.needed(), AllocatorCluster::amounts("cpus:4"));
    EXPECT_EQ(guarantees.lacks(ads), AllocatorCluster::amounts("cpus:1"));
}

TEST(Guarantees, WhatOthersArePromisedIsNeverTheRoles) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:20");
    const auto web = cluster.add_framework("eng/web");
    cluster.add_framework("eng/ads");
    cluster.set_guarantee("eng", "cpus:10");
    cluster.set_guarantee("eng/web", "cpus:3");
    cluster.set_guarantee("ops", "cpus:2");
    cluster.hold(web, agent, "cpus:3");
    Guarantees guarantees;
    const auto& roles = cluster.roles.entries();
    guarantees.update(roles, cluster.roles.take_changes());
    EXPECT_EQ(guarantees.promised_beside(roles, slot_of(cluster, "eng/ads")), AllocatorCluster::amounts("cpus:5"));
    EXPECT_EQ(guarantees.promised_beside(roles, slot_of(cluster, "ops")), AllocatorCluster::amounts("cpus:10"));
    cluster.set_guarantee("ops", "");
    guarantees.update(roles, cluster.roles.take_changes());
    EXPECT_EQ(guarantees.promised_beside(roles, slot_of(cluster, "eng/ads")), AllocatorCluster::amounts("cpus:3"));
}

TEST(Guarantees, AParentsPromiseCoversItsChildren) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:100");
    const auto ads = cluster.add_framework("eng/ads");
    cluster.set_guarantee("eng", "cpus:10");
    cluster.set_guarantee("eng/ads", "cpus:4");
    cluster.set_guarantee("eng/web", "cpus:3");
    Guarantees guarantees;
    guarantees.update(cluster.roles.entries(), cluster.roles.take_changes());
    EXPECT_EQ(guarantees.needed(), AllocatorCluster::amounts("cpus:10"));

    cluster.hold(ads, agent, "cpus:9");
    guarantees.update(cluster.roles.entries(), cluster.roles.take_changes());
    EXPECT_EQ(guarantees.needed(), AllocatorCluster::amounts("cpus:3")) << "the other child lacks more than the parent";
    EXPECT_EQ(guarantees.needed_beside(cluster.roles.entries(), slot_of(cluster, "eng/ads")),
              AllocatorCluster::amounts("cpus:3"));
    EXPECT_TRUE(guarantees.lacks(slot_of(cluster, "eng/ads")).empty());
}

TEST(Guarantees, APromiseThatIsTakenBackNeedsNothing) {
    AllocatorCluster cluster;
    cluster.add_framework("a");
    cluster.set_guarantee("a", "cpus:4");
    Guarantees guarantees;
    guarantees.update(cluster.roles.entries(), cluster.roles.take_changes());
    cluster.set_guarantee("a", "");
    guarantees.update(cluster.roles.entries(), cluster.roles.take_changes());
    EXPECT_TRUE(guarantees.empty());
    EXPECT_TRUE(guarantees.needed().empty());
    EXPECT_TRUE(guarantees.needy().empty());
}

// Whatever happens in whatever order, the sums are those of a reader that starts now.
TEST(Guarantees, KeptSumsAreThoseOfAFreshReading) {
    base::Prng prng(3);
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:100000;mem:100000");
    const char* names[] = {"a", "a/b", "a/b/c", "a/d", "e", "e/f"};
    std::vector<FrameworkSlot> frameworks;
    for (const char* name : names) frameworks.push_back(cluster.add_framework(name));
    Guarantees kept;
    for (int step = 0; step < 3000; ++step) {
        const auto which = prng.below(std::size(names));
        const auto amount = "cpus:" + std::to_string(prng.below(20)) + ";mem:" + std::to_string(prng.below(20));
        if (prng.chance(0.3))
            cluster.set_guarantee(names[which], amount.c_str());
        else if (prng.chance(0.5) || cluster.claim(frameworks[which]).allocated.empty())
            cluster.hold(frameworks[which], agent, AllocatorCluster::parsed(amount.c_str()));
        else
            cluster.give_back(frameworks[which], agent, [&] {
                resources::Resources all;
                cluster.claim(frameworks[which]).allocated.for_each([&](std::string_view name, resources::Milli held) {
                    all.add(resources::Resource(std::string(name), held));
                });
                return all;
            }());
        kept.update(cluster.roles.entries(), cluster.roles.take_changes());
        if (step % 50) continue;
        std::vector<RoleSlot> all(cluster.roles.entries().size());
        for (RoleSlot slot = 0; slot < all.size(); ++slot) all[slot] = slot;
        Guarantees fresh;
        fresh.update(cluster.roles.entries(), all);
        ASSERT_EQ(kept.needed(), fresh.needed()) << step;
        ASSERT_EQ(kept.needy(), fresh.needy()) << step;
    }
}

}  // namespace fairlead::allocator::drf
