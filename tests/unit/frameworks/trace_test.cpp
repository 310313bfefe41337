#include "frameworks/replay/trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace fairlead::frameworks::replay {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;

TEST(Trace, TakesTheFirstJobsAndLeavesTheRest) {
    const auto jobs = parse_trace("a\t1\t1\t100\t0\t0\n\nb\t2.5\t1\t200\t0\t0\nbroken", 2);
    ASSERT_TRUE(jobs);
    EXPECT_THAT(*jobs, testing::ElementsAre(TraceJob{"a", 1, 100}, TraceJob{"b", 2.5, 200}));
}

TEST(Trace, ErrorsNameTheLine) {
    const auto message = [](std::string_view text) {
        const auto jobs = parse_trace(text, 10);
        return jobs ? std::string("no error") : jobs.error().message();
    };
    EXPECT_THAT(message("a\t1\t1\t100\nb\t2"), testing::HasSubstr("line 2: 2 columns"));
    EXPECT_THAT(message("a\tsoon\t1\t100"), testing::HasSubstr("line 1: submit time 'soon'"));
    EXPECT_THAT(message("a\tnan\t1\t100"), testing::HasSubstr("line 1"));
    EXPECT_THAT(message("a\t1\t1\t-5"), testing::HasSubstr("line 1: map input '-5'"));
    EXPECT_THAT(message("a\t5\t1\t1\nb\t4\t1\t1"), testing::HasSubstr("line 2: submitted before"));
    EXPECT_THAT(message("\n\n"), testing::HasSubstr("no jobs"));
}

TEST(MapTasks, HoldAtMost128MiBEachAndAtLeastOneIsThere) {
    EXPECT_THAT(map_tasks(0, 1), testing::ElementsAre(0));
    EXPECT_THAT(map_tasks(128 * mib, 1), testing::ElementsAre(128 * mib));
    EXPECT_THAT(map_tasks(128 * mib + 1, 1), testing::ElementsAre(128 * mib, 1));
    const auto job17 = map_tasks(10274791099, 1);
    EXPECT_EQ(job17.size(), 77u);
    EXPECT_EQ(std::accumulate(job17.begin(), job17.end(), std::uint64_t{0}), 10274791099u);
}

TEST(MapTasks, AScaleChangesTheWorkAndNotTheirNumber) {
    EXPECT_THAT(map_tasks(256 * mib, 0.5), testing::ElementsAre(64 * mib, 64 * mib));
}

}  // namespace
}  // namespace fairlead::frameworks::replay
