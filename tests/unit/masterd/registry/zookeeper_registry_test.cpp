// Against a real server: what a registry in ZooKeeper promises beside what every registry does.

#include "masterd/registry/zookeeper_registry.hpp"

#include "common/async/deadline.hpp"
#include "common/async/task_group.hpp"
#include "common/base/prng.hpp"
#include "common/zookeeper/paths.hpp"
#include "masterd/registry/znode_values.hpp"
#include "tests/support/registry_contract.hpp"
#include "tests/support/zookeeper_server.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using async::awaitable;
using base::ErrorCode;
using registry::ZookeeperRegistry;

struct ZookeeperPlace {
    ZookeeperPlace() {
        static std::atomic<int> places{0};
        url.servers = {ZookeeperServer::shared().address()};
        url.path = "/place" + std::to_string(++places) + "/fairlead";
    }
    ZookeeperRegistry::Options options() const {
        ZookeeperRegistry::Options options;
        options.url = url;
        options.session_timeout = 4s;
        return options;
    }
    awaitable<std::shared_ptr<registry::Registry>> open() { co_return co_await open(options()); }
    awaitable<std::shared_ptr<ZookeeperRegistry>> open(ZookeeperRegistry::Options options) {
        auto opened = std::make_shared<ZookeeperRegistry>(context.get_executor(), std::move(options));
        const auto done = co_await opened->open();
        if (!done) throw std::runtime_error(done.error().message());
        co_return opened;
    }
    awaitable<base::Status> try_to_open(ZookeeperRegistry::Options options) {
        ZookeeperRegistry opened(context.get_executor(), std::move(options));
        co_return co_await opened.open();
    }

    async::asio::io_context context;
    zookeeper::Url url;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Zookeeper, RegistryContract, ZookeeperPlace);

class RegistryInZookeeper : public RegistryContract<ZookeeperPlace> {
  protected:
    // An operator's hand in the same place.
    awaitable<zookeeper::Session*> hand() {
        if (!hand_) {
            zookeeper::SessionOptions options{.servers = place.url.connection(), .timeout = 4s};
            hand_ = std::make_unique<zookeeper::Session>(place.context.get_executor(), options,
                                                         [](const zookeeper::SessionEvent&) {});
        }
        while (hand_->state() != zookeeper::SessionState::connected) co_await async::sleep_for(10ms);
        co_return hand_.get();
    }
    std::string root() const { return registry::registry_path(place.url); }

    std::unique_ptr<zookeeper::Session> hand_;
};

TEST_F(RegistryInZookeeper, AWriteThatIsLargerThanZooKeeperTakesAtOnceGoesInSteps) {
    run([this]() -> awaitable<void> {
        auto options = place.options();
        options.step_operations_max = 10;
        const auto opened = co_await place.open(options);
        const auto epoch = co_await take_over(opened);
        std::vector<mc::Persist> changes;
        for (int i = 0; i < 95; ++i) changes.emplace_back(written_agent("a" + std::to_string(i)));
        EXPECT_TRUE(co_await opened->write(epoch, changes));
        internal::RegistryEpoch value;
        const auto node = co_await (co_await hand())->get(root() + "/epoch");
        EXPECT_TRUE(value.ParseFromString(node->data));
        EXPECT_EQ(value.writes(), 10u);
        mc::Inheritance inheritance;
        co_await take_over(opened, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 95u);
    });
}

TEST_F(RegistryInZookeeper, AWriteWhoseConnectionIsLostIsMadeOnce) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        const auto epoch = co_await take_over(opened);
        std::optional<base::Status> written;
        async::TaskGroup group(place.context.get_executor(), [](auto, auto) {});
        const auto write_many = [&]() -> awaitable<void> {
            std::vector<mc::Persist> changes;
            for (int i = 0; i < 3000; ++i) changes.emplace_back(written_agent("a" + std::to_string(i)));
            changes.emplace_back(written_framework("f"));
            written = co_await opened->write(epoch, std::move(changes));
        };
        group.spawn("write", write_many());
        co_await async::asio::post(async::asio::use_awaitable);  // it has been sent
        ZookeeperServer::shared().kill();
        ZookeeperServer::shared().start();
        while (!written) co_await async::sleep_for(10ms);
        EXPECT_TRUE(*written) << written->error().message();
        EXPECT_TRUE(co_await write(*opened, epoch, written_agent("b")));
        mc::Inheritance inheritance;
        const auto next = co_await place.open();
        co_await take_over(next, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 3001u);
        EXPECT_EQ(inheritance.ended_frameworks.size(), 1u);
    });
}

TEST_F(RegistryInZookeeper, AWriteThatWasOnItsWayForLongIsRefusedAsAWhole) {
    run([this]() -> awaitable<void> {
        auto options = place.options();
        options.step_operations_max = 10;
        const auto first = co_await place.open(options);
        const auto old = co_await take_over(first);
        EXPECT_TRUE(co_await write(*first, old, written_agent("before")));
        const auto second = co_await place.open();
        co_await take_over(second);
        std::vector<mc::Persist> changes;
        for (int i = 0; i < 95; ++i) changes.emplace_back(written_agent("a" + std::to_string(i)));
        const auto refused = co_await first->write(old, changes);
        EXPECT_FALSE(refused);
        EXPECT_NE(refused.error().message().find("another master has begun an epoch"), std::string::npos)
            << refused.error().message();
        EXPECT_FALSE(co_await write(*first, old, written_agent("z"))) << "and so is all that would follow";
        mc::Inheritance inheritance;
        co_await take_over(second, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 1u);
    });
}

// The znode as a follower has it that lags: an older version with what was there then. It goes on meanwhile.
class LaggingServer : public RegistryInZookeeper {
  protected:
    awaitable<void> write_while_it_lags(ZookeeperRegistry::Options options) {
        const auto opened = co_await place.open(std::move(options));
        co_await take_over(opened);
        auto* own = co_await hand();
        const std::string path = root() + "/epoch";
        const auto older = co_await own->get(path);
        const auto epoch = co_await take_over(opened);
        newest = co_await own->get(path);
        EXPECT_TRUE(co_await own->remove(path));
        EXPECT_TRUE(co_await own->create(path, older->data));
        for (int version = 0; version < older->stat.version; ++version)
            EXPECT_TRUE(co_await own->set(path, older->data));
        before = ZookeeperServer::shared().requests();
        group.spawn("write", [](LaggingServer& self, auto registry, auto under) -> awaitable<void> {
            self.written = co_await write(*registry, under, written_agent("a"));
        }(*this, opened, epoch));
    }
    std::uint64_t requests() const { return ZookeeperServer::shared().requests() - before; }

    async::TaskGroup group{place.context.get_executor(), [](auto, auto) {}};
    std::optional<base::Result<zookeeper::Node>> newest;
    std::uint64_t before = 0;
    std::optional<base::Status> written;
};

TEST_F(LaggingServer, IsNotTakenForAnotherMaster) {
    run([this]() -> awaitable<void> {
        co_await write_while_it_lags(place.options());
        while (!written && requests() < 8) co_await async::sleep_for(10ms);  // it has asked more than once
        EXPECT_FALSE(written) << written->error().message();
        const auto caught_up = co_await (co_await hand())->set(root() + "/epoch", (*newest)->data);
        EXPECT_EQ(caught_up->version, (*newest)->stat.version);
        while (!written) co_await async::sleep_for(10ms);
        EXPECT_TRUE(*written) << written->error().message();
    });
}

TEST_F(LaggingServer, IsNotWaitedForForEver) {
    run([this]() -> awaitable<void> {
        auto options = place.options();
        options.patience = 1s;
        co_await write_while_it_lags(options);
        while (!written) co_await async::sleep_for(10ms);
        EXPECT_EQ(written->error().code(), ErrorCode::conflict);
        EXPECT_NE(written->error().message().find("does not know epoch 2 any more"), std::string::npos)
            << written->error().message();
    });
}

TEST_F(RegistryInZookeeper, WhoHasNotReadItCannotWrite) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        const auto epoch = (co_await opened->begin_epoch()).value();
        EXPECT_FALSE(co_await write(*opened, epoch, written_agent("a")));
    });
}

TEST_F(RegistryInZookeeper, WhatSomebodyElseHasChangedIsNotOverwrittenUnseen) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        const auto epoch = co_await take_over(opened);
        EXPECT_TRUE(co_await write(*opened, epoch, written_agent("a")));
        const std::string path = root() + "/" + registry::path_of(registry::Shelf::agents, "a");
        EXPECT_TRUE(co_await (co_await hand())->remove(path));
        const auto refused = co_await write(*opened, epoch, written_agent("b"), written_agent("a", Standing::unreachable));
        EXPECT_EQ(refused.error().code(), ErrorCode::conflict) << refused.error().message();
        mc::Inheritance inheritance;
        const auto next = co_await take_over(opened, &inheritance);
        EXPECT_TRUE(inheritance.agents.empty());
        EXPECT_TRUE(co_await write(*opened, next, written_agent("a")));
    });
}

TEST_F(RegistryInZookeeper, GarbageInAnItemIsNamedAndLeftAlone) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        const auto epoch = co_await take_over(opened);
        EXPECT_TRUE(co_await write(*opened, epoch, written_agent("a"), written_agent("b")));
        const std::string path = registry::path_of(registry::Shelf::agents, "a");
        EXPECT_TRUE(co_await (co_await hand())->set(root() + "/" + path, "garbage"));
        EXPECT_TRUE(co_await opened->begin_epoch());
        const auto read = co_await opened->read();
        EXPECT_EQ(read.error().code(), ErrorCode::malformed);
        EXPECT_NE(read.error().message().find(path), std::string::npos) << read.error().message();
        EXPECT_EQ((co_await (co_await hand())->get(root() + "/" + path))->data, "garbage");
    });
}

TEST_F(RegistryInZookeeper, DamageIsFoundAtTheStartAndNamed) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        const auto epoch = co_await take_over(opened);
        EXPECT_TRUE(co_await write(*opened, epoch, written_agent("a"), written_agent("b")));
        auto* own = co_await hand();
        const std::string a = root() + "/" + registry::path_of(registry::Shelf::agents, "a");
        const std::string bucket = root() + "/roles/00";
        for (const std::string& path : {a, root() + "/epoch"}) {
            const std::string before = (co_await own->get(path))->data;
            EXPECT_TRUE(co_await own->set(path, "garbage"));
            const auto refused = co_await place.try_to_open(place.options());
            EXPECT_EQ(refused.error().code(), ErrorCode::malformed) << path;
            EXPECT_NE(refused.error().message().find(path.substr(root().size() + 1)), std::string::npos)
                << refused.error().message();
            EXPECT_EQ((co_await own->get(path))->data, "garbage") << "it is left as it is";
            EXPECT_TRUE(co_await own->set(path, before));
        }
        EXPECT_TRUE(co_await own->remove(bucket));
        const auto refused = co_await place.try_to_open(place.options());
        EXPECT_EQ(refused.error().code(), ErrorCode::not_found);
        EXPECT_NE(refused.error().message().find(bucket), std::string::npos) << refused.error().message();
        EXPECT_TRUE(co_await own->create(bucket));
        EXPECT_TRUE(co_await place.try_to_open(place.options()));
    });
}

TEST_F(RegistryInZookeeper, ForeignZnodesInOurBucketsAreNamedAndLeftAlone) {
    run([this]() -> awaitable<void> {
        const auto first = co_await place.open();
        const auto epoch = co_await take_over(first);
        EXPECT_TRUE(co_await write(*first, epoch, written_agent("a")));
        auto* own = co_await hand();
        const std::string a = root() + "/" + registry::path_of(registry::Shelf::agents, "a");
        const std::string bucket = a.substr(0, a.rfind('/'));
        const std::set<std::string> foreign{bucket + "/b", bucket + "/.lock", bucket + "/50%", bucket + "/%61",
                                            a + "/note"};
        for (const std::string& path : foreign) EXPECT_TRUE(co_await own->create(path, "mine")) << path;
        testing::internal::CaptureStderr();
        const auto second = co_await place.open();
        mc::Inheritance inheritance;
        co_await take_over(second, &inheritance);
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_EQ(inheritance.agents.size(), 1u);
        for (const std::string& path : foreign) {
            const auto at = said.find("znode " + path.substr(0, path == a + "/note" ? a.size() : path.npos) + " ");
            EXPECT_NE(at, std::string::npos) << path << " in " << said;
            EXPECT_EQ((co_await own->get(path))->data, "mine");
        }
        EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 5) << "each is told once: " << said;
    });
}

TEST_F(RegistryInZookeeper, WhoHasReadAheadAsksForLittleWhenItTakesOver) {
    run([this]() -> awaitable<void> {
        constexpr int agents = 5000;
        const auto leader = co_await place.open();
        const auto epoch = co_await take_over(leader);
        std::vector<mc::Persist> changes;
        for (int i = 0; i < agents; ++i) changes.emplace_back(written_agent("a" + std::to_string(i)));
        EXPECT_TRUE(co_await leader->write(epoch, changes));
        const auto standby = co_await place.open();
        EXPECT_TRUE(co_await write(*leader, epoch, written_agent("a7", Standing::unreachable), written_agent("new")));
        auto& server = ZookeeperServer::shared();
        const auto before = server.requests();
        mc::Inheritance inheritance;
        co_await take_over(standby, &inheritance);
        EXPECT_LT(server.requests() - before, 3u * registry::buckets + 300)
            << "one a bucket, and what is in two of them";
        EXPECT_EQ(inheritance.agents.size(), agents + 1u);
        const auto a7 = std::find_if(inheritance.agents.begin(), inheritance.agents.end(),
                                     [](const auto& agent) { return agent.id == base::AgentId("a7"); });
        EXPECT_EQ(a7->standing, Standing::unreachable);
    });
}

TEST_F(RegistryInZookeeper, WhoHasReadAheadAllThereIsAsksForNothingWhenItTakesOver) {
    run([this]() -> awaitable<void> {
        const auto leader = co_await place.open();
        const auto epoch = co_await take_over(leader);
        const auto standby = co_await place.open();
        EXPECT_TRUE(co_await write(*leader, epoch, written_agent("a"), written_agent("b")));
        EXPECT_TRUE(co_await standby->read_ahead());
        auto& server = ZookeeperServer::shared();
        const auto before = server.requests();
        mc::Inheritance inheritance;
        co_await take_over(standby, &inheritance);
        EXPECT_LT(server.requests() - before, 100u) << "far less than there are buckets";
        EXPECT_EQ(inheritance.agents.size(), 2u);
    });
}

TEST_F(RegistryInZookeeper, WhoReadsAheadMissesNoChangeWhateverItWas) {
    run([this]() -> awaitable<void> {
        base::Prng prng(testing::UnitTest::GetInstance()->random_seed());
        auto options = place.options();
        options.step_operations_max = 7;
        auto leader = co_await place.open(options);
        auto standby = co_await place.open(options);
        auto epoch = co_await take_over(leader);
        std::map<std::string, Standing> agents;
        for (int round = 0; round < 60; ++round) {
            std::vector<mc::Persist> changes;
            for (auto left = prng.below(20) + 1; left > 0; --left) {
                const std::string id = "a" + std::to_string(prng.below(40));
                const auto standing = prng.below(2) == 0 ? Standing::admitted : Standing::unreachable;
                if (agents.contains(id) && prng.below(3) == 0) {
                    agents.erase(id);
                    changes.emplace_back(mc::ForgetAgent{base::AgentId(id)});
                } else {
                    agents[id] = standing;
                    changes.emplace_back(written_agent(id, standing));
                }
            }
            EXPECT_TRUE(co_await leader->write(epoch, changes));
            if (prng.below(2) == 0) {
                EXPECT_TRUE(co_await standby->read_ahead());
            }
            if (prng.below(3) != 0) continue;
            std::swap(leader, standby);
            mc::Inheritance inheritance;
            epoch = co_await take_over(leader, &inheritance);
            std::map<std::string, Standing> read;
            for (const auto& agent : inheritance.agents) read[agent.id.value()] = agent.standing;
            EXPECT_EQ(read, agents) << "in round " << round;
            if (read != agents) co_return;
        }
    });
}

TEST_F(RegistryInZookeeper, ForeignZnodesBesideOursAreLeftAlone) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        for (const char* name : {"-registry/notes", "-registry/agents/notes", "/json.info_0000000001"})
            EXPECT_TRUE(co_await (co_await hand())->create(place.url.path + name, "mine"));
        const auto epoch = co_await take_over(opened);
        EXPECT_TRUE(co_await write(*opened, epoch, written_agent("a")));
        mc::Inheritance inheritance;
        co_await take_over(opened, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 1u);
        EXPECT_EQ((co_await (co_await hand())->get(root() + "/notes"))->data, "mine");
    });
}

TEST_F(RegistryInZookeeper, WhatIsNoRegistryOfOursIsRefusedAndLeftAlone) {
    run([this]() -> awaitable<void> {
        auto* own = co_await hand();
        EXPECT_TRUE(co_await zookeeper::make_path(*own, root(), zookeeper::Acl::open));
        EXPECT_TRUE(co_await own->set(root(), "somebody's recipes"));
        auto refused = co_await place.try_to_open(place.options());
        EXPECT_EQ(refused.error().code(), ErrorCode::invalid_config);
        EXPECT_NE(refused.error().message().find("not a Fairlead registry"), std::string::npos) << refused.error().message();
        EXPECT_EQ((co_await own->get(root()))->data, "somebody's recipes");

        internal::RegistryHeader newer;
        newer.set_magic(std::string(registry::znode_magic));
        newer.set_format_version(registry::znode_format_version + 1);
        newer.set_cluster_id("c");
        EXPECT_TRUE(co_await own->set(root(), newer.SerializeAsString()));
        refused = co_await place.try_to_open(place.options());
        EXPECT_NE(refused.error().message().find("newer Fairlead"), std::string::npos) << refused.error().message();
    });
}

TEST_F(RegistryInZookeeper, AMasterWhoseRegistryIsBroughtToANewerFormatBeginsNoEpoch) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        internal::RegistryHeader newer;
        newer.set_magic(std::string(registry::znode_magic));
        newer.set_format_version(registry::znode_format_version + 1);
        newer.set_cluster_id(opened->cluster_id());
        EXPECT_TRUE(co_await (co_await hand())->set(root(), newer.SerializeAsString()));
        const auto epoch = co_await opened->begin_epoch();
        EXPECT_EQ(epoch.error().code(), ErrorCode::invalid_config);
    });
}

TEST_F(RegistryInZookeeper, OneThatHasGoneIsNotMadeAnew) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open();
        const auto epoch = co_await take_over(opened);
        auto* own = co_await hand();
        for (const auto shelf : registry::shelves) {
            for (unsigned bucket = 0; bucket < registry::buckets; ++bucket)
                EXPECT_TRUE(co_await own->remove(root() + "/" + registry::name_of(shelf) + "/" + registry::name_of_bucket(bucket)));
            EXPECT_TRUE(co_await own->remove(root() + "/" + registry::name_of(shelf)));
        }
        EXPECT_TRUE(co_await own->remove(root() + "/epoch"));
        EXPECT_TRUE(co_await own->remove(root()));
        EXPECT_FALSE(co_await write(*opened, epoch, written_agent("a")));
        const auto next = co_await opened->begin_epoch();
        EXPECT_NE(next.error().message().find("has gone"), std::string::npos) << next.error().message();
        EXPECT_FALSE((co_await own->exists(root()))->has_value());
        // A master that is started then makes another cluster's; whoever knew the old one does not take it for its own.
        const auto another = co_await place.open();
        EXPECT_NE(another->cluster_id(), opened->cluster_id());
        EXPECT_EQ((co_await opened->begin_epoch()).error().code(), ErrorCode::invalid_config);
    });
}

// A path that is mistyped looks the same.
TEST_F(RegistryInZookeeper, WhoMakesANewOneSaysWhereAndWhichClusterBeginsAndOthersDoNot) {
    run([this]() -> awaitable<void> {
        testing::internal::CaptureStderr();
        const auto made = co_await place.open();
        const std::string said = testing::internal::GetCapturedStderr();
        const std::string begins = "a new cluster begins, " + made->cluster_id();
        for (const std::string& part : {made->place(), begins, std::string("ZooKeeper=")})
            EXPECT_NE(said.find(part), std::string::npos) << part << " in " << said;
        EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
        testing::internal::CaptureStderr();
        co_await place.open();
        EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    });
}

TEST_F(RegistryInZookeeper, ManyMastersThatStartAtOnceMakeOneRegistry) {
    testing::internal::CaptureStderr();
    run([this]() -> awaitable<void> {
        std::vector<std::string> names;
        async::TaskGroup group(place.context.get_executor(), [](auto, std::exception_ptr failure) {
            ADD_FAILURE() << async::describe(failure);
        });
        const auto start = [&]() -> awaitable<void> { names.push_back((co_await place.open())->cluster_id()); };
        for (int i = 0; i < 5; ++i) group.spawn("a master", start());
        co_await group.join();
        EXPECT_EQ(names.size(), 5u);
        EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 1u);
    });
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << "one has made it: " << said;
}

TEST_F(RegistryInZookeeper, WhoMayNotWriteFindsOutAtTheStart) {
    run([this]() -> awaitable<void> {
        auto theirs = place.options();
        theirs.url.credentials = zookeeper::Credentials{"fairlead", "secret"};
        co_await place.open(theirs);
        const auto refused = co_await place.try_to_open(place.options());  // without credentials
        EXPECT_EQ(refused.error().code(), ErrorCode::permission_denied) << refused.error().message();
        auto wrong = theirs;
        wrong.url.credentials->password = "guess";
        EXPECT_EQ((co_await place.try_to_open(wrong)).error().code(), ErrorCode::permission_denied);
        EXPECT_TRUE(co_await place.try_to_open(theirs));
    });
}

TEST_F(RegistryInZookeeper, WithoutAServerItSaysSo) {
    run([this]() -> awaitable<void> {
        auto options = place.options();
        options.url.servers = {"127.0.0.1:1"};
        options.patience = 100ms;
        const auto refused = co_await place.try_to_open(options);
        EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
        EXPECT_NE(refused.error().message().find("127.0.0.1:1"), std::string::npos) << refused.error().message();
    });
}

TEST_F(RegistryInZookeeper, ACopyIsTheSameAndLeadsUnderItsEpochAndCluster) {
    run([this]() -> awaitable<void> {
        const auto opened = co_await place.open(place.options());
        const auto epoch = co_await take_over(opened);
        mc::RoleOrders heavy{3, {}, {}};
        std::vector<mc::Persist> changes{written_agent("a"), written_agent("b", Standing::removed, 7), written_framework("f"),
                                         written_framework("e"), mc::PersistRoleOrders{base::Role("eng"), heavy}};
        EXPECT_TRUE(co_await opened->write(epoch, changes));
        const auto contents = (co_await opened->copy_out()).value();
        EXPECT_EQ(contents.cluster_id, opened->cluster_id());
        EXPECT_EQ(contents.epoch, epoch);

        ZookeeperPlace other;
        auto options = other.options();
        options.step_operations_max = 2;
        ZookeeperRegistry target(place.context.get_executor(), options);
        const auto made = co_await target.make_from(contents);
        EXPECT_TRUE(made) << made.error().message();
        const auto again = co_await target.make_from(contents);
        EXPECT_EQ(again.error().code(), ErrorCode::already_exists) << again.error().message();
        ZookeeperRegistry next(place.context.get_executor(), other.options());
        EXPECT_TRUE(co_await next.open());
        EXPECT_EQ(next.cluster_id(), opened->cluster_id());
        EXPECT_EQ((co_await next.begin_epoch()).value(), epoch + 1);
        const auto read = (co_await next.read()).value();
        EXPECT_EQ(read.agents.size(), 2u);
        EXPECT_EQ(read.ended_frameworks, contents.inheritance.ended_frameworks);
        EXPECT_EQ(read.role_orders, contents.inheritance.role_orders);
    });
}

awaitable<void> copy_out(std::shared_ptr<ZookeeperRegistry> from, std::optional<base::Result<registry::Contents>>& to) {
    to.emplace(co_await from->copy_out());
}

TEST_F(RegistryInZookeeper, ACopyThatIsMadeWhileALeaderWritesIsOfOneMoment) {
    run([this]() -> awaitable<void> {
        const auto leader = co_await place.open();
        const auto epoch = co_await take_over(leader);
        std::optional<base::Result<registry::Contents>> copied;
        async::TaskGroup reading(place.context.get_executor(), nullptr);
        reading.spawn("the copy", copy_out(co_await place.open(place.options()), copied));
        for (int round = 0; round < 8; ++round) {  // in two buckets each
            const std::string number = std::to_string(round);
            EXPECT_TRUE(co_await write(*leader, epoch, written_agent("a" + number), written_agent("b" + number)));
        }
        co_await reading.join();
        EXPECT_TRUE(*copied) << copied->error().message();
        std::set<std::string> agents;
        for (const auto& agent : (*copied)->inheritance.agents) agents.insert(agent.id.value());
        for (const std::string& agent : agents) {
            const int of = std::stoi(agent.substr(1));
            for (int before = 0; before <= of; ++before) {
                EXPECT_TRUE(agents.contains("a" + std::to_string(before))) << agent << " is there";
                EXPECT_TRUE(agents.contains("b" + std::to_string(before))) << agent << " is there";
            }
        }
    });
}

}  // namespace
}  // namespace fairlead::tests
