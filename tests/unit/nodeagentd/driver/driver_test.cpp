#include "nodeagentd/driver/driver.hpp"

#include "common/resources/wire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <optional>
#include <thread>

namespace fairlead::nodeagentd::driver {
namespace {

struct QuietRuntime : ports::Runtime {
    void set_sink(ports::RuntimeSink to) override { sink = std::move(to); }
    void recover(std::vector<ports::KnownContainer>, std::vector<ports::EndedContainer> those,
                 ports::StrangersSink to) override {
        ended = std::move(those);
        strangers = std::move(to);
    }
    void start(ports::ContainerSpec spec) override { started.push_back(spec.task.value()); }
    void stop(base::ContainerId, std::optional<base::Duration>) override { ++stops; }
    void release(base::ContainerId) override {}
    ports::RuntimeMetrics metrics() const override { return {}; }

    ports::RuntimeSink sink;
    ports::StrangersSink strangers;
    std::vector<ports::EndedContainer> ended;
    std::vector<std::string> started;
    int stops = 0;
};

struct SlowFetcher : ports::Fetcher {
    void set_sink(std::function<void(ports::Fetched)> to) override { sink = std::move(to); }
    void fetch(ports::FetchRequest request) override { requests.push_back(std::move(request)); }
    void cancel(const base::ContainerId& container) override { cancelled.push_back(container); }
    ports::FetchCounters counters() const override { return {}; }

    std::function<void(ports::Fetched)> sink;
    std::vector<ports::FetchRequest> requests;
    std::vector<base::ContainerId> cancelled;
};

struct Master : ports::MasterConnection {
    void send(std::shared_ptr<const internal::FromAgent> message) override { got.push_back(std::move(message)); }
    void close(base::Duration) override {}
    std::string master() const override { return "m:5050"; }
    std::vector<std::shared_ptr<const internal::FromAgent>> got;
};

void write_resources(const char* text, resources::WireResources* to) {
    resources::to_wire(resources::Resources::parse(text).value(), resources::ReservationFormat::stack, nullptr, *to);
}

class AgentDriver : public testing::Test {
  protected:
    explicit AgentDriver(Driver::Limits limits = Driver::Limits()) {
        core::CoreOptions options;
        options.agent_info.set_hostname("agent1");
        write_resources("cpus:2;mem:1024", options.agent_info.mutable_resources());
        World world;
        world.runtime = &runtime_;
        world.fetcher = &fetcher_;
        world.persist = [this](const core::Persist&) { return persisted_; };
        world.persist_agent = [this](internal::AgentRecord record, std::function<void(base::Status)> done) {
            records_.push_back(std::move(record));
            if (disk_answers_) return done({});
            done_ = std::move(done);
        };
        world.report = [](const core::Report&) {};
        world.fatal = [this](const std::string& why, Remedy remedy) {
            EXPECT_EQ(remedy, Remedy::try_again);
            fatal_.push_back(why);
        };
        driver_ = std::make_unique<Driver>(io_.get_executor(), std::make_unique<core::Core>(options, 7), world, limits);
        async::asio::co_spawn(io_, driver_->run({}), async::asio::detached);
        settle();
        driver_->link_opened(core::LinkId{1}, master_);
        internal::FromMaster message;
        message.mutable_registered()->mutable_agent_id()->set_value("A");
        message.mutable_registered()->set_ping_timeout_ms(75'000);
        from_master(message);
    }
    ~AgentDriver() override {
        driver_->stop();
        settle();
    }

    void settle() {
        io_.restart();
        while (io_.poll() > 0) {
        }
    }
    void from_master(internal::FromMaster message, std::uint64_t epoch = 1) {
        message.set_epoch(epoch);
        driver_->link_message(core::LinkId{1}, std::make_shared<internal::FromMaster>(std::move(message)));
        settle();
    }
    void launch(const std::string& id, const std::string& uri, std::uint64_t epoch = 1) {
        internal::FromMaster message;
        auto* framework = message.mutable_launch_tasks()->mutable_framework_info();
        framework->set_user("root");
        framework->set_name("F");
        framework->mutable_id()->set_value("f");
        auto* task = message.mutable_launch_tasks()->add_tasks();
        task->set_name(id);
        task->mutable_task_id()->set_value(id);
        task->mutable_agent_id()->set_value("A");
        task->mutable_command()->set_value("true");
        if (!uri.empty()) task->mutable_command()->add_uris()->set_value(uri);
        write_resources("cpus:0.1", task->mutable_resources());
        from_master(message, epoch);
    }
    void ping(std::uint64_t epoch) {
        internal::FromMaster message;
        message.mutable_ping();
        from_master(message, epoch);
    }
    void written(base::Status status) {
        std::exchange(done_, nullptr)(std::move(status));
        settle();
    }
    void fetched(base::Status status) {
        fetcher_.sink({fetcher_.requests.at(0).container, std::move(status)});
        settle();
    }
    v1::TaskStatus latest() {
        v1::TaskStatus status;
        driver_->look([&](const core::State& state) {
            if (!state.containers.empty()) status = state.containers.begin()->second.record.latest_status();
        });
        settle();
        return status;
    }

    async::asio::io_context io_;
    QuietRuntime runtime_;
    SlowFetcher fetcher_;
    base::Status persisted_;
    std::vector<internal::AgentRecord> records_;
    bool disk_answers_ = true;
    std::function<void(base::Status)> done_;  // of the write at hand
    std::vector<std::string> fatal_;
    std::shared_ptr<Master> master_ = std::make_shared<Master>();
    std::unique_ptr<Driver> driver_;
};

TEST_F(AgentDriver, ATaskStartsWhenItsFilesAreThere) {
    launch("t", "/srv/x.tgz");
    ASSERT_EQ(fetcher_.requests.size(), 1u);
    EXPECT_EQ(fetcher_.requests[0].fetches[0].source, "/srv/x.tgz");
    EXPECT_EQ(fetcher_.requests[0].user, "root");
    EXPECT_TRUE(runtime_.started.empty());
    fetched({});
    EXPECT_EQ(runtime_.started, std::vector<std::string>{"t"});
}

TEST_F(AgentDriver, ATaskWhoseFilesCannotBeHadHasFailed) {
    launch("t", "/srv/x.tgz");
    fetched(base::Error(base::ErrorCode::io, "cannot fetch /srv/x.tgz: No such file or directory"));
    EXPECT_TRUE(runtime_.started.empty());
    const auto status = latest();
    EXPECT_EQ(status.state(), v1::TASK_FAILED);
    EXPECT_EQ(status.reason(), v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED);
    EXPECT_EQ(status.message(), "cannot fetch /srv/x.tgz: No such file or directory");
}

TEST_F(AgentDriver, AKillEndsAFetchAndNothingStarts) {
    launch("t", "/srv/x.tgz");
    internal::FromMaster kill;
    kill.mutable_kill_task()->mutable_framework_id()->set_value("f");
    kill.mutable_kill_task()->mutable_task_id()->set_value("t");
    from_master(kill);
    EXPECT_EQ(fetcher_.cancelled.size(), 1u);
    EXPECT_EQ(runtime_.stops, 0);
    fetched({});  // it was done a moment before
    EXPECT_TRUE(runtime_.started.empty());
    EXPECT_EQ(latest().state(), v1::TASK_KILLED);
}

TEST_F(AgentDriver, WithARecordThatCannotBeReadItWaitsToSeeWhatElseRuns) {
    std::vector<std::string> fatal;
    core::CoreOptions options;
    options.agent_info.set_hostname("agent2");
    QuietRuntime runtime;
    std::vector<core::Report::Kind> reports;
    World world;
    world.runtime = &runtime;
    world.fetcher = &fetcher_;
    world.persist = [](const core::Persist&) { return base::Status(); };
    world.report = [&](const core::Report& report) { reports.push_back(report.kind); };
    world.fatal = [&](const std::string& why, Remedy remedy) {
        EXPECT_EQ(remedy, Remedy::ask_operator);
        fatal.push_back(why);
    };
    internal::ContainerRecord ended;
    ended.mutable_container_id()->set_value("c-ended");
    ended.mutable_framework_id()->set_value("f");
    ended.mutable_task_info()->mutable_task_id()->set_value("ended");
    ended.set_phase(internal::ContainerRecord::ENDED);
    auto& status = *ended.add_pending_updates();
    status.mutable_task_id()->set_value("ended");
    status.set_state(v1::TASK_FINISHED);
    const auto has_settled = [&] { return std::count(reports.begin(), reports.end(), core::Report::Kind::settled); };
    for (const bool alone : {true, false}) {
        reports.clear();
        Driver driver(io_.get_executor(), std::make_unique<core::Core>(options, 7), world);
        core::Recovered recovered;
        recovered.unreadable = {base::ContainerId("damaged")};
        recovered.containers.push_back(ended);
        async::asio::co_spawn(io_, driver.run(recovered), async::asio::detached);
        settle();
        ASSERT_TRUE(runtime.strangers);
        ASSERT_EQ(runtime.ended.size(), 1u);
        EXPECT_EQ(runtime.ended[0].id.value(), "c-ended");
        EXPECT_EQ(has_settled(), 0);
        runtime.strangers(alone ? std::vector<std::string>() : std::vector<std::string>{"fairlead-f-t.scope"});
        settle();
        EXPECT_EQ(has_settled(), alone ? 1 : 0);
        EXPECT_EQ(fatal.size(), alone ? 0u : 1u);
        driver.stop();
        settle();
    }
}

TEST_F(AgentDriver, WhatCannotBeWrittenDownIsNotTold) {
    const auto before = master_->got.size();
    persisted_ = base::Error(base::ErrorCode::io, "write /run/x.pb.new: No space left on device");
    launch("t", "");
    launch("u", "");
    ASSERT_EQ(fatal_.size(), 1u);
    EXPECT_EQ(fatal_[0], "The agent ends because it cannot write down what it has to remember: "
                         "write /run/x.pb.new: No space left on device; tasks go on without it");
    EXPECT_EQ(master_->got.size(), before);
    EXPECT_TRUE(runtime_.started.empty());
}

TEST_F(AgentDriver, NothingIsToldOrDoneBeforeTheRecordThatCameFirstIsOnTheDisk) {
    disk_answers_ = false;
    const auto before = master_->got.size();
    ping(2);  // another leader
    launch("t", "", 2);
    EXPECT_EQ(master_->got.size(), before);
    EXPECT_TRUE(runtime_.started.empty());
    ASSERT_EQ(records_.back().highest_epoch(), 2u);
    written({});
    ASSERT_EQ(master_->got.size(), before + 2);
    EXPECT_TRUE(master_->got[before]->has_pong());
    EXPECT_TRUE(master_->got[before + 1]->has_status_update());
    EXPECT_EQ(runtime_.started, std::vector<std::string>{"t"});
}

TEST_F(AgentDriver, ADiskThatStallsHoldsUpNobodyWhoLooks) {
    disk_answers_ = false;
    ping(2);
    launch("t", "", 2);
    EXPECT_EQ(latest().state(), v1::TASK_STARTING);
}

TEST_F(AgentDriver, RecordsThatComeTogetherAreOneWrite) {
    disk_answers_ = false;
    const auto before = records_.size();
    for (std::uint64_t epoch = 2; epoch <= 5; ++epoch) ping(epoch);
    EXPECT_EQ(records_.size(), before + 1);
    const auto told = master_->got.size();
    written({});
    EXPECT_EQ(master_->got.size(), told + 1);
    ASSERT_EQ(records_.size(), before + 2);
    EXPECT_EQ(records_.back().highest_epoch(), 5u);
    written({});
    EXPECT_EQ(master_->got.size(), told + 4);
    EXPECT_TRUE(fatal_.empty());
}

TEST_F(AgentDriver, ARecordThatCannotBeWrittenEndsTheAgent) {
    disk_answers_ = false;
    const auto before = master_->got.size();
    ping(2);
    written(base::Error(base::ErrorCode::io, "fsync /var/lib/agent.pb.new: Input/output error"));
    ASSERT_EQ(fatal_.size(), 1u);
    EXPECT_NE(fatal_[0].find("Input/output error"), std::string::npos) << fatal_[0];
    EXPECT_EQ(master_->got.size(), before);
}

TEST_F(AgentDriver, WhoAsksWhetherItIsAliveIsAnsweredBeforeAFullMailbox) {
    int taken = 0;
    while (driver_->look([&](const core::State&) { ++taken; })) {}
    std::optional<int> taken_before;
    EXPECT_TRUE(driver_->look_at_once([&](const core::State&) { taken_before = taken; }));
    settle();
    EXPECT_EQ(taken_before, 0);
    EXPECT_GT(taken, 0);
}

TEST_F(AgentDriver, NobodyIsAnsweredWhileAStepHasNoEnd) {
    std::latch hangs(1), goes_on(1);
    driver_->look([&](const core::State&) {
        hangs.count_down();
        goes_on.wait();
    });
    std::jthread owner([&] { settle(); });
    hangs.wait();
    constexpr int asked_max = 1000;
    std::atomic<int> answered = 0;
    int asked = 0;
    while (asked < asked_max && driver_->look_at_once([&](const core::State&) { ++answered; })) ++asked;
    EXPECT_GT(asked, 0);
    EXPECT_LT(asked, asked_max) << "who asks on and on finds a bound";
    EXPECT_EQ(answered, 0);
    goes_on.count_down();
    owner.join();
    EXPECT_EQ(answered, asked);
}

struct ImpatientAgentDriver : AgentDriver {
    ImpatientAgentDriver() : AgentDriver({.waiting_outputs_max = 3, .write_max = std::chrono::milliseconds(20)}) {}
};

TEST_F(ImpatientAgentDriver, AWriteThatTakesTooLongHasFailed) {
    disk_answers_ = false;
    ping(2);
    io_.restart();
    while (fatal_.empty()) io_.run_one();
    EXPECT_NE(fatal_[0].find("takes too long"), std::string::npos) << fatal_[0];
}

struct BusyAgentDriver : AgentDriver {
    BusyAgentDriver() : AgentDriver({.waiting_outputs_max = 3, .write_max = std::chrono::hours(1)}) {}
};

TEST_F(BusyAgentDriver, WhatWaitsBehindAWriteHasABound) {
    disk_answers_ = false;
    for (int i = 0; i < 3; ++i) ping(2);
    EXPECT_TRUE(fatal_.empty());
    ping(2);
    ASSERT_EQ(fatal_.size(), 1u);
    EXPECT_NE(fatal_[0].find("too much waits"), std::string::npos) << fatal_[0];
}

}  // namespace
}  // namespace fairlead::nodeagentd::driver
