// Names and properties of units, and what a restart makes of a list of them.

#include "nodeagentd/runtime/recovery.hpp"
#include "nodeagentd/runtime/unit_names.hpp"
#include "nodeagentd/runtime/unit_properties.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::nodeagentd::runtime {
namespace {

using namespace std::chrono_literals;

std::string scope(const std::string& framework, const std::string& task) {
    return scope_name(base::FrameworkId(framework), base::TaskId(task));
}

std::optional<UnitProperty> property(const UnitProperties& all, const std::string& name) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.name == name; });
    return at == all.end() ? std::nullopt : std::optional(*at);
}

ports::ContainerSpec spec() {
    ports::ContainerSpec one;
    one.framework = base::FrameworkId("f-1");
    one.task = base::TaskId("t1");
    one.framework_name = "Hadoop";
    one.task_name = "sort.17";
    one.resources.cpus = 1.5;
    one.kill_grace = 3s;
    return one;
}

UnitProperties properties(const ports::ContainerSpec& one) {
    return scope_properties(one, "fairlead-f_1.slice", "fairlead-nodeagentd.service", 8);
}

TEST(UnitNames, EveryIdBecomesANameThatSystemdTakes) {
    EXPECT_EQ(scope("f-1", "t/1 \xF0\x9F\x9A\xA2"), "fairlead-f_1-t\\x2f1\\x20\\xf0\\x9f\\x9a\\xa2.scope");
    EXPECT_EQ(slice_name(base::FrameworkId("a-b_c")), "fairlead-a_b\\x5fc.slice");
    EXPECT_EQ(scope("f", "..").find('/'), std::string::npos);
}

TEST(UnitNames, LongIdsAreCutAndStayApart) {
    const std::string a = scope("f", std::string(300, 'x') + "a");
    const std::string b = scope("f", std::string(300, 'x') + "b");
    EXPECT_EQ(a.size(), 255U);
    EXPECT_TRUE(a.ends_with(".scope"));
    EXPECT_NE(a, b);
    EXPECT_LE(slice_name(base::FrameworkId(std::string(300, '/'))).size(), 255U);
    for (const std::string& name : {a, slice_name(base::FrameworkId(std::string(300, '/')))}) {
        // Digits, letters and these are all that a unit may be called by (systemd.unit(5)).
        EXPECT_TRUE(std::all_of(name.begin(), name.end(), [](unsigned char c) {
            return std::isalnum(c) || std::string_view(":-_.\\").find(static_cast<char>(c)) != std::string_view::npos;
        })) << name;
    }
}

TEST(ScopeProperties, AScopeIsReadable) {
    EXPECT_EQ(property(properties(spec()), "Description"),
              (UnitProperty{"Description", std::string("Task sort.17 of framework Hadoop")}));
}

TEST(ScopeProperties, EveryLimitThatIsSetIsAProperty) {
    auto one = spec();
    one.resources.cpus_max = 2.5;
    one.resources.memory_bytes_max = 64 << 20;
    one.resources.memory_bytes_low = 32 << 20;
    one.resources.processes_max = 100;
    one.max_completion_time = 90s;
    const auto all = properties(one);
    const auto number = [&](const char* name) { return std::get<std::uint64_t>(property(all, name)->value); };
    EXPECT_EQ(number("CPUWeight"), 150U);
    EXPECT_EQ(number("IOWeight"), 150U);
    EXPECT_EQ(number("CPUQuotaPerSecUSec"), 2'500'000U);
    EXPECT_EQ(number("MemoryMax"), 64U << 20);
    EXPECT_EQ(number("MemoryLow"), 32U << 20);
    EXPECT_EQ(number("TasksMax"), 100U);
    EXPECT_EQ(number("RuntimeMaxUSec"), 90'000'000U);
    EXPECT_EQ(number("TimeoutStopUSec"), 3'000'000U);
}

TEST(ScopeProperties, WhatIsNotLimitedHasNoProperty) {
    const auto all = properties(spec());
    for (const char* name : {"CPUQuotaPerSecUSec", "MemoryMax", "MemoryLow", "RuntimeMaxUSec"})
        EXPECT_EQ(property(all, name), std::nullopt) << name;
}

TEST(ScopeProperties, AtShutdownTheScopeEndsBeforeItsAgent) {
    EXPECT_EQ(property(properties(spec()), "After"),
              (UnitProperty{"After", std::vector<std::string>{"fairlead-nodeagentd.service"}}));
}

TEST(ScopeProperties, ADescriptionIsOneLineOfUtf8WhateverTheNameIs) {
    auto one = spec();
    one.task_name = "a\nb\xff" "c\xF0\x9F\x9A\xA2\xed\xa0\x80";
    EXPECT_EQ(property(properties(one), "Description"),
              (UnitProperty{"Description",
                            std::string("Task a?b?c\xF0\x9F\x9A\xA2??? of framework Hadoop")}));
    one.task_name = std::string(100'000, 'x');
    EXPECT_LE(std::get<std::string>(property(properties(one), "Description")->value).size(), 404U);
}

TEST(SliceProperties, TellWhoseTasksTheseAre) {
    const base::FrameworkId framework("f-1");
    EXPECT_EQ(slice_properties("Hadoop", framework, 300)[0],
              (UnitProperty{"Description", std::string("Tasks of Hadoop (framework f-1)")}));
    EXPECT_EQ(slice_properties("", framework, 300)[0],
              (UnitProperty{"Description", std::string("Tasks of framework f-1")}));
}

TEST(CpuWeight, StaysWithinSystemdsBoundsAndInProportion) {
    EXPECT_EQ(cpu_weight(0, 8), 1U);
    EXPECT_EQ(cpu_weight(0.5, 8), 50U);
    EXPECT_EQ(cpu_weight(8, 8), 800U);
    EXPECT_EQ(cpu_weight(128, 256), 5'000U);
    EXPECT_EQ(cpu_weight(256, 256), 10'000U);  // the whole host fits
    EXPECT_EQ(cpu_weight(1e9, 8), 10'000U);
}

TEST(Recovery, SortsWhatIsFoundOnTheHost) {
    const std::vector<ListedUnit> listed{
        {"fairlead-f-known.scope", UnitState::active},
        {"fairlead-f-known_failed.scope", UnitState::failed},
        {"fairlead-f-orphan.scope", UnitState::active},
        {"fairlead-f-ending.scope", UnitState::deactivating},
        {"fairlead-f-left.scope", UnitState::failed},
        {"fairlead-f-gone.scope", UnitState::inactive},
        {"fairlead-f.slice", UnitState::active},
        {"fairlead-g.slice", UnitState::inactive},
    };
    const RecoveryPlan plan =
        plan_recovery(listed, {"fairlead-f-known.scope", "fairlead-f-known_failed.scope",
                               "fairlead-f-never_seen.scope"});
    const RecoveryPlan expected{{"fairlead-f-known.scope"},
                                {"fairlead-f-orphan.scope", "fairlead-f-ending.scope"},
                                {"fairlead-f-left.scope"},
                                {"fairlead-f.slice"}};
    EXPECT_EQ(plan, expected);
}

TEST(Recovery, WhatIsLeftOfEndedTasksIsNoStrangers) {
    RecoveryPlan plan = plan_recovery({{"fairlead-f-known.scope", UnitState::active},
                                       {"fairlead-f-ended.scope", UnitState::active},
                                       {"fairlead-f-ended_failed.scope", UnitState::failed},
                                       {"fairlead-f-stranger.scope", UnitState::active},
                                       {"fairlead-f-stranger_failed.scope", UnitState::failed}},
                                      {"fairlead-f-known.scope"});
    const auto strangers = take_strangers(plan, {"fairlead-f-ended.scope", "fairlead-f-ended_failed.scope",
                                                 "fairlead-f-not_there.scope"});
    EXPECT_EQ(strangers, std::vector<std::string>{"fairlead-f-stranger.scope"});
    const RecoveryPlan expected{
        {"fairlead-f-known.scope"}, {"fairlead-f-ended.scope"}, {"fairlead-f-ended_failed.scope"}, {}};
    EXPECT_EQ(plan, expected);
}

}  // namespace
}  // namespace fairlead::nodeagentd::runtime
