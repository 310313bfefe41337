// Elections over a real ZooKeeper.

#include "masterd/election/election.hpp"

#include "common/async/deadline.hpp"
#include "common/zookeeper/paths.hpp"
#include "masterd/election/session_key.hpp"
#include "tests/support/zookeeper_server.hpp"
#include "tests/support/zookeeper_sessions.hpp"
#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <utility>

namespace fairlead::masterd::election {
namespace {

using async::awaitable;
using tests::ZookeeperServer;
using namespace std::chrono_literals;

constexpr base::Duration patience = 30s;
constexpr base::Duration session_timeout = 2s;  // the longest that this server grants

v1::MasterInfo master(const std::string& name) {
    v1::MasterInfo info;
    info.set_id(name);
    info.set_ip(16777343);
    info.set_port(5050);
    info.set_hostname(name);
    info.mutable_address()->set_ip("127.0.0.1");
    info.mutable_address()->set_port(5050);
    return info;
}

struct Contender {
    Contender(async::asio::io_context& context, ElectionOptions options)
        : changed(context.get_executor()),
          election(context.get_executor(), std::move(options),
                   {.gained = [this](base::Instant until) { leading = true, ++gained, lease = until, changed.ring(); },
                    .extended = [this](base::Instant until) { lease = until, ++extended, changed.ring(); },
                    .lost = [this](const std::string& why) { leading = false, reasons.push_back(why), changed.ring(); },
                    .leader_is =
                        [this](const auto& info) { leaders.push_back(info ? info->id() : "-"), changed.ring(); },
                    .next_is = [this](const auto& info) { nexts.push_back(info ? info->id() : "-"), changed.ring(); },
                    .hopeless = [this](const base::Error& error) { hopeless = error.message(), changed.ring(); }}) {
        async::asio::co_spawn(context, election.run(), [this](std::exception_ptr failure) {
            ended = true;
            if (failure) std::rethrow_exception(failure);
        });
    }

    template <typename Condition>
    awaitable<void> until(Condition condition) {
        const auto last = base::read_clocks().instant + patience;
        while (!condition()) {
            if (base::read_clocks().instant >= last) throw std::runtime_error("it did not happen");
            co_await changed.wait_for(patience);
        }
    }
    awaitable<void> until_leading() {
        return until([this] { return leading; });
    }
    awaitable<void> until_next(std::string id) {
        return until([this, id] { return !nexts.empty() && nexts.back() == id; });
    }
    awaitable<void> until_leader(std::string id) {
        return until([this, id] { return !leaders.empty() && leaders.back() == id; });
    }

    async::Wake changed;
    bool leading = false;
    int gained = 0, extended = 0;
    base::Instant lease;
    std::vector<std::string> reasons, leaders, nexts;
    std::string hopeless;
    bool ended = false;
    Election election;
};

class ElectionTest : public testing::Test {
  protected:
    ElectionTest() {
        static std::atomic<int> tests{0};
        url_.servers = {ZookeeperServer::shared().address()};
        url_.path = "/elections/of" + std::to_string(++tests);
    }

    ElectionOptions options(const std::string& name) const {
        ElectionOptions options;
        options.url = url_;
        options.session_timeout = session_timeout_;
        options.info = master(name);
        options.key_file = key_file_;
        return options;
    }
    std::unique_ptr<Contender> contender(const std::string& name) {
        return std::make_unique<Contender>(context_, options(name));
    }

    awaitable<tests::ZookeeperSession> stranger() { return tests::connect_to(url_); }

    awaitable<void> until_somebody_contends() {
        const auto onlooker = co_await stranger();
        for (;;) {
            const auto znodes = co_await onlooker->children(url_.path);
            if (znodes && !znodes->names.empty()) break;
            co_await async::sleep_for(10ms);
        }
        co_await onlooker->close();
    }

    template <typename Body>
    void run(Body body) {
        async::run_coroutine(context_, std::move(body));
    }

    async::asio::io_context context_;
    zookeeper::Url url_;
    base::Duration session_timeout_ = session_timeout;
    std::filesystem::path key_file_;
};

TEST_F(ElectionTest, FirstLeadsAndAllKnowIt) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        auto b = contender("b");
        co_await b->until_leader("a");
        auto c = contender("c");
        co_await c->until_leader("a");
        EXPECT_EQ(a->leaders.back(), "a");
        EXPECT_FALSE(b->leading || c->leading);
        co_await a->election.resign();
        co_await b->until_leading();
        co_await c->until_leader("b");
        EXPECT_FALSE(c->leading);
        co_await b->election.resign();
        co_await c->until_leading();
        co_await c->election.resign();
    });
}

TEST_F(ElectionTest, WhoLeadsKnowsWhoIsNext) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        auto b = contender("b");
        co_await a->until_next("b");
        auto c = contender("c");
        co_await c->until_leader("a");
        co_await a->election.resign();
        co_await b->until_next("c");
        EXPECT_EQ(a->nexts, std::vector<std::string>{"b"}) << "c comes after b";
        EXPECT_TRUE(c->nexts.empty()) << "it does not lead";
        co_await c->election.resign();
        co_await b->until_next("-");
        co_await b->election.resign();
    });
}

TEST_F(ElectionTest, WhoDoesNotLeadAnyMoreNamesNobody) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        auto b = contender("b");
        co_await a->until_next("b");
        ZookeeperServer::shared().freeze();
        co_await a->until([&] { return !a->leading; });
        EXPECT_EQ(a->nexts.back(), "-");
        ZookeeperServer::shared().thaw();
        co_await a->until([&] { return a->leaders.back() != "-"; });
        Contender& leader = a->leaders.back() == "a" ? *a : *b;
        co_await leader.until([&] { return !leader.nexts.empty() && leader.nexts.back() != "-"; });
        co_await a->election.resign();
        co_await b->election.resign();
    });
}

TEST_F(ElectionTest, ResigningHandsOverLongBeforeTheSessionsEnd) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        auto b = contender("b");
        co_await b->until_leader("a");
        const auto resigned = base::read_clocks().instant;
        co_await a->election.resign();
        co_await b->until_leading();
        EXPECT_LT(base::read_clocks().instant - resigned, session_timeout / 2);
        EXPECT_TRUE(a->reasons.empty()) << "who resigns knows it";
        co_await b->election.resign();
    });
}

TEST_F(ElectionTest, LeaseIsExtendedWhileZookeeperAnswers) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        const auto first = a->lease;
        co_await a->until([&] { return a->extended >= 3; });
        EXPECT_GT(a->lease, first);
        EXPECT_EQ(a->gained, 1);
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, LeadershipIsGivenUpBeforeTheSessionCanHaveExpired) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        const auto frozen = base::read_clocks().instant;
        ZookeeperServer::shared().freeze();
        co_await a->until([&] { return !a->leading; });
        EXPECT_LT(base::read_clocks().instant - frozen, session_timeout);
        EXPECT_EQ(a->reasons.back(), "ZooKeeper has confirmed nothing for too long");
        EXPECT_EQ(a->leaders.back(), "-");
        ZookeeperServer::shared().thaw();
        co_await a->until_leading();  // in its old session or a new one
        EXPECT_EQ(a->gained, 2);
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, AStandbyThatHearsNothingForASessionsLengthNamesNobody) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        auto b = contender("b");
        co_await b->until_leader("a");
        ZookeeperServer::shared().freeze();
        co_await b->until_leader("-");
        ZookeeperServer::shared().thaw();
        co_await b->until([&] { return b->leaders.back() != "-"; });  // whoever it is now
        co_await a->election.resign();
        co_await b->until_leading();
        co_await b->election.resign();
    });
}

TEST_F(ElectionTest, WhoStepsAsideContendsBehindTheOthers) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        auto b = contender("b");
        co_await b->until_leader("a");
        a->election.step_aside("it has its reasons");
        EXPECT_EQ(a->reasons, std::vector<std::string>{"it has its reasons"});
        co_await b->until_leading();
        co_await a->until_leader("b");
        co_await b->election.resign();
        co_await a->until([&] { return a->gained == 2; });
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, WhoRestsLooksOnAndDoesNotContend) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        a->election.step_aside("it cannot", 1h);
        co_await a->until_leader("-");
        auto b = contender("b");
        co_await b->until_leading();
        co_await a->until_leader("b");
        const auto other = co_await stranger();
        EXPECT_EQ((co_await other->children(url_.path))->names.size(), 1u) << "its own is not there";
        co_await b->election.resign();
        co_await a->until_leader("-");
        EXPECT_EQ(a->gained, 1);
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, ARestEnds) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        a->election.step_aside("it cannot", 300ms);
        co_await a->until([&] { return a->gained == 2; });
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, AZnodeThatSomebodyRemovesIsMadeAgain) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        const auto other = co_await stranger();
        EXPECT_TRUE(co_await other->remove(url_.path + "/json.info_0000000000"));
        co_await a->until([&] { return a->gained == 2; });
        EXPECT_EQ(a->reasons.size(), 1u);
        const auto children = co_await other->children(url_.path);
        EXPECT_EQ(children->names, std::vector<std::string>{"json.info_0000000001"});
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, WhatOthersHavePutThereIsLeftAloneAndDoesNotLead) {
    run([&]() -> awaitable<void> {
        const auto other = co_await stranger();
        EXPECT_TRUE(co_await zookeeper::make_path(*other, url_.path, zookeeper::Acl::open));
        for (const char* name : {"/json.info_0000000000", "/info_0000000000", "/notes", "/log_replicas", "/json.info_x"})
            EXPECT_TRUE(co_await other->create(url_.path + name, "garbage"));
        auto a = contender("a");
        co_await a->until_leading();
        co_await a->election.resign();
        // Its own znode goes with its session, which may be a moment later.
        std::size_t left = 0;
        const auto deadline = base::read_clocks().instant + patience;
        do left = (co_await other->children(url_.path))->names.size();
        while (left != 5 && base::read_clocks().instant < deadline);
        EXPECT_EQ(left, 5u);
    });
}

TEST_F(ElectionTest, AMasterThatCannotBeReadLeadsAndIsNotNamed) {
    run([&]() -> awaitable<void> {
        auto other = co_await stranger();
        EXPECT_TRUE(co_await zookeeper::make_path(*other, url_.path, zookeeper::Acl::open));
        const zookeeper::CreateOptions ephemeral{.lifetime = zookeeper::Lifetime::ephemeral,
                                                 .naming = zookeeper::Naming::sequential};
        EXPECT_TRUE(co_await other->create(url_.path + "/json.info_", "of a later version", ephemeral));
        auto a = contender("a");
        co_await a->until_leader("-");
        EXPECT_FALSE(a->leading);
        co_await other->close();
        co_await a->until_leading();
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, ALeaderWhoseZnodeIsOverwrittenLeadsOnAndIsFoundAgain) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        auto b = contender("b");
        co_await b->until_leader("a");
        const auto other = co_await stranger();
        const auto names = co_await other->children(url_.path);
        const std::string znode = url_.path + "/" + detection::sort_children(names->names).contenders.front();
        for (const std::string& overwritten : {std::string("garbage"), detection::to_znode(master("somebody else"))}) {
            EXPECT_TRUE(co_await other->set(znode, overwritten));
            std::string now = overwritten;
            const auto deadline = base::read_clocks().instant + patience;
            while (now == overwritten && base::read_clocks().instant < deadline) now = (co_await other->get(znode))->data;
            EXPECT_EQ(now, detection::to_znode(master("a")));
            co_await b->until_leader("a");
        }
        EXPECT_TRUE(a->leading && a->reasons.empty());
        co_await b->election.resign();
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, StartsWithoutAZookeeperAndContendsWhenThereIsOne) {
    run([&]() -> awaitable<void> {
        ZookeeperServer::shared().kill();
        auto a = contender("a");
        co_await async::sleep_for(10ms);
        EXPECT_FALSE(a->leading || a->ended);
        ZookeeperServer::shared().start();
        co_await a->until_leading();
        co_await a->election.resign();
    });
}

TEST_F(ElectionTest, RefusedRightsAreToldAndItIsOver) {
    run([&]() -> awaitable<void> {
        url_.credentials = zookeeper::Credentials{"fairlead", "secret"};
        auto a = contender("a");
        co_await a->until_leading();
        url_.credentials->password = "wrong";
        auto b = contender("b");
        co_await b->until([&] { return !b->hopeless.empty(); });
        EXPECT_EQ(b->hopeless, "ZooKeeper: create " + url_.path + "/json.info_: not permitted with our credentials");
        EXPECT_TRUE(a->leading) << "and nothing happened to who was right";
        co_await b->election.resign();
        co_await a->election.resign();
    });
}

class KeptKey : public ElectionTest {
  protected:
    KeptKey() {
        std::string name = (std::filesystem::temp_directory_path() / "fairlead-key-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        key_file_ = folder_ / "key";
    }
    ~KeptKey() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
};

TEST_F(KeptKey, IsThereWhileTheSessionLives) {
    run([&]() -> awaitable<void> {
        auto a = contender("a");
        co_await a->until_leading();
        EXPECT_TRUE(read_kept(key_file_).value());
        co_await a->election.resign();
        EXPECT_FALSE(std::filesystem::exists(key_file_));
    });
}

// A master of a process of its own, which contends and does nothing else, to be killed.
class MasterProcess {
  public:
    explicit MasterProcess(const ElectionOptions& options) : process_(::fork()) {
        if (process_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        async::asio::io_context context;
        Contender contender(context, options);
        context.run();
        ::_exit(0);
    }
    ~MasterProcess() { kill(); }

    void kill() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = 0;
    }

  private:
    ::pid_t process_;
};

// What ExecStopPost does. Sessions are long, so that nobody takes the wait for their end for it.
TEST_F(KeptKey, ClosesTheSessionSoThatTheStandbyNeedNotWaitForItsEnd) {
    ZookeeperServer server(2s);
    url_.servers = {server.address()};
    session_timeout_ = 40s;
    MasterProcess a(options("a"));
    run([&]() -> awaitable<void> {
        const auto key_file = std::exchange(key_file_, {});
        co_await until_somebody_contends();
        auto b = contender("b");
        co_await b->until_leader("a");
        a.kill();
        const auto killed = base::read_clocks().instant;
        const auto closed = close_kept(key_file, patience);
        EXPECT_TRUE(closed) << closed.error().message();
        EXPECT_FALSE(std::filesystem::exists(key_file));
        co_await b->until_leading();
        EXPECT_LT(base::read_clocks().instant - killed, session_timeout_);
        co_await b->election.resign();
    });
}

}  // namespace
}  // namespace fairlead::masterd::election
