#include "masterd/guarded_module.hpp"

#include "tests/support/allocator_cluster.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace fairlead::masterd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Does what the test says, and remembers whether it was shown everything.
struct Scripted final : allocator::Module {
    std::function<allocator::Plan()> act;
    std::vector<bool> everything;
    allocator::Plan plan(const allocator::Snapshot&, const allocator::Changes& changes) override {
        everything.push_back(changes.everything);
        return act ? act() : allocator::Plan{};
    }
};

class GuardedModuleTest : public testing::Test {
  protected:
    allocator::Plan ask() { return cluster.plan(guard); }
    GuardedModule::Options options() {
        GuardedModule::Options options;
        options.clock = [this] { return clock; };
        options.complain = [this](const std::string& what) { complaints.push_back(what); };
        return options;
    }

    base::Instant clock{1h};
    std::vector<std::string> complaints;
    tests::AllocatorCluster cluster;
    std::unique_ptr<Scripted> owned = std::make_unique<Scripted>();
    Scripted& module = *owned;
    GuardedModule guard{"site 1.0", std::move(owned), options()};
};

}  // namespace

TEST_F(GuardedModuleTest, AnExceptionIsToldAndEverythingIsShownTheNextTimeOnly) {
    ask();
    module.act = []() -> allocator::Plan { throw std::runtime_error("no such slot"); };
    const auto plan = ask();
    EXPECT_TRUE(plan.offers.empty());
    EXPECT_EQ(plan.again_at, cluster.now + 1s);
    EXPECT_THAT(complaints, ElementsAre("the allocation module site 1.0 failed: no such slot"));
    module.act = nullptr;
    ask();
    ask();
    EXPECT_THAT(module.everything, ElementsAre(true, false, true, false));
}

TEST_F(GuardedModuleTest, WhatIsNoExceptionIsCaughtToo) {
    module.act = []() -> allocator::Plan { throw 7; };
    ask();
    EXPECT_THAT(complaints, ElementsAre(HasSubstr("site 1.0 failed")));
}

TEST_F(GuardedModuleTest, ALatePlanIsToldAndStillAPlan) {
    module.act = [this] {
        clock += 1500ms;
        allocator::Plan plan;
        plan.again_at = cluster.now + 5s;
        return plan;
    };
    EXPECT_EQ(ask().again_at, cluster.now + 5s);
    EXPECT_THAT(complaints, ElementsAre(HasSubstr("site 1.0 took 1500ms for a plan; it has 1000ms")));
}

TEST_F(GuardedModuleTest, APlanThatDoesNotComeIsToldOnceWhileItIsMade) {
    module.act = [this] {
        guard.look();
        EXPECT_THAT(complaints, IsEmpty());
        clock += 2s;
        guard.look();
        guard.look();
        EXPECT_THAT(complaints, ElementsAre(HasSubstr("site 1.0 has been at one plan for 2000ms")));
        return allocator::Plan{};
    };
    ask();
    guard.look();
    EXPECT_EQ(complaints.size(), 1u);
}

}  // namespace fairlead::masterd
