// A master that was deposed, on a link that is still open: the real link, the real driver and core of an agent, and the
// line in its journal.

#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"
#include "common/resources/wire.hpp"
#include "nodeagentd/driver/driver.hpp"
#include "nodeagentd/journal.hpp"
#include "tests/support/fake_runtime.hpp"
#include "tests/unit/nodeagentd/link/linked_agents.hpp"

namespace fairlead::nodeagentd::link {
namespace {

struct NoFetcher : ports::Fetcher {
    void set_sink(std::function<void(ports::Fetched)>) override {}
    void fetch(ports::FetchRequest) override { ADD_FAILURE() << "nothing has files"; }
    void cancel(const base::ContainerId&) override {}
    ports::FetchCounters counters() const override { return {}; }
};

void write_resources(const char* text, resources::WireResources* to) {
    resources::to_wire(resources::Resources::parse(text).value(), resources::ReservationFormat::stack, nullptr, *to);
}

core::CoreOptions agent_options() {
    core::CoreOptions options;
    options.agent_info.set_hostname("agent1");
    write_resources("cpus:2;mem:1024", options.agent_info.mutable_resources());
    return options;
}

class OlderEpoch : public AgentLink {
  protected:
    OlderEpoch() {
        driver::World world;
        world.runtime = &runtime_;
        world.fetcher = &fetcher_;
        world.persist = [](const core::Persist&) { return base::Status(); };
        world.persist_agent = [](const internal::AgentRecord&, const auto& done) { done({}); };
        world.report = [this](const core::Report& report) {
            reports_.push_back(report);
            journal(report);
        };
        world.fatal = [](const std::string& why, driver::Remedy) { ADD_FAILURE() << why; };
        driver_.emplace(context_.get_executor(), std::make_unique<core::Core>(agent_options(), 7), world);
        tasks_.spawn("the agent", driver_->run({}));
        tasks_.spawn("the link", keep_linked({.listed = {master_.url()}}, *driver_, 1));
    }

    // The master's side of it, the `times`th time.
    awaitable<void> until_agent_is_linked(std::size_t times) {
        co_await until("a link", [this, times] { return master_.links.size() == times; });
    }
    void say(internal::FromMaster message, std::uint64_t epoch) {
        message.set_epoch(epoch);
        EXPECT_TRUE(master_.links.back().send(message.SerializeAsString()));
    }
    awaitable<void> until_registered_under(std::uint64_t epoch) {
        co_await until_agent_is_linked(1);
        EXPECT_TRUE((co_await next_of(master_.links.back())).has_register_());
        internal::FromMaster message;
        message.mutable_registered()->mutable_agent_id()->set_value("A");
        message.mutable_registered()->set_ping_interval_ms(15'000);
        message.mutable_registered()->set_ping_timeout_ms(75'000);
        message.mutable_registered()->set_cluster_id("harbour");
        say(message, epoch);
        internal::FromMaster ping;
        ping.mutable_ping();
        say(ping, epoch);
        EXPECT_TRUE((co_await next_of(master_.links.back())).has_pong());
    }
    static internal::FromMaster launch(const std::string& id) {
        internal::FromMaster message;
        auto* framework = message.mutable_launch_tasks()->mutable_framework_info();
        framework->set_user("root");
        framework->set_name("F");
        framework->mutable_id()->set_value("f");
        auto* task = message.mutable_launch_tasks()->add_tasks();
        task->set_name(id);
        task->mutable_task_id()->set_value(id);
        task->mutable_agent_id()->set_value("A");
        task->mutable_command()->set_value("sleep 1000");
        write_resources("cpus:0.1", task->mutable_resources());
        return message;
    }
    template <typename Body>
    std::string run_and_listen(Body body) {
        testing::internal::CaptureStderr();
        run(body);
        log::flush();
        return testing::internal::GetCapturedStderr();
    }

    Master& master_ = new_master();
    test::FakeHost host_;
    test::FakeRuntime runtime_{host_};
    NoFetcher fetcher_;
    std::vector<core::Report> reports_;
    std::optional<driver::Driver> driver_;
};

TEST_F(OlderEpoch, OnAnOpenLinkIsRefusedAndTheJournalSaysSo) {
    const std::string told = run_and_listen([this]() -> awaitable<void> {
        co_await until_registered_under(6);
        say(launch("late"), 5);
        say(launch("later"), 6);  // the link is over, whatever comes on it
        EXPECT_FALSE(co_await master_.links.back().receive()) << "it has answered nothing";
        co_await until_agent_is_linked(2);
        const auto again = co_await next_of(master_.links.back());
        EXPECT_EQ(again.register_().highest_epoch(), 6u);
        EXPECT_EQ(again.register_().tasks_size(), 0);
    });
    EXPECT_TRUE(host_.boxes.empty()) << "and nothing was started";
    const std::string line = "refused a master of epoch 5: epoch 6 has been seen";
    EXPECT_NE(told.find(line), std::string::npos) << told;
    EXPECT_EQ(told.find(line), told.rfind(line)) << told;
    ASSERT_EQ(reports_.back().message, line);
    const JournalShape shape = journal_shape(reports_.back().kind);
    EXPECT_EQ(shape.message_id, log::message_ids::stale_epoch);
    EXPECT_EQ(shape.priority, log::Priority::warning);
}

// That the others are refused for their epoch: of the newest one it is obeyed.
TEST_F(OlderEpoch, IsTheReason) {
    run_and_listen([this]() -> awaitable<void> {
        co_await until_registered_under(6);
        say(launch("now"), 6);
        EXPECT_TRUE((co_await next_of(master_.links.back())).has_status_update());
        EXPECT_EQ(master_.links.size(), 1u);
    });
    EXPECT_EQ(host_.boxes.size(), 1u);
}

}  // namespace
}  // namespace fairlead::nodeagentd::link
