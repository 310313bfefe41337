#include "masterd/driver/driver.hpp"

#include "masterd/registry/sqlite_registry.hpp"
#include "tests/support/master_messages.hpp"
#include "tests/support/scratch_folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <thread>

namespace fairlead::masterd::driver {
namespace {

struct NoOffers final : allocator::Module {
    explicit NoOffers(int& counter) : plans(counter) {}
    allocator::Plan plan(const allocator::Snapshot&, const allocator::Changes&) override {
        ++plans;
        return {};
    }
    int& plans;
};

struct Subscriber final : Caller {
    std::optional<core::RequestId> stream;
    std::string stream_id;
    unsigned status = 0;
    void reply(unsigned with, std::string) override { status = with; }
    void open_stream(core::RequestId opened, const std::string& id) override {
        stream = opened;
        stream_id = id;
    }
    void send(std::shared_ptr<const v1::scheduler::Event>) override {}
    void close_stream() override {}
};

struct Connection final : AgentConnection {
    void send(std::shared_ptr<const internal::FromMaster>) override {}
    void close() override {}
};

// A driver that runs only when the test lets it.
class DriverTest : public testing::Test {
  protected:
    DriverTest() {
        boost::asio::co_spawn(context, driver.run(), [](std::exception_ptr failure) { ASSERT_FALSE(failure); });
        driver.lead({1, {}});
        poll();
    }
    ~DriverTest() override {
        driver.stop();
        poll();
    }

    void poll() {
        context.poll();
        context.restart();
    }
    void fill_the_mailbox() {
        while (driver.look([](const core::State&) {})) {}
    }
    bool is_connected(const std::string& framework) {
        bool connected = false;
        driver.look([&](const core::State& state) {
            const auto* found = state.books.framework(base::FrameworkId(framework));
            connected = found != nullptr && found->is_connected();
        });
        poll();
        return connected;
    }

    int plans = 0;
    boost::asio::io_context context;
    Driver driver{context.get_executor(),
                  std::make_unique<core::Core>(core::CoreOptions{}, std::make_unique<NoOffers>(plans), 1),
                  [](const core::Report&) {}};
};

TEST_F(DriverTest, APlanThatIsReadyIsAskedForAlsoWhenTheMailboxIsFull) {
    fill_the_mailbox();
    const int before = plans;
    driver.plan_ready();
    poll();
    EXPECT_EQ(plans, before + 1);
}

TEST_F(DriverTest, AStreamsEndIsHeardAlsoWhenTheMailboxIsFull) {
    auto info = tests::framework_info();
    info.mutable_id()->set_value("f");
    info.set_failover_timeout(3600);
    auto subscriber = std::make_shared<Subscriber>();
    core::CallArrived call;
    call.call = std::make_shared<const v1::scheduler::Call>(tests::subscribe_call(info));
    driver.call(std::move(call), subscriber);
    poll();
    ASSERT_TRUE(subscriber->stream);
    ASSERT_TRUE(is_connected("f"));
    fill_the_mailbox();
    driver.stream_closed(*subscriber->stream);
    poll();
    EXPECT_FALSE(is_connected("f"));
}

TEST_F(DriverTest, ALinksEndIsHeardAlsoWhenTheMailboxIsFull) {
    const auto link = driver.link_opened("127.0.0.1", std::make_shared<Connection>());
    ASSERT_TRUE(link);
    auto registration = tests::register_message(tests::agent_info("host1"));
    registration.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("a");
    driver.link_message(*link, std::make_shared<const internal::FromAgent>(registration));
    poll();
    fill_the_mailbox();
    driver.link_closed(*link);
    poll();
    bool linked = true;
    driver.look([&](const core::State& state) {
        linked = state.books.agent(base::AgentId("a"))->link.has_value();
    });
    poll();
    EXPECT_FALSE(linked);
}

TEST_F(DriverTest, WhoAsksWhetherItIsAliveIsAnsweredBeforeAFullMailbox) {
    int taken = 0;
    while (driver.look([&](const core::State&) { ++taken; })) {}
    std::optional<int> taken_before;
    EXPECT_TRUE(driver.look_at_once([&](const core::State&) { taken_before = taken; }));
    poll();
    EXPECT_EQ(taken_before, 0);
    EXPECT_GT(taken, 0);
}

struct HangingModule final : allocator::Module {
    HangingModule(std::latch& hangs, std::latch& goes_on) : hangs(hangs), goes_on(goes_on) {}
    allocator::Plan plan(const allocator::Snapshot&, const allocator::Changes&) override {
        if (std::exchange(is_first, false)) hangs.count_down();
        goes_on.wait();
        return {};
    }
    std::latch& hangs;
    std::latch& goes_on;
    bool is_first = true;
};

TEST(HangingDriver, AnswersNobodyWhileAStepHasNoEnd) {
    std::latch hangs(1), goes_on(1);
    boost::asio::io_context context;
    Driver driver(context.get_executor(),
                  std::make_unique<core::Core>(core::CoreOptions{}, std::make_unique<HangingModule>(hangs, goes_on), 1),
                  [](const core::Report&) {});
    boost::asio::co_spawn(context, driver.run(), [](std::exception_ptr failure) { ASSERT_FALSE(failure); });
    driver.lead({1, {}});
    driver.plan_ready();
    const std::jthread owner([&] { context.run(); });
    hangs.wait();
    constexpr int asked_max = 1000;
    std::atomic<int> answered = 0;
    int asked = 0;
    while (asked < asked_max && driver.look_at_once([&](const core::State&) { ++answered; })) ++asked;
    EXPECT_GT(asked, 0);
    EXPECT_LT(asked, asked_max) << "who asks on and on finds a bound";
    EXPECT_EQ(answered, 0);
    goes_on.count_down();
    std::promise<int> answered_then;
    driver.look([&](const core::State&) { answered_then.set_value(answered); });
    EXPECT_EQ(answered_then.get_future().get(), asked);
    driver.stop();
}

TEST(NarrowMailbox, TakesSoManyBytesOfAgentsAtATime) {
    Driver::Limits limits;
    limits.input_bytes_max = 1000;
    int plans = 0;
    boost::asio::io_context context;
    Driver driver(context.get_executor(),
                  std::make_unique<core::Core>(core::CoreOptions{}, std::make_unique<NoOffers>(plans), 1),
                  [](const core::Report&) {}, {}, limits);
    boost::asio::co_spawn(context, driver.run(), [](std::exception_ptr failure) { ASSERT_FALSE(failure); });
    driver.lead({1, {}});
    const auto poll = [&] {
        context.poll();
        context.restart();
    };
    poll();
    const auto link = driver.link_opened("127.0.0.1", std::make_shared<Connection>());
    internal::FromAgent message;
    message.mutable_executor_message()->mutable_framework_id()->set_value("f");
    message.mutable_executor_message()->mutable_executor_id()->set_value("e");
    message.mutable_executor_message()->set_data(std::string(400, 'x'));
    const auto large = std::make_shared<const internal::FromAgent>(message);
    EXPECT_TRUE(driver.link_message(*link, large));
    EXPECT_TRUE(driver.link_message(*link, large));
    EXPECT_FALSE(driver.link_message(*link, large));
    poll();
    EXPECT_TRUE(driver.link_message(*link, large)) << "what is taken in makes room";
    driver.stop();
    poll();
}

// --- what has to be durable, with the real registry; a lock of another connection is a disk that takes its time ---

struct Listening final : AgentConnection {
    Listening(std::vector<std::string>& happened, std::string name) : happened(happened), name(std::move(name)) {}
    std::vector<std::string>& happened;
    std::string name;
    void send(std::shared_ptr<const internal::FromMaster> message) override {
        if (message->has_registered()) happened.push_back(name + " is registered");
        if (message->has_refused()) happened.push_back(name + " is refused");
    }
    void close() override { happened.push_back(name + " is closed"); }
};

struct Asking final : Caller {
    Asking(std::vector<std::string>& happened, std::string name) : happened(happened), name(std::move(name)) {}
    std::vector<std::string>& happened;
    std::string name;
    void reply(unsigned status, std::string) override { happened.push_back(name + " gets " + std::to_string(status)); }
    void open_stream(core::RequestId, const std::string&) override { happened.push_back(name + " has a stream"); }
    void send(std::shared_ptr<const v1::scheduler::Event>) override {}
    void close_stream() override { happened.push_back(name + "'s stream is closed"); }
};

class Durability : public testing::Test {
  protected:
    using Happened = std::vector<std::string>;

    explicit Durability(Driver::Limits limits = {})
        : driver(context.get_executor(),
                 std::make_unique<core::Core>(core::CoreOptions{}, std::make_unique<NoOffers>(plans), 1),
                 [this](const core::Report& report) { reports.push_back(report.kind); },
                 [this](const base::Error& error) { happened.push_back(error.message()); }, limits) {
        boost::asio::co_spawn(context, driver.run(), [this](std::exception_ptr failure) {
            ASSERT_FALSE(failure);
            has_ended = true;
        });
        auto file = registry::SqliteFile::open(folder.file()).value();
        const std::uint64_t epoch = file.begin_epoch().value();
        registry = std::make_shared<registry::SqliteRegistry>(std::move(file));
        driver.lead({epoch, {}}, registry);
        EXPECT_EQ(sqlite3_open(folder.file().c_str(), &other), SQLITE_OK);
        sqlite3_busy_timeout(other, 5000);
    }
    ~Durability() override {
        sqlite3_close(other);
        driver.stop();
        run_until([this] { return has_ended; });
    }

    void sql(const char* statement) {
        ASSERT_EQ(sqlite3_exec(other, statement, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(other);
    }
    void stall() { sql("BEGIN IMMEDIATE"); }
    void go_on() { sql("COMMIT"); }
    template <typename Condition>
    void run_until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            context.run_one_for(std::chrono::milliseconds(10));
            context.restart();
        }
    }
    void run_until_happened(std::size_t count) {
        run_until([&] { return happened.size() >= count; });
        poll();
    }
    // All that was posted is decided, whether told or not.
    void poll() {
        bool looked = false;
        ASSERT_TRUE(driver.look([&](const core::State&) { looked = true; }));
        run_until([&] { return looked; });
        context.poll();
        context.restart();
    }

    void join(const std::string& name) {
        const auto link = driver.link_opened("127.0.0.1", std::make_shared<Listening>(happened, name));
        ASSERT_TRUE(link);
        driver.link_message(*link, std::make_shared<const internal::FromAgent>(
                                       tests::register_message(tests::agent_info("host " + name))));
    }
    void subscribe(const std::string& name) {
        core::CallArrived call;
        call.call = std::make_shared<const v1::scheduler::Call>(tests::subscribe_call(tests::framework_info()));
        ASSERT_TRUE(driver.call(std::move(call), std::make_shared<Asking>(happened, name)));
    }
    void order(const std::string& name) {
        core::RolesOrdered ordered;
        ordered.orders.push_back({base::Role("eng"), 2.0, {}});
        ASSERT_TRUE(driver.order_roles(std::move(ordered), std::make_shared<Asking>(happened, name)));
    }
    std::size_t agents_written() {
        return registry::SqliteFile::open(folder.file()).value().read().value().agents.size();
    }

    tests::ScratchFolder folder;
    boost::asio::io_context context;
    int plans = 0;
    Happened happened;
    std::vector<core::Report::Kind> reports;
    bool has_ended = false;
    std::shared_ptr<registry::SqliteRegistry> registry;
    sqlite3* other = nullptr;
    Driver driver;
};

TEST_F(Durability, NothingIsToldBeforeItIsWritten) {
    stall();
    join("a");
    poll();
    EXPECT_EQ(happened, Happened{});
    EXPECT_TRUE(reports.empty());
    go_on();
    run_until_happened(1);
    EXPECT_EQ(happened, Happened{"a is registered"});
    EXPECT_EQ(reports, std::vector{core::Report::Kind::agent_registered});
    EXPECT_EQ(agents_written(), 1u);
}

TEST_F(Durability, TheCoreGoesOnMeanwhileAndAllIsToldInItsOrder) {
    stall();
    join("a");
    poll();
    subscribe("f");
    join("b");
    order("o");
    subscribe("g");
    std::size_t agents = 0;
    driver.look([&](const core::State& state) { agents = state.books.agents().size(); });
    poll();
    EXPECT_EQ(agents, 2u) << "decided";
    EXPECT_EQ(happened, Happened{}) << "and not told";
    go_on();
    run_until_happened(5);
    EXPECT_EQ(happened, (Happened{"a is registered", "f has a stream", "b is registered", "o gets 200", "g has a stream"}));
    EXPECT_EQ(agents_written(), 2u);
}

TEST_F(Durability, WhatWaitsForAWriteGoesInOneTransaction) {
    stall();
    join("a");
    poll();
    for (int i = 0; i < 100; ++i) join("b" + std::to_string(i));
    poll();
    go_on();
    run_until_happened(101);
    EXPECT_EQ(driver.writes(), 2u);
}

TEST_F(Durability, AFailedWriteEndsLeadershipAndNothingOfItIsTold) {
    sql("CREATE TRIGGER full BEFORE INSERT ON agents BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    subscribe("f");
    poll();
    stall();
    join("a");
    poll();
    order("o");
    subscribe("g");
    poll();
    go_on();
    run_until_happened(6);
    EXPECT_EQ(happened, (Happened{"f has a stream", "o gets 503", "g gets 503", "f's stream is closed", "a is closed",
                                  "cannot write " + folder.file().string() + ": registry: the disk is full"}));
    EXPECT_EQ(reports.back(), core::Report::Kind::leadership_lost);
    EXPECT_FALSE(driver.leading());
    EXPECT_EQ(agents_written(), 0u);
    subscribe("h");
    join("c");
    run_until_happened(9);
    EXPECT_EQ(happened[6], "h gets 503");
    EXPECT_EQ(happened[7], "c is refused");
}

class LaterEpochClaimed : public Durability {
  protected:
    LaterEpochClaimed() {
        poll();
        core::LeadershipGained gained{2, {}, {}};
        gained.lease_until = base::read_clocks().instant + std::chrono::hours(1);
        gained.cluster_id = "harbour";
        begin_epoch();
        driver.lead(std::move(gained), registry);
        poll();
        reports.clear();
    }
    // As another master, in the same registry.
    void begin_epoch() { EXPECT_TRUE(registry::SqliteFile::open(folder.file()).value().begin_epoch()); }
    void claim(std::uint64_t epoch, const std::string& name) {
        const auto link = driver.link_opened("127.0.0.1", std::make_shared<Listening>(happened, name));
        auto message = tests::register_message(tests::agent_info("host1"));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("A");
        message.mutable_register_()->set_cluster_id("harbour");
        message.mutable_register_()->set_highest_epoch(epoch);
        driver.link_message(*link, std::make_shared<const internal::FromAgent>(message));
    }
};

TEST_F(LaterEpochClaimed, ThatIsNotTrueEndsNoTermHoweverOftenItIsSaid) {
    const auto writes = driver.writes();
    for (std::uint64_t round = 0; round < 10; ++round) {
        claim(1000 + round, "a");
        run_until_happened(2 * (round + 1));
        EXPECT_EQ(happened[2 * round], "a is refused");
        EXPECT_EQ(happened[2 * round + 1], "a is closed");
        EXPECT_TRUE(driver.leading());
    }
    EXPECT_EQ(driver.writes(), writes + 10) << "the registry is asked each time";
    EXPECT_EQ(std::count(reports.begin(), reports.end(), core::Report::Kind::later_epoch_claimed), 10);
    EXPECT_EQ(std::count(reports.begin(), reports.end(), core::Report::Kind::leadership_lost), 0);
}

TEST_F(LaterEpochClaimed, NobodyIsToldAnythingBeforeTheRegistryHasAnswered) {
    stall();
    claim(1000, "a");
    subscribe("f");
    poll();
    EXPECT_EQ(happened, Happened{});
    EXPECT_EQ(reports, std::vector{core::Report::Kind::later_epoch_claimed}) << "but the journal";
    go_on();
    run_until_happened(3);
    EXPECT_EQ(happened, (Happened{"a is refused", "a is closed", "f has a stream"}));
}

TEST_F(LaterEpochClaimed, ThatIsTrueEndsTheTermAndWhoeverElectsHearsOfIt) {
    subscribe("f");
    poll();
    begin_epoch();
    EXPECT_TRUE(driver.leading()) << "it does not know";
    claim(3, "a");
    run_until_happened(4);
    EXPECT_EQ(happened, (Happened{"f has a stream", "a is closed", "f's stream is closed",
                                  "cannot write " + folder.file().string() +
                                      ": registry: epoch 3 has begun, and this was decided under epoch 2"}));
    EXPECT_FALSE(driver.leading());
    EXPECT_EQ(std::count(reports.begin(), reports.end(), core::Report::Kind::later_epoch_claimed), 1);
}

// It may have been made before the other epoch began.
TEST_F(LaterEpochClaimed, IsNotAnsweredByAWriteThatWasUnderWayBefore) {
    stall();
    join("b");
    poll();
    claim(1000, "a");
    poll();
    const auto writes = driver.writes();
    go_on();
    run_until_happened(3);
    EXPECT_EQ(happened, (Happened{"b is registered", "a is refused", "a is closed"}));
    EXPECT_EQ(driver.writes(), writes + 1);
}

TEST_F(Durability, AnEndOfLeadershipDoesNotWaitForTheDisk) {
    stall();
    join("a");
    subscribe("f");
    poll();
    driver.stop_leading("the test says so");
    poll();
    EXPECT_EQ(happened, (Happened{"f gets 503", "a is closed"}));
    sql("UPDATE facts SET value = 2 WHERE name = 'epoch'");
    driver.lead({2, {}}, registry);
    subscribe("g");
    poll();
    EXPECT_EQ(happened.back(), "g has a stream") << "what the last term has to write is in nobody's way";
    join("b");
    poll();
    go_on();
    run_until_happened(4);
    EXPECT_EQ(happened.back(), "b is registered");
    EXPECT_EQ(agents_written(), 1u) << "a was of the last term";
}

TEST_F(Durability, LeadershipIsHeardAlsoWhenTheMailboxIsFull) {
    poll();
    std::vector<bool> seen_leading;
    while (driver.look([&](const core::State& state) { seen_leading.push_back(state.leading); })) {}
    driver.stop_leading("the test says so");
    run_until([&] { return !seen_leading.empty(); });
    EXPECT_FALSE(seen_leading.front());
}

struct ImpatientDurability : Durability {
    static Driver::Limits limits() {
        Driver::Limits limits;
        limits.write_max = std::chrono::milliseconds(50);
        return limits;
    }
    ImpatientDurability() : Durability(limits()) {}
};

TEST_F(ImpatientDurability, AWriteThatTakesTooLongHasFailed) {
    stall();
    join("a");
    run_until_happened(2);
    EXPECT_EQ(happened[0], "a is closed");
    EXPECT_NE(happened[1].find("no end within the deadline"), std::string::npos) << happened[1];
    EXPECT_FALSE(driver.leading());
    go_on();
}

struct NarrowDurability : Durability {
    static Driver::Limits limits() {
        Driver::Limits limits;
        limits.waiting_effects_max = 100;
        return limits;
    }
    NarrowDurability() : Durability(limits()) {}
};

TEST_F(NarrowDurability, WhenTooMuchWaitsNoMoreIsTaken) {
    stall();
    join("a");
    poll();
    for (int i = 0; i < 10'000; ++i) order("o" + std::to_string(i));
    run_until([this] { return driver.inputs_waiting() < 10'000; });
    for (int i = 0; i < 100; ++i) {
        context.poll();
        context.restart();
    }
    const std::size_t left = driver.inputs_waiting();
    EXPECT_GT(left, 9'000u) << "the rest is not decided yet";
    EXPECT_EQ(happened, Happened{});
    driver.extend_lease(base::read_clocks().instant + std::chrono::hours(1));  // is heard, and means nothing here
    go_on();
    run_until_happened(10'001);
    EXPECT_EQ(happened.back(), "o9999 gets 200");
}

TEST_F(NarrowDurability, LeadershipEndsAlsoThen) {
    stall();
    join("a");
    poll();
    for (int i = 0; i < 1'000; ++i) order("o" + std::to_string(i));
    run_until([this] { return driver.inputs_waiting() < 1'000; });
    driver.stop_leading("the test says so");
    run_until_happened(1'001);
    EXPECT_EQ(std::count(happened.begin(), happened.end(), "a is closed"), 1);
    EXPECT_EQ(happened.back(), "o999 gets 503");
    go_on();
}

TEST_F(NarrowDurability, WhoAsksWhetherItIsAliveIsAnsweredAlsoThen) {
    stall();
    join("a");
    poll();
    for (int i = 0; i < 1'000; ++i) order("o" + std::to_string(i));
    run_until([this] { return driver.inputs_waiting() < 1'000; });
    bool is_alive = false;
    EXPECT_TRUE(driver.look_at_once([&](const core::State&) { is_alive = true; }));
    run_until([&] { return is_alive; });
    EXPECT_GT(driver.inputs_waiting(), 500u) << "it takes nothing else";
    EXPECT_EQ(happened, Happened{});
    go_on();
    run_until_happened(1'001);
}

TEST_F(Durability, ALeaseEndsByItself) {
    driver.stop_leading("the test says so");
    driver.lead({2, {}, {}, base::read_clocks().instant + std::chrono::milliseconds(30)}, registry);
    run_until([this] { return driver.leading(); });
    run_until([this] { return !driver.leading(); });
}

}  // namespace
}  // namespace fairlead::masterd::driver
