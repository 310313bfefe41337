// Against a real server: what a Session promises, including what happens when the server goes away.

#include "common/zookeeper/session.hpp"

#include "common/async/deadline.hpp"
#include "common/async/task_group.hpp"
#include "common/async/wake.hpp"
#include "common/zookeeper/paths.hpp"
#include "tests/support/zookeeper_server.hpp"
#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

namespace fairlead::zookeeper {
namespace {

using async::awaitable;
using base::ErrorCode;
using tests::ZookeeperServer;

constexpr std::chrono::seconds patience{30};

// A session with its events, and a word for waiting for one.
struct Client {
    explicit Client(async::asio::io_context& context, SessionOptions options)
        : changed(context.get_executor()),
          session(std::make_unique<Session>(context.get_executor(), std::move(options),
                                            [this](const SessionEvent& event) {
                                                events.push_back(event);
                                                changed.ring();
                                            })) {}

    template <typename Event>
    awaitable<Event> next() {
        for (;;) {
            while (seen < events.size())
                if (const auto* event = std::get_if<Event>(&events[seen++])) co_return *event;
            if (!co_await changed.wait_for(patience)) throw std::runtime_error("the event did not come");
        }
    }

    async::Wake changed;
    std::vector<SessionEvent> events;
    std::size_t seen = 0;
    std::unique_ptr<Session> session;
};

class ZookeeperSession : public testing::Test {
  protected:
    ZookeeperSession() {
        static std::atomic<int> tests{0};
        root_ = "/test" + std::to_string(++tests);
    }

    SessionOptions options(base::Duration timeout = std::chrono::seconds(4)) const {
        return {.servers = ZookeeperServer::shared().address(), .timeout = timeout};
    }
    std::unique_ptr<Client> client(SessionOptions options) {
        return std::make_unique<Client>(context_, std::move(options));
    }
    std::unique_ptr<Client> client() { return client(options()); }

    template <typename Body>
    void run(Body body) {
        async::run_coroutine(context_, std::move(body));
    }
    // Connected, and with a znode of the test's own.
    template <typename Body>
    void run_connected(Body body) {
        run([&]() -> awaitable<void> {
            auto own = client();
            co_await own->next<Connected>();
            EXPECT_TRUE(co_await make_path(*own->session, root_, Acl::open));
            co_await body(*own->session);
            co_await own->session->close();
        });
    }

    async::asio::io_context context_;
    std::string root_;
};

TEST_F(ZookeeperSession, CreatesReadsSetsAndRemoves) {
    run_connected([&](Session& session) -> awaitable<void> {
        const std::string path = join(root_, "a");
        const auto made = co_await session.create(path, std::string("one\0two", 7));
        EXPECT_EQ(made.value(), path);
        auto node = co_await session.get(path);
        EXPECT_TRUE(node);
        EXPECT_EQ(node->data, std::string("one\0two", 7));
        EXPECT_EQ(node->stat.version, 0);
        const auto set = co_await session.set(path, "three", 0);
        EXPECT_TRUE(set);
        EXPECT_EQ(set->version, 1);
        const auto children = co_await session.children(root_);
        EXPECT_TRUE(children);
        EXPECT_EQ(children->names, std::vector<std::string>{"a"});
        EXPECT_TRUE(co_await session.remove(path, 1));
        const auto gone = co_await session.exists(path);
        EXPECT_TRUE(gone);
        EXPECT_FALSE(gone->has_value());
    });
}

TEST_F(ZookeeperSession, RefusalsHaveTheirCodes) {
    run_connected([&](Session& session) -> awaitable<void> {
        const std::string path = join(root_, "a");
        EXPECT_TRUE(co_await session.create(path));
        EXPECT_EQ((co_await session.create(path)).error().code(), ErrorCode::already_exists);
        EXPECT_EQ((co_await session.set(path, "x", 7)).error().code(), ErrorCode::conflict);
        EXPECT_EQ((co_await session.get(path + "/b")).error().code(), ErrorCode::not_found);
        EXPECT_EQ((co_await session.remove(root_)).error().code(), ErrorCode::conflict) << "it has a child";
        EXPECT_EQ((co_await session.get("no/slash")).error().code(), ErrorCode::invalid_argument);
        const auto large = co_await session.create(path + "x", std::string(data_bytes_max + 1, 'x'));
        EXPECT_EQ(large.error().code(), ErrorCode::limit_exceeded);
        const auto error = (co_await session.set(path, "x", 7)).error();
        EXPECT_EQ(error.message(), "ZooKeeper: set " + path + ": somebody else has changed it");
    });
}

TEST_F(ZookeeperSession, TakesTheLargestDataThatItPromises) {
    run_connected([&](Session& session) -> awaitable<void> {
        const std::string data(data_bytes_max, 'x');
        EXPECT_TRUE(co_await session.create(join(root_, "large"), data));
        const auto node = co_await session.get(join(root_, "large"));
        EXPECT_TRUE(node && node->data == data);
    });
}

TEST_F(ZookeeperSession, SequentialZnodesGetTenDigits) {
    run_connected([&](Session& session) -> awaitable<void> {
        const CreateOptions options{.lifetime = Lifetime::ephemeral, .naming = Naming::sequential};
        const auto first = co_await session.create(join(root_, "json.info_"), "", options);
        const auto second = co_await session.create(join(root_, "json.info_"), "", options);
        EXPECT_EQ(first.value(), join(root_, "json.info_0000000000"));
        EXPECT_EQ(second.value(), join(root_, "json.info_0000000001"));
    });
}

TEST_F(ZookeeperSession, SeveralOperationsAreOneStep) {
    run_connected([&](Session& session) -> awaitable<void> {
        const std::string a = join(root_, "a"), b = join(root_, "b"), c = join(root_, "c_");
        EXPECT_TRUE(co_await session.create(a, "old"));
        std::vector<Operation> operations{Check{a, 0}, Set{a, "new", 0}, Create{.path = b},
                                          Create{.path = c, .options = {.naming = Naming::sequential}}};
        const auto done = co_await session.multi(operations);
        EXPECT_TRUE(done) << done.error().message();
        EXPECT_EQ((*done)[1].stat.version, 1);
        EXPECT_EQ((*done)[2].path, b);
        EXPECT_EQ((*done)[3].path, c + "0000000002");
        operations = {Remove{b}, Remove{c + "0000000002", 0}};
        EXPECT_TRUE(co_await session.multi(operations));
        const auto node = co_await session.get(a);
        EXPECT_EQ(node.value().data, "new");
    });
}

TEST_F(ZookeeperSession, OneRefusedOperationUndoesAllAndIsNamed) {
    run_connected([&](Session& session) -> awaitable<void> {
        const std::string a = join(root_, "a"), b = join(root_, "b");
        EXPECT_TRUE(co_await session.create(a));
        std::optional<std::size_t> refused;
        const std::vector<Operation> operations{Create{.path = b}, Check{a, 5}, Remove{a}};
        const auto done = co_await session.multi(operations, &refused);
        EXPECT_EQ(done.error().code(), ErrorCode::conflict);
        EXPECT_EQ(done.error().message(), "ZooKeeper: check " + a + ": somebody else has changed it");
        EXPECT_EQ(refused, 1u);
        EXPECT_FALSE((co_await session.exists(b)).value());
        EXPECT_TRUE((co_await session.exists(a)).value());
    });
}

TEST_F(ZookeeperSession, WatchTellsOnceThatSomethingChanged) {
    run_connected([&](Session& session) -> awaitable<void> {
        const async::Wake rung(co_await async::asio::this_coro::executor);
        int data = 0, children = 0, existence = 0;
        const auto count = [&](int& counter) { return [&counter, rung] { ++counter; rung.ring(); }; };
        const std::string path = join(root_, "a");
        EXPECT_TRUE(co_await session.exists(path, count(existence)));
        EXPECT_TRUE(co_await session.children(root_, count(children)));
        EXPECT_FALSE(co_await session.get(path, count(data))) << "and leaves no watch, as there is nothing to watch";
        EXPECT_TRUE(co_await session.create(path));
        EXPECT_TRUE(co_await session.get(path, count(data)));
        EXPECT_TRUE(co_await session.set(path, "x"));
        EXPECT_TRUE(co_await session.set(path, "y"));
        while (data + children + existence < 3) EXPECT_TRUE(co_await rung.wait_for(patience));
        EXPECT_TRUE(co_await session.exists(path)) << "whatever else is on its way has arrived now";
        EXPECT_EQ(data, 1);
        EXPECT_EQ(children, 1);
        EXPECT_EQ(existence, 1);
    });
}

TEST_F(ZookeeperSession, RightsAreThoseOfTheCredentials) {
    run([&]() -> awaitable<void> {
        auto with_name = options(), with_other = options();
        with_name.credentials = Credentials{"me", "secret"};
        with_other.credentials = Credentials{"me", "wrong"};
        auto mine = client(with_name), other = client(with_other), nobody = client();
        co_await mine->next<Connected>();
        co_await other->next<Connected>();
        co_await nobody->next<Connected>();
        EXPECT_TRUE(co_await make_path(*mine->session, root_, Acl::creator_all_world_read));
        EXPECT_TRUE(co_await mine->session->create(root_ + "/hidden", "", {.acl = Acl::creator_all}));
        EXPECT_TRUE(co_await nobody->session->get(root_));
        EXPECT_EQ((co_await nobody->session->get(root_ + "/hidden")).error().code(), ErrorCode::permission_denied);
        EXPECT_EQ((co_await other->session->create(root_ + "/x")).error().code(), ErrorCode::permission_denied);
        EXPECT_EQ((co_await nobody->session->create(root_ + "2", "", {.acl = Acl::creator_all})).error().code(),
                  ErrorCode::permission_denied) << "rights for a creator without a name";
        EXPECT_TRUE(co_await mine->session->create(root_ + "/x"));
    });
}

TEST_F(ZookeeperSession, ClosingTakesItsEphemeralZnodesAlongAtOnce) {
    run_connected([&](Session& session) -> awaitable<void> {
        auto other = client(options(std::chrono::seconds(4)));
        co_await other->next<Connected>();
        const std::string path = join(root_, "e");
        EXPECT_TRUE(co_await other->session->create(path, "", {.lifetime = Lifetime::ephemeral}));
        co_await other->session->close();
        EXPECT_FALSE((co_await session.exists(path)).value());
        EXPECT_EQ((co_await other->session->get(path)).error().code(), ErrorCode::cancelled);
    });
}

// In a process of its own: opens a session, makes an ephemeral znode, hands out the session's key, and waits for its
// end.
[[noreturn]] void be_a_doomed_owner(const SessionOptions& options, const std::string& path, int key_pipe) {
    async::asio::io_context context;
    async::run_coroutine(context, [&]() -> awaitable<void> {
        Client own(context, options);
        const SessionKey key = (co_await own.next<Connected>()).key;
        if (!co_await own.session->create(path, "", {.lifetime = Lifetime::ephemeral})) ::_exit(1);
        if (::write(key_pipe, &key, sizeof key) != sizeof key) ::_exit(1);
        for (;;) ::pause();
    });
    ::_exit(1);
}

TEST_F(ZookeeperSession, KeyOfAProcessThatDiedClosesItsSessionAtOnce) {
    const auto long_lived = options(std::chrono::seconds(2));  // the longest that this server grants
    const std::string path = root_ + "-of-the-dead";
    int key_pipe[2];
    ASSERT_EQ(::pipe(key_pipe), 0);
    const ::pid_t owner = ::fork();
    if (owner == 0) be_a_doomed_owner(long_lived, path, key_pipe[1]);
    SessionKey key;
    ASSERT_EQ(::read(key_pipe[0], &key, sizeof key), static_cast<ssize_t>(sizeof key));
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    ::close(key_pipe[0]);
    ::close(key_pipe[1]);
    run_connected([&](Session& session) -> awaitable<void> {
        EXPECT_TRUE((co_await session.exists(path)).value()) << "its session lives on";
        auto take_over = long_lived;
        take_over.resume = key;
        auto closer = client(take_over);
        EXPECT_EQ((co_await closer->next<Connected>()).key.id, key.id);
        co_await closer->session->close();
        EXPECT_FALSE((co_await session.exists(path)).value());
    });
}

TEST_F(ZookeeperSession, ExpiresWhenSomebodyElseClosesIt) {
    run([&]() -> awaitable<void> {
        auto own = client();
        auto take_over = options();
        take_over.resume = (co_await own->next<Connected>()).key;
        // The two take the connection from each other, until the second gets to close what is the first's too.
        while (own->session->state() != SessionState::expired) {
            auto closer = client(take_over);
            while (closer->events.empty()) EXPECT_TRUE(co_await closer->changed.wait_for(patience));
            co_await closer->session->close();
            co_await own->session->exists("/");  // a turn for whatever is on its way
        }
        co_await own->next<Expired>();
        EXPECT_EQ((co_await own->session->exists("/")).error().code(), ErrorCode::unavailable);
    });
}

TEST_F(ZookeeperSession, WrongPasswordOfASessionIsItsEnd) {
    run([&]() -> awaitable<void> {
        auto own = client();
        auto key = (co_await own->next<Connected>()).key;
        key.password[0] = static_cast<char>(key.password[0] + 1);
        auto take_over = options();
        take_over.resume = key;
        auto closer = client(take_over);
        co_await closer->next<Expired>();
        // The server has cut the connection of the real owner, who comes back; it may cut the first of these as well.
        base::Result<std::optional<Stat>> root = base::Error(ErrorCode::unavailable, "not asked yet");
        while (!root) {
            EXPECT_EQ((co_await own->next<Connected>()).key.id, key.id);
            root = co_await own->session->exists("/");
        }
    });
}

TEST_F(ZookeeperSession, OutlivesARestartOfTheServer) {
    run([&]() -> awaitable<void> {
        auto own = client(options(std::chrono::seconds(2)));
        const auto first = co_await own->next<Connected>();
        EXPECT_TRUE(co_await make_path(*own->session, root_, Acl::open));
        EXPECT_TRUE(co_await own->session->create(root_ + "/e", "", {.lifetime = Lifetime::ephemeral}));
        ZookeeperServer::shared().kill();
        co_await own->next<Suspended>();
        EXPECT_EQ((co_await own->session->get(root_)).error().code(), ErrorCode::unavailable);
        ZookeeperServer::shared().start();
        const auto second = co_await own->next<Connected>();
        EXPECT_EQ(second.key, first.key);
        EXPECT_TRUE((co_await own->session->exists(root_ + "/e")).value());
    });
}

TEST_F(ZookeeperSession, WhatIsLostOnTheWayIsUnknownForChangesAndRepeatableForReads) {
    run([&]() -> awaitable<void> {
        auto own = client(options(std::chrono::seconds(2)));
        co_await own->next<Connected>();
        EXPECT_TRUE(co_await make_path(*own->session, root_, Acl::open));
        const auto before = own->session->alive_at();
        EXPECT_TRUE(before.has_value());
        ZookeeperServer::shared().freeze();
        std::optional<ErrorCode> read, change;
        async::TaskGroup tasks(co_await async::asio::this_coro::executor, nullptr);
        tasks.spawn("read", [](Session& session, std::string path, std::optional<ErrorCode>& code) -> awaitable<void> {
            code = (co_await session.get(path)).error().code();
        }(*own->session, root_, read));
        tasks.spawn("change", [](Session& session, std::string path, std::optional<ErrorCode>& code) -> awaitable<void> {
            code = (co_await session.create(path)).error().code();
        }(*own->session, root_ + "/x", change));
        co_await tasks.join();
        EXPECT_EQ(read, ErrorCode::unavailable);
        EXPECT_EQ(change, ErrorCode::outcome_unknown);
        EXPECT_EQ(own->session->alive_at(), before) << "nothing was answered";
        ZookeeperServer::shared().thaw();
    });
}

TEST_F(ZookeeperSession, WaitingOperationsEndWhenTheSessionIsDropped) {
    run([&]() -> awaitable<void> {
        auto own = client();
        co_await own->next<Connected>();
        ZookeeperServer::shared().freeze();
        std::vector<ErrorCode> codes;
        async::TaskGroup tasks(co_await async::asio::this_coro::executor, nullptr);
        for (int i = 0; i < 100; ++i)
            tasks.spawn("read", [](Session& session, std::vector<ErrorCode>& all) -> awaitable<void> {
                all.push_back((co_await session.get("/", [] {})).error().code());
            }(*own->session, codes));
        tasks.spawn("multi", [](Session& session, std::vector<ErrorCode>& all) -> awaitable<void> {
            const std::vector<Operation> operations{Set{"/", "x"}, Check{"/"}};
            all.push_back((co_await session.multi(operations)).error().code());
        }(*own->session, codes));
        co_await async::sleep_for(std::chrono::milliseconds(1));  // they have begun
        own->session.reset();
        co_await tasks.join();
        ZookeeperServer::shared().thaw();
        EXPECT_EQ(codes, std::vector<ErrorCode>(101, ErrorCode::cancelled));
    });
}

TEST_F(ZookeeperSession, WaitsForAServerThatIsNotThereYet) {
    run([&]() -> awaitable<void> {
        ZookeeperServer::shared().kill();
        auto own = client();
        EXPECT_EQ((co_await own->session->get("/")).error().code(), ErrorCode::unavailable);
        ZookeeperServer::shared().start();
        co_await own->next<Connected>();
        EXPECT_TRUE(co_await own->session->get("/"));
    });
}

TEST_F(ZookeeperSession, FindsTheOneServerOfSeveralThatServes) {
    run([&]() -> awaitable<void> {
        auto several = options();
        several.servers = "127.0.0.1:1," + several.servers + ",127.0.0.1:2";
        auto own = client(several);
        co_await own->next<Connected>();
    });
}

TEST_F(ZookeeperSession, NamesThatDoNotResolveAreTriedAgainUntilItIsClosed) {
    run([&]() -> awaitable<void> {
        auto nowhere = options();
        nowhere.servers = "no-such-host.invalid:2181";
        auto own = client(nowhere);
        EXPECT_EQ((co_await own->session->get("/")).error().code(), ErrorCode::unavailable);
        co_await own->session->close();
        EXPECT_TRUE(own->events.empty());
    });
}

}  // namespace
}  // namespace fairlead::zookeeper
