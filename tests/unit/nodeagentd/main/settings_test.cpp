#include "nodeagentd/settings.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace fairlead::nodeagentd {
namespace {

class SettingsFile : public testing::Test {
  protected:
    SettingsFile() {
        char name[] = "/tmp/settings-test-XXXXXX";
        folder_ = ::mkdtemp(name);
    }
    ~SettingsFile() override { std::filesystem::remove_all(folder_); }
    std::string file() const { return (folder_ / "nodeagentd.conf").string(); }
    base::Result<Settings> read(const std::string& text) {
        std::ofstream(file()) << "[Agent]\n" << text << "\n";
        return read_settings(file());
    }
    // Without the file's name.
    std::string why(const std::string& text) {
        const auto settings = read(text);
        if (settings) return "";
        std::string message = settings.error().message();
        if (message.starts_with(file())) message.erase(0, file().size());
        return message;
    }

    std::filesystem::path folder_;
};

TEST_F(SettingsFile, AMasterIsEnough) {
    const auto settings = read("Master=m1 m2:6000, http://m3");
    ASSERT_TRUE(settings) << settings.error().message();
    ASSERT_EQ(settings->masters.size(), 3u);
    EXPECT_EQ(settings->masters[0].authority(), "m1:5050");
    EXPECT_EQ(settings->masters[1].authority(), "m2:6000");
    EXPECT_EQ(settings->listen.port(), 5051);
    EXPECT_EQ(settings->work_directory, "/var/lib/fairlead/agent");
    EXPECT_EQ(settings->kill_grace, std::chrono::seconds(3));
    EXPECT_FALSE(settings->hostname.empty());
}

TEST_F(SettingsFile, MastersMayBeFoundInZookeeper) {
    const auto settings = read("Master=zk://me:secret@zk1,zk2:2182/fairlead");
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_TRUE(settings->masters.empty());
    EXPECT_EQ(settings->zookeeper->text(), "zk://zk1:2181,zk2:2182/fairlead");
    EXPECT_EQ(settings->zookeeper->credentials->password, "secret");
    EXPECT_EQ(settings->zookeeper_session_timeout, std::chrono::seconds(10));
    EXPECT_EQ(read("Master=zk://zk1/x\nZooKeeperSessionTimeout=4s")->zookeeper_session_timeout,
              std::chrono::seconds(4));
    EXPECT_EQ(why("Master=zk://zk1/x\nZooKeeperSessionTimeout=10ms"),
              ":3: [Agent] ZooKeeperSessionTimeout=10ms: must be from 1s to 10min");
    EXPECT_EQ(why("Master=m\nZooKeeperSessionTimeout=5s"),
              ":3: [Agent] ZooKeeperSessionTimeout=5s: means nothing unless Master= is a zk:// URL");
    EXPECT_EQ(why("Master=zk://me:secret@zk1:0/x"),
              ":2: [Agent] Master=: \"zk1:0\": the port must be a number from 1 to 65535");
    EXPECT_EQ(why("Master=m\nZooKeeperCredentials=/x"),
              ":3: [Agent] ZooKeeperCredentials=/x: means nothing unless Master= is a zk:// URL");
}

TEST_F(SettingsFile, EveryKeyIsRead) {
    const auto settings = read("Master=m\nHostname=a1.example.org\nListen=127.0.0.1:7000\nAdvertise=192.0.2.7\n"
                               "WorkDirectory=/srv/agent/\nRuntimeDirectory=/run/agent\nResources=cpus:2\n"
                               "Attributes=rack:r1\nFaultDomain=eu/r1\nTaskKillGrace=10s\nFetchTimeout=1min");
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_EQ(settings->hostname, "a1.example.org");
    EXPECT_EQ(settings->listen.address().to_string(), "127.0.0.1");
    EXPECT_EQ(settings->advertise->to_string(), "192.0.2.7");
    EXPECT_EQ(settings->runtime_directory, "/run/agent");
    EXPECT_TRUE(settings->resources.names.contains("cpus"));
    EXPECT_EQ(settings->attributes.size(), 1);
    EXPECT_EQ(settings->fault_domain->region().name(), "eu");
    EXPECT_EQ(settings->fault_domain->zone().name(), "r1");
    EXPECT_EQ(settings->kill_grace, std::chrono::seconds(10));
    EXPECT_EQ(settings->fetch_deadline, std::chrono::minutes(1));
}

TEST_F(SettingsFile, AMistakeIsToldWithItsLineAndKey) {
    EXPECT_EQ(why("Hostname=a"),
              "no master is named: set [Agent] Master= in a file in /etc/fairlead/nodeagentd.conf.d");
    EXPECT_EQ(why("Master=m\nResource=cpus:2"), ":3: [Agent] has no key Resource=; did you mean Resources?");
    EXPECT_EQ(why("Master=m\nResources=cpu:2"),
              ":3: [Agent] Resources=cpu:2: unknown resource 'cpu': did you mean cpus?");
    EXPECT_EQ(why("Master=m\nAttributes=rack"), ":3: [Agent] Attributes=rack: 'rack': expected name:value");
    EXPECT_EQ(why("Master=m\nWorkDirectory=srv"), ":3: [Agent] WorkDirectory=srv: expected an absolute path");
    EXPECT_EQ(why("Master=m\nHostname=a b"), ":3: [Agent] Hostname=a b: that cannot be the name of a host");
    EXPECT_EQ(why("Master=m\nAdvertise=0.0.0.0"), ":3: [Agent] Advertise=0.0.0.0: nobody can connect to 0.0.0.0");
    EXPECT_EQ(why("Master=m\nAdvertise=x:1"),
              ":3: [Agent] Advertise=x:1: expected an address such as 192.0.2.10, without a port");
    EXPECT_EQ(why("Master=m\nTaskKillGrace=soon"),
              ":3: [Agent] TaskKillGrace=soon: expected a time such as 500ms, 5s or 2min 30s");
    EXPECT_EQ(why("Master=m\nFetchTimeout=0"), ":3: [Agent] FetchTimeout=0: must be above zero");
    EXPECT_EQ(why("Master=m\nListen=0.0.0.0:x"),
              ":3: [Agent] Listen=0.0.0.0:x: expected address:port, such as 0.0.0.0:5051");
    EXPECT_EQ(why("Master=m1 https://m"),
              ":2: [Agent] Master=m1 https://m: \"https://m\" is not a usable URL: https is not supported, use http");
}

}  // namespace
}  // namespace fairlead::nodeagentd
