// Who leads, as agents see it, over a real ZooKeeper.

#include "common/detection/detector.hpp"

#include "common/async/task_group.hpp"
#include "common/async/wake.hpp"
#include "common/detection/find_leader.hpp"
#include "common/log/log.hpp"
#include "common/zookeeper/paths.hpp"
#include "tests/support/zookeeper_server.hpp"
#include "tests/support/zookeeper_sessions.hpp"
#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace fairlead::detection {
namespace {

using async::awaitable;
using tests::ZookeeperServer;
using namespace std::chrono_literals;

constexpr base::Duration patience = 30s;

std::string znode_of(const std::string& id) {
    return R"({"id":")" + id + R"(","ip":16777343,"port":5050,"hostname":"h"})";
}

class DetectorTest : public testing::Test {
  protected:
    DetectorTest() : changed_(context_.get_executor()), tasks_(context_.get_executor(), nullptr) {
        static std::atomic<int> tests{0};
        url_.servers = {ZookeeperServer::shared().address()};
        url_.path = "/detected/by" + std::to_string(++tests);
    }

    void follow() {
        tasks_.spawn("detector", follow_leader(url_, {.session_timeout = 1s}, [this](const auto& info) {
                         leaders_.push_back(info ? info->id() : "-");
                         changed_.ring();
                     }));
    }
    awaitable<void> until_leader(std::string id) {
        while (leaders_.empty() || leaders_.back() != id) {
            const bool rung = co_await changed_.wait_for(patience);
            if (!rung) throw std::runtime_error("the leader was not seen");
        }
    }
    // What is written to the journal until these words are.
    awaitable<std::string> journal_with(std::string words) {
        std::string said;
        for (int i = 0; i < 300 && said.find(words) == std::string::npos; ++i) {
            testing::internal::CaptureStderr();
            (void)co_await changed_.wait_for(100ms);
            log::flush();
            said += testing::internal::GetCapturedStderr();
        }
        co_return said;
    }
    awaitable<tests::ZookeeperSession> session() { return tests::connect_to(url_); }
    // Of a session of its own, as a master has it.
    awaitable<tests::ZookeeperSession> master(std::string data) { return tests::contend(url_, std::move(data)); }
    template <typename Body>
    void run(Body body) {
        async::run_coroutine(context_, [&]() -> awaitable<void> {
            co_await body();
            tasks_.stop();
            co_await tasks_.join();
        });
    }

    async::asio::io_context context_;
    zookeeper::Url url_;
    async::Wake changed_;
    async::TaskGroup tasks_;
    std::vector<std::string> leaders_;
};

TEST_F(DetectorTest, FollowsTheLeaderFromBeforeThePathIsThere) {
    run([&]() -> awaitable<void> {
        follow();
        co_await until_leader("-");
        const auto a = co_await master(znode_of("a"));
        co_await until_leader("a");
        const auto b = co_await master(znode_of("b"));
        co_await a->close();
        co_await until_leader("b");
        co_await b->close();
        co_await until_leader("-");
        EXPECT_EQ(leaders_, (std::vector<std::string>{"-", "a", "b", "-"}));
    });
}

TEST_F(DetectorTest, AnUnreadableLeaderIsNobodyUntilItGoes) {
    run([&]() -> awaitable<void> {
        follow();
        const auto odd = co_await master("garbage");
        const auto a = co_await master(znode_of("a"));
        co_await until_leader("-");
        co_await odd->close();
        co_await until_leader("a");
        co_await a->close();
    });
}

// ZooKeeper sends an event before any answer that already knows of the change.
TEST_F(DetectorTest, NothingThatChangesDuringALookIsMissed) {
    run([&]() -> awaitable<void> {
        const auto leader = co_await master(znode_of("a"));
        const auto names = co_await leader->children(url_.path);
        const std::string znode = zookeeper::join(url_.path, names->names.front());
        int written = 0;
        // As long after the look's begin as `reads` of its own take.
        const auto write = [&](int reads) -> awaitable<void> {
            for (int i = 0; i < reads; ++i) EXPECT_TRUE(co_await leader->exists(znode));
            EXPECT_TRUE(co_await leader->set(znode, znode_of(std::to_string(written + 1)), zookeeper::any_version));
            ++written;
            changed_.ring();
        };
        const auto reader = co_await session();
        int unchanged = 0;
        for (int look = 1; look <= 300; ++look) {
            tasks_.spawn("writer", write(look % 4));
            const auto changed = std::make_shared<bool>(false);
            const zookeeper::Watch watch = [changed] { *changed = true; };
            const auto found = co_await find_leader(*reader, url_.path, watch);
            while (written < look) co_await changed_.wait();
            const auto now = co_await reader->get(znode);
            if (!found || !now) throw std::runtime_error("ZooKeeper does not answer");
            if (*changed) continue;
            ++unchanged;
            EXPECT_EQ(now->data, znode_of(found->leader->info->id()));
        }
        EXPECT_GT(unchanged, 0);
        co_await leader->close();
    });
}

TEST_F(DetectorTest, LastLeaderStaysWhileZookeeperIsAway) {
    run([&]() -> awaitable<void> {
        const auto a = co_await master(znode_of("a"));
        follow();
        co_await until_leader("a");
        ZookeeperServer::shared().kill();
        EXPECT_FALSE(co_await changed_.wait_for(300ms));
        ZookeeperServer::shared().start();
        const auto b = co_await master(znode_of("b"));
        co_await a->close();
        co_await until_leader("b");
        co_await b->close();
    });
}

TEST_F(DetectorTest, NobodyIsNamedWhenZookeeperIsAwayForASessionsLength) {
    run([&]() -> awaitable<void> {
        const auto a = co_await master(znode_of("a"));
        follow();
        co_await until_leader("a");
        ZookeeperServer::shared().kill();
        co_await until_leader("-");
        ZookeeperServer::shared().start();
        const auto b = co_await master(znode_of("b"));
        co_await a->close();
        co_await until_leader("b");
        co_await b->close();
    });
}

// As a site may make it that shows nobody its masters.
TEST_F(DetectorTest, AClosedTreeIsReadWithItsPasswordAndTheJournalTellsWhoHasAnother) {
    url_.path = "/closed/to/others";
    url_.credentials = zookeeper::Credentials{"fairlead", "secret"};
    run([&]() -> awaitable<void> {
        const auto a = co_await tests::contend(url_, znode_of("a"), zookeeper::Acl::creator_all);
        follow();
        co_await until_leader("a");
        url_.credentials->password = "wrong";
        follow();
        const std::string wanted = "ZooKeeper: children of /closed/to/others: not permitted with our credentials: trying again";
        const auto said = co_await journal_with(wanted);
        EXPECT_NE(said.find(wanted), std::string::npos) << said;
        EXPECT_EQ(leaders_, std::vector<std::string>{"a"}) << "who may not read names nobody";
        co_await a->close();
    });
}

}  // namespace
}  // namespace fairlead::detection
