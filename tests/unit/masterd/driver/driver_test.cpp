#include "masterd/driver/driver.hpp"

#include "tests/support/master_messages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

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
        driver.lead(1, {});
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

struct Listening final : AgentConnection {
    explicit Listening(std::vector<std::string>& happened) : happened(happened) {}
    std::vector<std::string>& happened;
    void send(std::shared_ptr<const internal::FromMaster> message) override {
        if (message->has_registered()) happened.push_back("registered");
    }
    void close() override {}
};

// A master with one agent that registers, and a registry that does as the test says.
struct Durability : testing::Test {
    void register_agents(int count) {
        driver.lead(1, {});
        for (int i = 0; i < count; ++i) {
            const auto link = driver.link_opened("127.0.0.1", std::make_shared<Listening>(happened));
            driver.link_message(*link, std::make_shared<const internal::FromAgent>(
                                           tests::register_message(tests::agent_info("host" + std::to_string(i)))));
        }
        boost::asio::co_spawn(context, driver.run(), [](std::exception_ptr failure) { ASSERT_FALSE(failure); });
        context.poll();
        context.restart();
        driver.stop();
        context.poll();
    }

    boost::asio::io_context context;
    int plans = 0;
    std::vector<std::string> happened;
    base::Status outcome;
    Driver driver{context.get_executor(),
                  std::make_unique<core::Core>(core::CoreOptions{}, std::make_unique<NoOffers>(plans), 1),
                  [](const core::Report&) {},
                  {[this](const std::vector<core::Persist>& changes) {
                       happened.push_back("wrote " + std::to_string(changes.size()));
                       return outcome;
                   },
                   [this](const base::Error& error) { happened.push_back(error.message()); }}};
};

TEST_F(Durability, WhatHasToBeDurableIsWrittenFirstAndOnceForAllThatWaited) {
    register_agents(3);
    EXPECT_EQ(happened, (std::vector<std::string>{"wrote 3", "registered", "registered", "registered"}));
}

TEST_F(Durability, NothingIsToldThatCouldNotBeWritten) {
    outcome = base::Error(base::ErrorCode::io, "the disk is full");
    register_agents(1);
    EXPECT_EQ(happened, (std::vector<std::string>{"wrote 1", "the disk is full"}));
}

}  // namespace
}  // namespace fairlead::masterd::driver
