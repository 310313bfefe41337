#include "masterd/settings.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace fairlead::masterd {
namespace {

class SettingsFile : public testing::Test {
  protected:
    base::Result<Settings> read(const std::string& lines) {
        std::ofstream(file_) << "[Master]\n" << lines;
        return read_settings(file_);
    }
    std::string complaint(const std::string& lines) {
        const auto settings = read(lines);
        return settings ? "" : settings.error().message();
    }
    void TearDown() override { ::unlink(file_.c_str()); }

    std::string file_ = testing::TempDir() + "masterd-settings-" + std::to_string(::getpid()) + ".conf";
};

TEST_F(SettingsFile, NothingSaidMeansTheDefaults) {
    const auto settings = read("").value();
    EXPECT_EQ(settings.listen.port(), 5050);
    EXPECT_TRUE(settings.listen.address().is_unspecified());
    EXPECT_FALSE(settings.advertise);
    EXPECT_FALSE(settings.hostname.empty());
    EXPECT_EQ(settings.core.offer_timeout, std::chrono::minutes(10));
    EXPECT_EQ(settings.core.policy.patience, std::chrono::seconds(30));
    EXPECT_FALSE(settings.core.policy.fair_share_patience);
}

TEST_F(SettingsFile, MastersMeetInZookeeper) {
    EXPECT_FALSE(read("").value().zookeeper);
    const auto settings = read("ZooKeeper=zk://zk1,zk2:2182/fairlead\nZooKeeperSessionTimeout=4s\n").value();
    EXPECT_EQ(settings.zookeeper->text(), "zk://zk1:2181,zk2:2182/fairlead");
    EXPECT_EQ(settings.zookeeper_session_timeout, std::chrono::seconds(4));
    EXPECT_NE(complaint("ZooKeeper=zk1:2181\n").find("[Master] ZooKeeper=: expected zk://"), std::string::npos)
        << complaint("ZooKeeper=zk1:2181\n");
    EXPECT_NE(complaint("ZooKeeper=zk://zk1/x\nZooKeeperSessionTimeout=10ms\n").find("must be from 1s"), std::string::npos);
    EXPECT_NE(complaint("ZooKeeperSessionTimeout=5s\n").find("means nothing without"), std::string::npos);
}

TEST_F(SettingsFile, AgentsAreGivenUpAtARate) {
    EXPECT_EQ(read("").value().core.agent_removal_rate.agents, 500);
    EXPECT_EQ(read("").value().core.agent_removal_rate.per, std::chrono::seconds(1));
    const auto slow = read("AgentRemovalRate=1/10min\n").value().core.agent_removal_rate;
    EXPECT_EQ(slow.agents, 1);
    EXPECT_EQ(slow.per, std::chrono::minutes(10));
    for (const std::string wrong :
         {"5", "0/1s", "-1/1s", "5/0s", "5/", "/1s", "5x/1s", "5/1fortnight", "2000000/1s", "1/25h"})
        EXPECT_NE(complaint("AgentRemovalRate=" + wrong + "\n").find("expected agents/time"), std::string::npos) << wrong;
}

TEST_F(SettingsFile, CredentialsOfZookeeperStandInAFileOfTheirOwn) {
    const std::string file = file_ + ".secret";
    std::ofstream(file) << "me:secret\n";
    const std::string lines = "ZooKeeper=zk://zk1/x\nZooKeeperCredentials=" + file + "\n";
    EXPECT_EQ(read(lines).value().zookeeper->credentials, (zookeeper::Credentials{"me", "secret"}));
    std::ofstream(file) << "secret\n";
    EXPECT_NE(complaint(lines).find(file + ": expected user:password"), std::string::npos) << complaint(lines);
    EXPECT_EQ(complaint(lines).find("secret\n"), std::string::npos);
    ::unlink(file.c_str());
    EXPECT_NE(complaint(lines).find("No such file"), std::string::npos) << complaint(lines);
    EXPECT_NE(complaint("ZooKeeper=zk://a:b@zk1/x\nZooKeeperCredentials=/x\n").find("already stand in"), std::string::npos);
}

TEST_F(SettingsFile, CredentialsOfZookeeperMayBeHandedOverBySystemd) {
    const std::filesystem::path folder = file_ + ".credentials";
    std::filesystem::create_directory(folder);
    ::setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1);
    EXPECT_FALSE(read("ZooKeeper=zk://zk1/x\n").value().zookeeper->credentials) << "nothing of that name";
    std::ofstream(folder / "zookeeper") << "me:secret";
    EXPECT_EQ(read("ZooKeeper=zk://zk1/x\n").value().zookeeper->credentials, (zookeeper::Credentials{"me", "secret"}));
    ::unsetenv("CREDENTIALS_DIRECTORY");
    std::filesystem::remove_all(folder);
}

TEST_F(SettingsFile, AnAllocationModuleThatIsNoneIsAComplaintWithItsLine) {
    EXPECT_NE(complaint("AllocationModule=fair\n").find("there is no allocation module fair; there are drf"), std::string::npos);
    EXPECT_NE(complaint("AllocationModule=fair\n").find(file_ + ":2"), std::string::npos) << complaint("AllocationModule=fair\n");
    EXPECT_NE(complaint("AllocationModule=/nowhere.so\n").find("No such file"), std::string::npos);
}

TEST_F(SettingsFile, AFaultDomainHasARegionAndAZone) {
    for (const char* wrong : {"eu", "eu/", "/r1", "eu/r1/x", "e u/r1"})
        EXPECT_NE(complaint(std::string("FaultDomain=") + wrong + "\n").find("expected REGION/ZONE"), std::string::npos) << wrong;
}

TEST_F(SettingsFile, APatienceIsATimeOrNever) {
    EXPECT_NE(complaint("RevocationPatience=soon\n").find("expected never, or a time"), std::string::npos);
    EXPECT_NE(complaint("RevocationMaxPercent=0\n").find("from 1 to 100"), std::string::npos);
}

TEST_F(SettingsFile, AShareOfShortTasksIsAPercentage) {
    EXPECT_EQ(read("").value().core.short_task_percent, 0u);
    EXPECT_NE(complaint("ShortTaskShare=101\n"), "");
    EXPECT_NE(complaint("ShortTaskShare=10%\n"), "");
    EXPECT_NE(complaint("ShortTaskShare=10\nShortTaskDuration=0\n").find("must be above zero"), std::string::npos);
}

std::vector<resources::Quantities> alternatives(const std::vector<const char*>& texts) {
    std::vector<resources::Quantities> all;
    for (const char* text : texts) all.push_back(resources::Resources::parse(text).value().quantities());
    return all;
}

TEST_F(SettingsFile, TheLeastOfAnOfferIsOneOfSomeAlternatives) {
    EXPECT_EQ(read("").value().core.min_allocatable, alternatives({"cpus:0.01", "mem:32"}));
    EXPECT_EQ(read("MinAllocatable=\n").value().core.min_allocatable, alternatives({"cpus:0.01", "mem:32"}));
    EXPECT_EQ(read("MinAllocatable=mem:64 | cpus:1\n").value().core.min_allocatable, alternatives({"mem:64", "cpus:1"}));
    EXPECT_TRUE(read("MinAllocatable=any\n").value().core.min_allocatable.empty());
    for (const char* wrong : {"some", "cpus:1|", "|cpus:1", "cpus:1||mem:1", "cpus:-1", "cpus:x", "cpus:0", "cpus(eng):1", "ports:[1-2]"}) {
        const std::string why = complaint(std::string("MinAllocatable=") + wrong + "\n");
        EXPECT_NE(why.find("MinAllocatable"), std::string::npos) << wrong << ": " << why;
        EXPECT_NE(why.find("expected any, or alternatives such as cpus:0.01|mem:32"), std::string::npos) << wrong;
    }
    std::string many = "MinAllocatable=cpus:1";
    for (int i = 0; i < 100; ++i) many += "|cpus:1";
    EXPECT_NE(complaint(many + "\n").find("more than 100"), std::string::npos);
}

TEST_F(SettingsFile, EveryKeyIsRead) {
    const auto settings = read("Listen=[::1]:6060\nAdvertise=192.0.2.10\nHostname=h\nClusterName=c\nFaultDomain=eu/r1\nRegistry=/r\nThreads=3\n"
                               "HeartbeatInterval=1s\nOfferTimeout=2s\nAgentPingInterval=3s\nAgentPingTimeout=4s\n"
                               "AgentReregisterTimeout=5s\nAllocationModule=priority\nRevocationPatience=never\n"
                               "FairSharePatience=2min\nRevocationGrace=0\nRevocationMaxPercent=25\n"
                               "ShortTaskShare=20\nShortTaskDuration=6s\nMinAllocatable=cpus:0.5;mem:64|gpus:1\n")
                              .value();
    using namespace std::chrono_literals;
    EXPECT_EQ(settings.listen.address().to_string(), "::1");
    EXPECT_EQ(settings.listen.port(), 6060);
    EXPECT_EQ(settings.advertise->to_string(), "192.0.2.10");
    EXPECT_EQ(settings.hostname, "h");
    EXPECT_EQ(settings.allocation_module.name, "priority");
    EXPECT_EQ(settings.core.min_allocatable, alternatives({"cpus:0.5;mem:64", "gpus:1"}));
    EXPECT_EQ(settings.cluster_name, "c");
    EXPECT_EQ(settings.fault_domain->region, "eu");
    EXPECT_EQ(settings.fault_domain->zone, "r1");
    EXPECT_EQ(settings.registry_file, "/r");
    EXPECT_EQ(settings.threads, 3u);
    EXPECT_EQ(settings.core.heartbeat_interval, 1s);
    EXPECT_EQ(settings.core.offer_timeout, 2s);
    EXPECT_EQ(settings.core.ping_interval, 3s);
    EXPECT_EQ(settings.core.ping_timeout, 4s);
    EXPECT_EQ(settings.core.short_task_percent, 20u);
    EXPECT_EQ(settings.core.short_task_duration, 6s);
    EXPECT_EQ(settings.core.agent_reregister_timeout, 5s);
    EXPECT_FALSE(settings.core.policy.patience);
    EXPECT_EQ(settings.core.policy.fair_share_patience, 2min);
    EXPECT_EQ(settings.core.revocation_grace, 0s);
    EXPECT_EQ(settings.core.policy.revoked_share_max, 0.25);
}

TEST_F(SettingsFile, PingsMustComeMoreOftenThanTheirTimeout) {
    EXPECT_EQ(complaint("AgentPingInterval=2min\nAgentPingTimeout=5min\n"), "");
    for (const char* lines : {"AgentPingInterval=75s\n", "AgentPingTimeout=15s\n", "AgentPingInterval=6s\nAgentPingTimeout=5s\n"}) {
        const std::string why = complaint(lines);
        EXPECT_NE(why.find(file_ + ":2"), std::string::npos) << why;
        EXPECT_NE(why.find("must be below AgentPingTimeout"), std::string::npos) << why;
    }
}

TEST_F(SettingsFile, OffersMayStandUntilTheyAreUsed) {
    EXPECT_FALSE(read("OfferTimeout=never\n").value().core.offer_timeout);
}

TEST_F(SettingsFile, WhatIsWrongIsNamedWithFileLineAndKey) {
    for (const std::string line : {"Listen=5050", "Listen=0.0.0.0:70000", "Listen=host:5050", "Advertise=192.0.2.10:5050",
                                   "Advertise=0.0.0.0", "Threads=0", "Threads=many", "OfferTimeout=0s",
                                   "HeartbeatInterval=soon"}) {
        const std::string why = complaint(line);
        EXPECT_NE(why.find(file_ + ":2"), std::string::npos) << why;
        EXPECT_NE(why.find(line.substr(0, line.find('='))), std::string::npos) << why;
    }
    EXPECT_NE(complaint("Lisen=0.0.0.0:5050").find("Lisen"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::masterd
