#include "frameworks/replay/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::frameworks::replay {
namespace {

constexpr std::uint64_t block = map_input_bytes_max;

Ledger two_jobs(unsigned attempts_max = 4) {
    return Ledger({{"small", 0, 1}, {"large", 100, 2 * block}},
                  {.time_scale = 10, .attempts_max = attempts_max});
}

TEST(Ledger, JobsBecomeReadyAtTheirCompressedTime) {
    auto ledger = two_jobs();
    EXPECT_THAT(ledger.advance(0), testing::ElementsAre(0));
    EXPECT_EQ(ledger.ready_count(), 1u);
    EXPECT_EQ(ledger.next_due(), 10);
    EXPECT_THAT(ledger.advance(9.9), testing::IsEmpty());
    EXPECT_THAT(ledger.advance(10), testing::ElementsAre(1, 2));
    EXPECT_EQ(ledger.ready_count(), 3u);
    EXPECT_LT(ledger.next_due(), 0);
}

TEST(Ledger, ACertainTaskIsPlacedBeforeThoseThatWaitLonger) {
    auto ledger = two_jobs();
    ledger.advance(10);
    ledger.place(2, 11, 1);
    EXPECT_EQ(ledger.tasks()[2].phase, TaskPhase::placed);
    EXPECT_EQ(ledger.place(12, 1), 0u);
    EXPECT_EQ(ledger.place(12, 1), 1u);
    EXPECT_FALSE(ledger.has_ready());
}

TEST(Ledger, AStatusThatComesTwiceCountsOnce) {
    auto ledger = two_jobs();
    ledger.advance(0);
    const auto task = ledger.place(1, 0.5);
    ledger.running(task, 2);
    ledger.running(task, 3);
    EXPECT_TRUE(ledger.finished(task, 4));
    EXPECT_FALSE(ledger.finished(task, 5));
    EXPECT_EQ(ledger.finished_count(), 1u);
    EXPECT_EQ(ledger.running_count(), 0u);
    EXPECT_EQ(ledger.cpus_held(), 0);
    EXPECT_EQ(ledger.makespan(), 4);
    EXPECT_EQ(ledger.jobs_finished(), 1u);
}

TEST(Ledger, AFailedTaskIsTriedAgainUnderAnotherIdAndIsNoLoss) {
    auto ledger = two_jobs();
    ledger.advance(0);
    const auto task = ledger.place(0, 1);
    const auto first = ledger.id_of(task);
    EXPECT_EQ(ledger.task_of(first), task);
    EXPECT_TRUE(ledger.failed(task, 1));
    EXPECT_EQ(ledger.place(2, 1), task);
    EXPECT_NE(ledger.id_of(task), first);
    EXPECT_EQ(ledger.task_of(first), Ledger::none);
    EXPECT_TRUE(ledger.finished(task, 3));
    EXPECT_EQ(ledger.failed_attempts(), 1u);
    EXPECT_EQ(ledger.lost(), 0u);
}

TEST(Ledger, ATaskThatFailsTooOftenIsLost) {
    auto ledger = two_jobs(2);
    ledger.advance(0);
    EXPECT_TRUE(ledger.failed(ledger.place(0, 1), 1));
    EXPECT_FALSE(ledger.failed(ledger.place(1, 1), 2));
    EXPECT_EQ(ledger.lost(), 1u);
    EXPECT_EQ(ledger.ready_count(), 0u);
    EXPECT_FALSE(ledger.over());
}

TEST(Ledger, ForeignIdsAreNobodysTask) {
    auto ledger = two_jobs();
    for (const auto* id : {"", "small", "small-", "small-99.1", "small-0.7", "-"})
        EXPECT_EQ(ledger.task_of(id), Ledger::none) << id;
}

TEST(Ledger, WaitsRunFromSubmissionToTheFirstTaskRunning) {
    auto ledger = two_jobs();
    ledger.advance(10);
    const auto small = ledger.place(11, 1), first = ledger.place(11, 1),
               second = ledger.place(11, 1);
    ledger.running(small, 12);
    ledger.running(second, 13);
    ledger.running(first, 15);
    EXPECT_THAT(ledger.job_waits(), testing::ElementsAre(12, 3));
    EXPECT_THAT(ledger.task_waits(), testing::UnorderedElementsAre(12, 3, 5));
}

TEST(Ledger, CpusOverTimeAreMeansOfEachPart) {
    auto ledger = two_jobs();
    ledger.advance(0);
    const auto task = ledger.place(1, 2);
    ledger.finished(task, 3);
    EXPECT_THAT(ledger.held_over_time(2, 4), testing::ElementsAre(1, 1));
    EXPECT_THAT(ledger.held_over_time(4, 4), testing::ElementsAre(0, 2, 2, 0));
}

TEST(Spread, IsByNearestRank) {
    std::vector<double> values;
    for (int i = 100; i >= 1; --i) values.push_back(i);
    const auto spread = spread_of(values);
    EXPECT_EQ(spread.median, 50);
    EXPECT_EQ(spread.p95, 95);
    EXPECT_EQ(spread.max, 100);
}

}  // namespace
}  // namespace fairlead::frameworks::replay
