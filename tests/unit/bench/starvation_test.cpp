// A thousand frameworks that have nothing to do, and one that has: through the master's real core.

#include "allocator/drf/drf.hpp"
#include "bench/sharing/batch.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace fairlead::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t machines = 10;  // of four cpus
constexpr std::size_t tasks = 400;
constexpr double task_seconds = 1;
constexpr double alone_seconds = tasks * task_seconds / (machines * 4);

class Idle : public VirtualFramework {
  public:
    enum class Manner { declines, never_answers };
    Idle(VirtualCluster& cluster, const std::string& role, Manner manner)
        : VirtualFramework(cluster, role, {}), manner_(manner) {}

  private:
    void offers(const std::vector<v1::Offer>& offers) override {
        if (manner_ == Manner::never_answers) return;
        for (const auto& offer : offers) decline(offer, refuse_seconds);
    }
    void ended(const std::string&) override {}

    static constexpr double refuse_seconds = 5;  // as Mesos' default is
    Manner manner_;
};

// Seconds that the busy one needs for its job.
double run_beside(std::size_t decliners, std::size_t silent_ones) {
    VirtualCluster cluster(std::make_unique<allocator::drf::Drf>(1), 1);
    std::deque<Idle> idle;
    for (std::size_t i = 0; i < decliners; ++i)
        idle.emplace_back(cluster, "declines" + std::to_string(i), Idle::Manner::declines);
    for (std::size_t i = 0; i < silent_ones; ++i)
        idle.emplace_back(cluster, "silent" + std::to_string(i), Idle::Manner::never_answers);
    BatchEngine busy(cluster, "busy", {}, 1);
    busy.submit_at(0, {"job", {{tasks, task_seconds}}});
    for (std::size_t i = 0; i < machines; ++i) cluster.add({.host = "host" + std::to_string(i)});
    EXPECT_TRUE(cluster.run_until([&] { return busy.is_over(); }, 1h)) << "it starves";
    return busy.is_over() ? busy.finished().front().length() : 3600;
}

}  // namespace

TEST(Starvation, AThousandThatDeclineEverythingCostLittle) {
    EXPECT_LT(run_beside(1000, 0), 2 * alone_seconds);
}

// Who never answers keeps what it was offered until the patience with it is over, once; then it is asked after the others.
TEST(Starvation, AThousandThatNeverAnswerCostThePatienceWithThemOnce) {
    constexpr double patience_seconds = 5;
    EXPECT_LT(run_beside(0, 1000), 1000.0 / machines * patience_seconds + 3 * alone_seconds);
    EXPECT_LT(run_beside(900, 100), 100.0 / machines * patience_seconds + 3 * alone_seconds);
}

}  // namespace fairlead::bench
