#pragma once
// What every implementation of ports/runtime.hpp has to keep, as one suite: run against the fake in
// tests/unit, and against systemd on a booted host in integration/TEST-10-RUNTIME-ON-SYSTEMD. A
// program that runs it says once which world it is about:
//
//     INSTANTIATE_TEST_SUITE_P(Fake, RuntimeContract, testing::Values(&make_fake_world));

#include "nodeagentd/ports/runtime.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fairlead::test {

// An implementation together with what the world does to it.
class RuntimeWorld {
  public:
    virtual ~RuntimeWorld() = default;
    virtual nodeagentd::ports::Runtime& runtime() = 0;
    // The agent's process dies without a word; runtime() is another one afterwards.
    virtual void agent_dies() = 0;
    // The next event, when one comes in time.
    virtual std::optional<nodeagentd::ports::RuntimeEvent> next_event(base::Duration within) = 0;
    virtual std::string sandbox_of(const std::string& name) = 0;
    virtual void make_file(const std::string& path) = 0;
    // Until the container has written so much. It throws when that takes too long.
    virtual void await_output(const std::string& name, const std::string& text) {
        const auto too_long = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        const auto output = [&] {
            std::ifstream file(sandbox_of(name) + "/stdout");
            return std::string(std::istreambuf_iterator<char>(file), {});
        };
        while (output() != text) {
            if (std::chrono::steady_clock::now() > too_long) throw std::runtime_error("no output of " + name);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    // `systemctl stop`, `systemctl kill -s KILL`, and SIGKILL to the supervisor alone.
    virtual void administrator_stops(const base::ContainerId& id) = 0;
    virtual void administrator_kills(const base::ContainerId& id) = 0;
    virtual void supervisor_is_killed(const base::ContainerId& id) = 0;
    // Whether a process of the container is left.
    virtual bool is_anything_left(const base::ContainerId& id) = 0;
};

using MakeRuntimeWorld = std::unique_ptr<RuntimeWorld> (*)();

class RuntimeContract : public testing::TestWithParam<MakeRuntimeWorld> {
  protected:
    using EndCause = nodeagentd::ports::EndCause;
    using StartFailure = nodeagentd::ports::StartFailure;
    using Event = nodeagentd::ports::RuntimeEvent;

    static constexpr base::Duration soon = std::chrono::seconds(30);
    static constexpr base::Duration quiet = std::chrono::milliseconds(300);
    static constexpr const char* waits = "exec sleep 1000";
    // Says so once it no longer hears SIGTERM.
    static constexpr const char* stubborn = "trap '' TERM; echo deaf; while :; do sleep 1; done";

    void SetUp() override {
        world_ = GetParam()();
        if (!world_) GTEST_SKIP() << "needs root";
    }

    nodeagentd::ports::Runtime& runtime() { return world_->runtime(); }

    nodeagentd::ports::ContainerSpec spec(const std::string& name, const std::string& text) {
        nodeagentd::ports::ContainerSpec one;
        one.id = base::ContainerId("container-" + name);
        one.framework = base::FrameworkId("contract");
        one.task = base::TaskId(name);
        one.framework_name = "Contract";
        one.task_name = name;
        one.argv = {"/bin/sh", "-c", text};
        one.environment = {{"PATH", "/usr/bin:/bin"}};
        one.sandbox = world_->sandbox_of(name);
        one.resources.cpus = 0.1;
        one.kill_grace = std::chrono::seconds(3);
        return one;
    }

    template <typename T>
    T expect(base::Duration within = soon) {
        const auto event = world_->next_event(within);
        if (!event) throw std::runtime_error("nothing happened in time");
        if (const T* wanted = std::get_if<T>(&*event)) return *wanted;
        throw std::runtime_error("another event came: " + describe(*event));
    }
    // The end of one that went on while no agent looked: its supervisor may have come back to tell of
    // its running before it told of its end.
    template <typename T>
    T expect_after_return() {
        auto event = world_->next_event(soon);
        if (event && std::holds_alternative<nodeagentd::ports::Recovered>(*event))
            event = world_->next_event(soon);
        if (!event) throw std::runtime_error("nothing happened in time");
        if (const T* wanted = std::get_if<T>(&*event)) return *wanted;
        throw std::runtime_error("another event came: " + describe(*event));
    }
    void expect_quiet() {
        const auto event = world_->next_event(quiet);
        EXPECT_FALSE(event) << describe(*event);
    }
    base::ContainerId run(const nodeagentd::ports::ContainerSpec& one) {
        runtime().start(one);
        EXPECT_EQ(expect<nodeagentd::ports::Started>().container, one.id);
        return one.id;
    }
    base::ContainerId run_stubborn(const std::string& name) {
        const auto id = run(spec(name, stubborn));
        world_->await_output(name, "deaf\n");
        return id;
    }
    // One that is written down by an agent before it dies.
    static nodeagentd::ports::KnownContainer known(const nodeagentd::ports::ContainerSpec& one) {
        nodeagentd::ports::KnownContainer k;
        k.id = one.id;
        k.framework = one.framework;
        k.task = one.task;
        k.framework_name = one.framework_name;
        k.cpus = one.resources.cpus;
        k.kill_grace = one.kill_grace;
        k.max_completion_time = one.max_completion_time;
        return k;
    }
    void fails(const nodeagentd::ports::ContainerSpec& one, StartFailure failure) {
        runtime().start(one);
        const auto failed = expect<nodeagentd::ports::StartFailed>();
        EXPECT_EQ(failed.failure, failure) << failed.message;
        EXPECT_FALSE(failed.message.empty());
        runtime().release(one.id);
        expect_quiet();
    }
    static std::string describe(const Event& event) {
        using namespace nodeagentd::ports;
        if (const auto* e = std::get_if<Started>(&event)) return "Started " + e->unit;
        if (const auto* e = std::get_if<StartFailed>(&event)) return "StartFailed: " + e->message;
        if (const auto* e = std::get_if<Exited>(&event)) return "Exited: " + e->message;
        if (const auto* e = std::get_if<ScopeGone>(&event)) return "ScopeGone: " + e->message;
        return "Recovered " + std::get<Recovered>(event).unit;
    }

    std::unique_ptr<RuntimeWorld> world_;
};

using nodeagentd::ports::Exited;
using nodeagentd::ports::Recovered;
using nodeagentd::ports::ScopeGone;
using nodeagentd::ports::Started;
using nodeagentd::ports::StartFailed;

TEST_P(RuntimeContract, AStartIsFollowedByOneEnd) {
    runtime().recover({});
    const auto id = run(spec("ends", "exit 3"));
    const auto end = expect<Exited>();
    EXPECT_EQ(end.container, id);
    EXPECT_EQ(end.cause, EndCause::own);
    EXPECT_EQ(WEXITSTATUS(end.wait_status), 3);
    expect_quiet();
    EXPECT_EQ(runtime().metrics().containers, 1U);
    runtime().release(id);
    expect_quiet();
    EXPECT_EQ(runtime().metrics().containers, 0U);
    EXPECT_EQ(runtime().metrics().starts, 1U);
}

TEST_P(RuntimeContract, ATaskIdThatComesAgainGetsAnotherContainer) {
    runtime().recover({});
    for (int round = 0; round < 3; ++round) {
        auto one = spec("again", "exit 0");
        one.id = base::ContainerId("container-again-" + std::to_string(round));
        run(one);
        EXPECT_EQ(expect<Exited>().container, one.id);
        runtime().release(one.id);
    }
}

TEST_P(RuntimeContract, ASignalOfItsOwnIsToldAsOne) {
    runtime().recover({});
    const auto id = run(spec("signal", "kill -11 $$"));
    const auto end = expect<Exited>();
    EXPECT_EQ(end.cause, EndCause::own);
    EXPECT_TRUE(WIFSIGNALED(end.wait_status));
    EXPECT_EQ(WTERMSIG(end.wait_status), SIGSEGV);
    runtime().release(id);
}

TEST_P(RuntimeContract, WhatCannotBeStartedSaysWhy) {
    runtime().recover({});
    auto nothing = spec("nothing", "");
    nothing.argv.clear();
    fails(nothing, StartFailure::invalid_spec);
    auto nobody = spec("nobody", waits);
    nobody.user = "no-such-user-here";
    fails(nobody, StartFailure::invalid_spec);
    auto missing = spec("missing", waits);
    missing.argv[0] = "/nonexistent/command";
    fails(missing, StartFailure::command);
    auto file = spec("file", waits);
    world_->make_file(file.sandbox);
    fails(file, StartFailure::environment);
}

TEST_P(RuntimeContract, AStopEndsItPolitely) {
    runtime().recover({});
    const auto id = run(spec("stopped", waits));
    runtime().stop(id, std::nullopt);
    runtime().stop(id, std::nullopt);
    const auto end = expect<Exited>();
    EXPECT_EQ(end.cause, EndCause::stop_requested);
    EXPECT_EQ(WTERMSIG(end.wait_status), SIGTERM);
    runtime().release(id);
    expect_quiet();
}

TEST_P(RuntimeContract, AStopEndsWhatDoesNotWantToAfterTheGrace) {
    runtime().recover({});
    const auto id = run_stubborn("stubborn");
    runtime().stop(id, std::nullopt);
    EXPECT_FALSE(world_->next_event(std::chrono::seconds(1)));
    const auto end = expect<ScopeGone>();
    EXPECT_EQ(end.cause, EndCause::stop_requested) << end.message;
    EXPECT_FALSE(world_->is_anything_left(id));
    runtime().release(id);
    expect_quiet();
}

TEST_P(RuntimeContract, ASecondStopShortensTheGrace) {
    runtime().recover({});
    const auto id = run_stubborn("shortened");
    runtime().stop(id, std::chrono::hours(1));
    runtime().stop(id, std::chrono::milliseconds(100));
    EXPECT_EQ(expect<ScopeGone>(std::chrono::seconds(20)).cause, EndCause::stop_requested);
    runtime().release(id);
}

TEST_P(RuntimeContract, AStopOfAStartUnderWayEndsIt) {
    runtime().recover({});
    const auto one = spec("early", waits);
    runtime().start(one);
    runtime().stop(one.id, std::nullopt);
    auto event = world_->next_event(soon);
    ASSERT_TRUE(event);
    if (std::holds_alternative<Started>(*event)) event = world_->next_event(soon);
    ASSERT_TRUE(event);
    EXPECT_TRUE(std::holds_alternative<StartFailed>(*event) ||
                std::holds_alternative<Exited>(*event))
        << describe(*event);
    runtime().release(one.id);
    expect_quiet();
}

TEST_P(RuntimeContract, StrangersAreSparedAndToldWhereThatIsWanted) {
    runtime().recover({});
    const auto one = spec("known", waits);
    run(one);
    const auto other = run(spec("stranger", waits));
    world_->agent_dies();
    std::optional<std::vector<std::string>> strangers;
    runtime().recover({known(one)}, {}, [&](std::vector<std::string> units) { strangers = std::move(units); });
    EXPECT_EQ(expect<Recovered>().container, one.id);
    for (int i = 0; i < 200 && !strangers; ++i) world_->next_event(std::chrono::milliseconds(20));
    ASSERT_TRUE(strangers);
    ASSERT_EQ(strangers->size(), 1u);
    EXPECT_NE(strangers->at(0).find("stranger"), std::string::npos) << strangers->at(0);
    EXPECT_EQ(runtime().metrics().orphans_stopped, 0u);
    world_->administrator_stops(other);
    runtime().release(one.id);
}

TEST_P(RuntimeContract, WhatIsLeftOfAnEndedContainerIsNoStrangerAndGoes) {
    runtime().recover({});
    const auto ended = spec("ended", waits);
    run(ended);
    const auto other = run(spec("stranger", waits));
    world_->agent_dies();
    std::optional<std::vector<std::string>> strangers;
    runtime().recover({}, {{ended.id, ended.framework, ended.task}},
                      [&](std::vector<std::string> units) { strangers = std::move(units); });
    for (int i = 0; i < 200 && (!strangers || world_->is_anything_left(ended.id)); ++i)
        world_->next_event(std::chrono::milliseconds(20));
    ASSERT_TRUE(strangers);
    ASSERT_EQ(strangers->size(), 1u);
    EXPECT_NE(strangers->at(0).find("stranger"), std::string::npos) << strangers->at(0);
    EXPECT_FALSE(world_->is_anything_left(ended.id));
    EXPECT_TRUE(world_->is_anything_left(other));
    world_->administrator_stops(other);
}

TEST_P(RuntimeContract, AnAdministratorsStopIsToldAsSuch) {
    runtime().recover({});
    const auto id = run(spec("admin-stop", waits));
    world_->administrator_stops(id);
    EXPECT_EQ(expect<Exited>().cause, EndCause::administrator);
    runtime().release(id);
}

TEST_P(RuntimeContract, AnAdministratorsKillIsToldAsSuch) {
    runtime().recover({});
    const auto id = run(spec("admin-kill", waits));
    world_->administrator_kills(id);
    const auto end = expect<ScopeGone>();
    EXPECT_EQ(end.cause, EndCause::administrator) << end.message;
    runtime().release(id);
}

TEST_P(RuntimeContract, ItsTimeIsOver) {
    runtime().recover({});
    auto one = spec("limited", waits);
    one.max_completion_time = std::chrono::seconds(2);
    const auto id = run(one);
    const auto end = expect<Exited>();
    EXPECT_EQ(end.cause, EndCause::max_completion_time) << end.message;
    runtime().release(id);
}

TEST_P(RuntimeContract, AKilledSupervisorTakesItsTaskAlong) {
    runtime().recover({});
    const auto id = run(spec("supervisor", waits));
    world_->supervisor_is_killed(id);
    const auto end = expect<ScopeGone>();
    EXPECT_EQ(end.cause, EndCause::unknown) << end.message;
    EXPECT_FALSE(world_->is_anything_left(id));
    runtime().release(id);
    expect_quiet();
}

TEST_P(RuntimeContract, ARunningContainerIsTakenBack) {
    runtime().recover({});
    const auto one = spec("survivor", waits);
    run(one);
    world_->agent_dies();
    runtime().recover({known(one)});
    EXPECT_EQ(expect<Recovered>().container, one.id);
    runtime().stop(one.id, std::nullopt);
    EXPECT_EQ(expect<Exited>().cause, EndCause::stop_requested);
    runtime().release(one.id);
    expect_quiet();
}

TEST_P(RuntimeContract, AnEndIsToldAgainUntilItIsReleased) {
    runtime().recover({});
    const auto one = spec("told-twice", "exit 5");
    run(one);
    EXPECT_EQ(WEXITSTATUS(expect<Exited>().wait_status), 5);
    world_->agent_dies();
    runtime().recover({known(one)});
    const auto end = expect<Exited>();
    EXPECT_EQ(end.cause, EndCause::own);
    EXPECT_EQ(WEXITSTATUS(end.wait_status), 5);
    runtime().release(one.id);
    expect_quiet();
}

TEST_P(RuntimeContract, AnEndThatCameWhileTheAgentWasAwayIsTold) {
    runtime().recover({});
    const auto one = spec("meanwhile", waits);
    run(one);
    world_->agent_dies();
    world_->administrator_stops(one.id);
    runtime().recover({known(one)});
    const auto end = expect_after_return<Exited>();
    EXPECT_EQ(end.cause, EndCause::administrator) << end.message;
    runtime().release(one.id);
}

TEST_P(RuntimeContract, ASupervisorKilledWhileTheAgentWasAwayIsTold) {
    runtime().recover({});
    const auto one = spec("away", waits);
    run(one);
    world_->agent_dies();
    world_->supervisor_is_killed(one.id);
    runtime().recover({known(one)});
    const auto end = expect_after_return<ScopeGone>();
    EXPECT_EQ(end.cause, EndCause::unknown) << end.message;
    EXPECT_FALSE(world_->is_anything_left(one.id));
    runtime().release(one.id);
}

TEST_P(RuntimeContract, AStopOfAnEarlierAgentIsCarriedOn) {
    runtime().recover({});
    const auto one = spec("carried-on", waits);
    run(one);
    world_->agent_dies();
    auto was_stopped = known(one);
    was_stopped.stop_requested = true;
    runtime().recover({was_stopped});
    expect<Recovered>();
    EXPECT_EQ(expect<Exited>().cause, EndCause::stop_requested);
    runtime().release(one.id);
}

TEST_P(RuntimeContract, WhatNobodyKnowsIsStopped) {
    runtime().recover({});
    const auto one = spec("orphan", waits);
    run(one);
    world_->agent_dies();
    runtime().recover({});
    expect_quiet();
    for (int i = 0; i < 100 && world_->is_anything_left(one.id); ++i) expect_quiet();
    EXPECT_FALSE(world_->is_anything_left(one.id));
    EXPECT_EQ(runtime().metrics().orphans_stopped, 1U);
}

TEST_P(RuntimeContract, WhatWasNeverSeenIsTold) {
    runtime().recover({known(spec("never", waits))});
    EXPECT_EQ(expect<ScopeGone>().cause, EndCause::unknown);
}

TEST_P(RuntimeContract, ManyAtOnceAllStartAndAllEnd) {
    constexpr int many = 500;
    runtime().recover({});
    for (int i = 0; i < many; ++i) runtime().start(spec("many-" + std::to_string(i), "exit 0"));
    int started = 0;
    int ended = 0;
    while (ended < many) {
        const auto event = world_->next_event(soon);
        ASSERT_TRUE(event) << started << " started, " << ended << " ended";
        if (std::holds_alternative<Started>(*event)) {
            ++started;
            continue;
        }
        const auto* const end = std::get_if<Exited>(&*event);
        ASSERT_NE(end, nullptr) << describe(*event);
        EXPECT_EQ(end->cause, EndCause::own);
        ++ended;
        runtime().release(end->container);
    }
    EXPECT_EQ(started, many);
    expect_quiet();
}

}  // namespace fairlead::test
