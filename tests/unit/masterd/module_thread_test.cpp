// Modules that really loop, throw and lie, each from a shared object or as bad as one, on a thread of their own. Time is
// what the test says; it waits for nothing but the bell that a finished plan rings.

#include "allocator/modules.hpp"
#include "masterd/guarded_module.hpp"
#include "tests/support/allocator_cluster.hpp"
#include "tests/support/master_harness.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <semaphore>
#include <stdexcept>

namespace fairlead::masterd {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What a test sees of its module, whichever thread that is on; a module that is left behind may outlive the test.
struct Script {
    std::mutex mutex;
    std::function<allocator::Plan()> act;
    std::vector<bool> everything;
    std::atomic<bool> released{false};

    void play(std::function<allocator::Plan()> next) {
        const std::lock_guard lock(mutex);
        act = std::move(next);
    }
    // Until the test lets it go on, and by then it may have been left behind.
    void loop() {
        while (!released) {}
    }
};

struct Scripted final : allocator::Module {
    explicit Scripted(std::shared_ptr<Script> its_script) : script(std::move(its_script)) {}
    allocator::Plan plan(const allocator::Snapshot&, const allocator::Changes& changes) override {
        std::function<allocator::Plan()> act;
        {
            const std::lock_guard lock(script->mutex);
            script->everything.push_back(changes.everything);
            act = script->act;
        }
        return act ? act() : allocator::Plan{};
    }
    std::shared_ptr<Script> script;
};

class OnItsOwnThread : public testing::Test {
  protected:
    ~OnItsOwnThread() override { script->released = true; }

    GuardedModule::Options options() {
        GuardedModule::Options options;
        options.clock = [this] { return cluster.now; };
        options.complain = [this](const std::string& what) { complaints.push_back(what); };
        options.give_up = [this](const std::string& what) { given_up.push_back(what); };
        options.end_time = 20ms;
        return options;
    }
    std::unique_ptr<GuardedModule> guard(std::string name, const ModuleThread::Make& make) {
        auto made = GuardedModule::on_its_own_thread(std::move(name), make, options());
        EXPECT_TRUE(made) << made.error().message();
        (*made)->on_plan([this] { bell.release(); });
        return *std::move(made);
    }
    std::unique_ptr<GuardedModule> scripted() {
        return guard("site 1.0", [script = script] { return std::make_unique<Scripted>(script); });
    }
    std::unique_ptr<GuardedModule> from_file(const char* path) {
        const auto choice = allocator::choose_module(path);
        EXPECT_TRUE(choice) << choice.error().message();
        EXPECT_TRUE(choice->is_foreign);
        return guard(choice->name, [choice = *choice] { return choice.make(1); });
    }
    void await_plan() { ASSERT_TRUE(bell.try_acquire_for(60s)) << "no plan came"; }
    allocator::Plan ask(GuardedModule& module) { return cluster.plan(module); }
    allocator::Plan ask_and_await(GuardedModule& module) {
        EXPECT_TRUE(ask(module).offers.empty());
        await_plan();
        return ask(module);
    }

    std::counting_semaphore<> bell{0};
    std::shared_ptr<Script> script = std::make_shared<Script>();
    std::vector<std::string> complaints, given_up;
    tests::AllocatorCluster cluster;
};

}  // namespace

TEST_F(OnItsOwnThread, APlanIsTheAnswerToTheNextQuestion) {
    const auto module = scripted();
    script->play([this] {
        allocator::Plan plan;
        plan.again_at = cluster.now + 7s;
        return plan;
    });
    EXPECT_EQ(ask(*module).again_at, cluster.now + 1s);
    await_plan();
    EXPECT_EQ(ask(*module).again_at, cluster.now + 7s);
    ask_and_await(*module);
    EXPECT_THAT(script->everything, ElementsAre(true, false));
    EXPECT_THAT(complaints, IsEmpty());
}

TEST_F(OnItsOwnThread, WhatHappensMeanwhileIsShownTheNextTimeForWhichTheBellRingsAgain) {
    cluster.add_agent("cpus:4");
    cluster.add_framework("a");
    const auto choice = allocator::choose_module("drf");
    const auto module = guard("drf", [&] { return choice->make(1); });
    ask(*module);
    await_plan();
    cluster.add_agent("cpus:2");
    EXPECT_EQ(ask(*module).offers.size(), 1u);
    await_plan();  // asked again for the second agent
    EXPECT_TRUE(ask(*module).offers.empty());
    await_plan();
    EXPECT_EQ(ask(*module).offers.size(), 1u);
    ask(*module);
    await_plan();
    EXPECT_FALSE(bell.try_acquire());
}

TEST_F(OnItsOwnThread, AnExceptionIsToldAndEverythingIsShownTheNextTimeOnly) {
    const auto module = scripted();
    script->play([]() -> allocator::Plan { throw std::runtime_error("no such slot"); });
    const auto plan = ask_and_await(*module);
    EXPECT_EQ(plan.again_at, cluster.now + 1s);
    EXPECT_THAT(complaints, ElementsAre("the allocation module site 1.0 failed: no such slot"));
    script->play({});
    for (int i = 0; i < 2; ++i) ask_and_await(*module);
    EXPECT_THAT(script->everything, ElementsAre(true, true, false));
}

TEST_F(OnItsOwnThread, APlanThatTakesTwoSecondsIsToldAndUsed) {
    const auto module = scripted();
    script->play([this] {
        script->loop();
        allocator::Plan plan;
        plan.again_at = base::Instant(77s);
        return plan;
    });
    ask(*module);
    cluster.now += 1s;
    EXPECT_TRUE(ask(*module).again_at);
    cluster.now += 1s;
    ask(*module);
    EXPECT_THAT(complaints, ElementsAre(HasSubstr("site 1.0 has been at one plan for 1000ms")));
    script->released = true;
    await_plan();
    EXPECT_EQ(ask(*module).again_at, base::Instant(77s));
    EXPECT_EQ(complaints.size(), 1u);
    EXPECT_THAT(given_up, IsEmpty());
}

TEST_F(OnItsOwnThread, ALoopIsGivenUpAndDrfOffersWhatThereIs) {
    cluster.add_agent("cpus:4;mem:64");
    cluster.add_framework("a");
    auto module = scripted();
    script->play([this] {
        script->loop();
        return allocator::Plan{};
    });
    ask(*module);
    for (int i = 0; i < 4; ++i) {
        cluster.now += 1s;
        const auto plan = ask(*module);
        EXPECT_TRUE(plan.offers.empty());
        EXPECT_EQ(plan.again_at, cluster.now + 1s);
    }
    EXPECT_FALSE(module->is_given_up());
    cluster.now += 1s;
    EXPECT_EQ(ask(*module).offers.size(), 1u);
    EXPECT_TRUE(module->is_given_up());
    EXPECT_THAT(given_up, ElementsAre(AllOf(HasSubstr("site 1.0"), HasSubstr("5000ms"), HasSubstr("drf plans"))));
    cluster.add_agent("cpus:2;mem:64");
    EXPECT_EQ(ask(*module).offers.size(), 1u);
    module.reset();  // does not wait for who is left behind
    EXPECT_EQ(complaints.size(), 1u);
}

TEST_F(OnItsOwnThread, ALoopOfASharedObjectIsGivenUpToo) {
    cluster.add_agent("cpus:4;mem:64");
    cluster.add_framework("a");
    const auto module = from_file(LOOPS_IN_PLAN);
    EXPECT_EQ(ask_and_await(*module).offers.size(), 1u);
    cluster.add_agent("cpus:2;mem:64");
    ask(*module);  // its second plan
    for (int i = 0; i < 4; ++i) {
        cluster.now += 1s;
        EXPECT_TRUE(ask(*module).offers.empty());
    }
    cluster.now += 1s;
    EXPECT_EQ(ask(*module).offers.size(), 1u);
    EXPECT_THAT(given_up, ElementsAre(HasSubstr("loops-in-plan 1")));
}

// A machine that was suspended, or a master that was stopped, says nothing of the module.
TEST_F(OnItsOwnThread, AnHourThatNobodyHasSeenIsNotTheModules) {
    const auto module = scripted();
    script->play([this] {
        script->loop();
        return allocator::Plan{};
    });
    ask(*module);
    cluster.now += 1h;
    ask(*module);
    EXPECT_FALSE(module->is_given_up());
    script->released = true;
    await_plan();
    ask(*module);
    EXPECT_FALSE(module->is_given_up());
}

TEST_F(OnItsOwnThread, APlanThatNobodyCouldReadIsNotRead) {
    auto few = options();
    few.lines_max = 10;
    auto made = GuardedModule::on_its_own_thread("site 1.0", [script = script] { return std::make_unique<Scripted>(script); }, few);
    ASSERT_TRUE(made);
    (*made)->on_plan([this] { bell.release(); });
    script->play([] {
        allocator::Plan plan;
        plan.offers.resize(6);
        plan.rescinds.resize(5);
        return plan;
    });
    EXPECT_TRUE(ask_and_await(**made).rescinds.empty());
    EXPECT_THAT(complaints, ElementsAre(HasSubstr("its plan has 11 lines, and no more than 10 are read")));
}

TEST_F(OnItsOwnThread, WhatASharedObjectThrowsIsToldAndItIsAskedAgain) {
    for (const auto& [path, words] : {std::pair{THROWS, "throws 1 failed: the moon has set"},
                                      std::pair{THROWS_NO_EXCEPTION, "throws-no-exception 1 failed: something that is no"}}) {
        tests::AllocatorCluster one;
        one.add_agent("cpus:4;mem:64");
        one.add_framework("a");
        const auto module = from_file(path);
        const auto next = [&] {
            EXPECT_TRUE(one.plan(*module).offers.empty());
            await_plan();
            return one.plan(*module).offers.size();
        };
        EXPECT_EQ(next(), 1u);
        one.add_agent("cpus:4;mem:64");
        EXPECT_EQ(next(), 0u);
        EXPECT_THAT(complaints, ElementsAre(HasSubstr(words)));
        EXPECT_EQ(next(), 1u);
        complaints.clear();
    }
}

TEST_F(OnItsOwnThread, WhatCannotBeMadeSaysWhy) {
    const auto choice = allocator::choose_module(LOOPS_AT_START);
    ASSERT_TRUE(choice);
    auto hasty = options();
    hasty.start_time = 50ms;
    const auto looping = GuardedModule::on_its_own_thread(choice->name, [&] { return choice->make(1); }, hasty);
    ASSERT_FALSE(looping);
    EXPECT_EQ(looping.error().code(), base::ErrorCode::invalid_config);
    EXPECT_THAT(looping.error().message(), HasSubstr("loops-at-start 1 cannot be made: it is not ready after"));
    const auto throwing = GuardedModule::on_its_own_thread(
        "site 1.0", []() -> std::unique_ptr<allocator::Module> { throw std::runtime_error("no licence"); }, options());
    ASSERT_FALSE(throwing);
    EXPECT_THAT(throwing.error().message(), HasSubstr("site 1.0 cannot be made: no licence"));
}

TEST_F(OnItsOwnThread, WhatDoesNotEndIsLeftBehind) {
    from_file(LOOPS_AT_END).reset();
    EXPECT_THAT(complaints, ElementsAre(HasSubstr("loops-at-end 1 did not end within 20ms, and is left behind")));
    complaints.clear();
    auto module = scripted();
    script->play([this] {
        script->loop();
        return allocator::Plan{};
    });
    ask(*module);
    module.reset();
    EXPECT_THAT(complaints, ElementsAre(HasSubstr("site 1.0 did not end")));
}

// --- with the core ---

namespace {

class InTheMaster : public OnItsOwnThread {
  protected:
    void start(std::unique_ptr<GuardedModule> module) {
        core::CoreOptions options;
        options.allocation_module = "site 1.0";
        master.emplace(options, std::move(module));
    }
    // As the driver does when the bell rings.
    void take_plan() {
        await_plan();
        master->step(core::AllocationDue{});
    }
    std::vector<std::string> refused() const {
        std::vector<std::string> all;
        for (const auto& report : master->reports)
            if (report.kind == core::Report::Kind::plan_refused) all.push_back(report.message);
        return all;
    }

    std::optional<tests::MasterHarness> master;
};

}  // namespace

TEST_F(InTheMaster, LiesAreRefusedLineByLineAndTheRestIsOffered) {
    start(from_file(LIES));
    take_plan();  // of nothing
    const auto host = master->join();
    take_plan();
    const auto scheduler = master->subscribe();
    take_plan();
    EXPECT_EQ(master->take_offers(scheduler).size(), 1u);
    EXPECT_THAT(refused(), testing::Contains(HasSubstr("offers in a plan of the allocation module site 1.0 do not hold")));
    EXPECT_THAT(refused(), testing::Contains(HasSubstr("1 of 1 revocations")));
    EXPECT_THAT(refused(), testing::Contains(HasSubstr("3 of 3 rescinds, call-offs and inverse offers")));
    EXPECT_TRUE(master->available(host).empty());
}

TEST_F(InTheMaster, AfterALoopOffersGoOn) {
    start(scripted());
    take_plan();
    script->play([this] {
        script->loop();
        return allocator::Plan{};
    });
    master->join();
    const auto scheduler = master->subscribe();
    master->pass(4s);
    EXPECT_TRUE(master->take_offers(scheduler).empty());
    master->pass(1s);
    EXPECT_EQ(given_up.size(), 1u);
    EXPECT_EQ(master->take_offers(scheduler).size(), 1u);
    master->join("host2");
    EXPECT_EQ(master->take_offers(scheduler).size(), 1u);
    EXPECT_THAT(refused(), IsEmpty());
}

}  // namespace fairlead::masterd
