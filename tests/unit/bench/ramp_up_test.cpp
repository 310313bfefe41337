// V18, the closed forms of the Mesos paper's table 2, through the master's real core: how long a framework waits for the k
// slots that are its due when others run tasks of mean length T there, when a job of beta T k slot seconds is done, and how
// much of the slots it held was used. An elastic framework uses each slot at once, a rigid one only all of them together.

#include "allocator/drf/drf.hpp"
#include "bench/virtual_cluster/framework.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace fairlead::bench {
namespace {

constexpr std::size_t slots = 100;     // k
constexpr double mean_seconds = 30;    // T
constexpr double work = 10;            // beta
constexpr double piece_seconds = 3;    // of the job; so short that its last one does not count
constexpr double tolerance = 0.05;     // as the paper's forms are for many slots

// One task on each slot, then nothing more. What is left of it when the job comes is the i-th quantile of the residual
// length: uniform for tasks of one length, exponential for exponential ones.
class Occupant : public VirtualFramework {
  public:
    enum class Lengths { constant, exponential };
    Occupant(VirtualCluster& cluster, Lengths lengths) : VirtualFramework(cluster, "occupant", {}), lengths_(lengths) {}
    bool holds_all() const { return launched_ == slots; }

  private:
    void offers(const std::vector<v1::Offer>& offers) override {
        for (const auto& offer : offers) {
            if (holds_all()) {
                decline(offer, 1e6);
                continue;
            }
            const double quantile = static_cast<double>(launched_) / static_cast<double>(slots);
            const double left = lengths_ == Lengths::constant ? quantile : -std::log(1 - quantile);
            launch(offer, {task(offer, std::to_string(launched_++), mean_seconds * left + settling_seconds)}, 1e6);
        }
        want_offers(!holds_all());
    }
    void ended(const std::string&) override {}

    static constexpr double settling_seconds = 1;
    Lengths lengths_;
    std::size_t launched_ = 0;
};

class Job : public VirtualFramework {
  public:
    enum class Kind { elastic, rigid };
    Job(VirtualCluster& cluster, Kind kind, double begin)
        : VirtualFramework(cluster, "job", {}),
          kind_(kind),
          begin_(begin),
          left_(static_cast<std::size_t>(work * mean_seconds / piece_seconds * slots)) {}

    bool is_over() const { return done_seconds_ > 0; }
    double ramp_up() const { return all_held_seconds_ / mean_seconds; }  // all in units of T
    double completion() const { return done_seconds_ / mean_seconds; }
    double utilisation() const { return work * mean_seconds * slots / held_slot_seconds_; }

  private:
    void offers(const std::vector<v1::Offer>& offers) override {
        for (const auto& offer : offers) {
            note();
            if (seen_.insert(offer.agent_id().value()).second && has_seen_all())
                all_held_seconds_ = cluster().seconds() - begin_;
            ++held_;
            waiting_.push_back(offer);
        }
        if (kind_ == Kind::rigid && !has_seen_all()) return;
        for (const auto& offer : std::exchange(waiting_, {})) use(offer);
    }
    bool has_seen_all() const { return seen_.size() == slots; }
    void use(const v1::Offer& offer) {
        if (left_ == 0) return give_back(offer);
        --left_;
        ++running_;
        launch(offer, {task(offer, std::to_string(left_), piece_seconds)}, 0);
    }
    void give_back(const v1::Offer& offer) {
        note();
        --held_;
        decline(offer, 1e6);
    }
    void ended(const std::string&) override {
        note();
        --held_;  // the slot is offered again at once
        if (--running_ == 0 && left_ == 0) done_seconds_ = cluster().seconds() - begin_;
    }
    void note() {
        held_slot_seconds_ += static_cast<double>(held_) * (cluster().seconds() - noted_);
        noted_ = cluster().seconds();
    }

    Kind kind_;
    double begin_;
    std::size_t left_;
    std::set<std::string> seen_;  // agents, of one slot each
    std::size_t held_ = 0, running_ = 0;
    std::vector<v1::Offer> waiting_;
    double all_held_seconds_ = 0, done_seconds_ = 0, held_slot_seconds_ = 0, noted_ = 0;
};

struct Figures {
    double ramp_up, completion, utilisation;
};

Figures run(Job::Kind kind, Occupant::Lengths lengths) {
    VirtualCluster cluster(std::make_unique<allocator::drf::Drf>(1), 1);
    for (std::size_t i = 0; i < slots; ++i) cluster.add({.host = "host" + std::to_string(i), .cpus = 1});
    Occupant occupant(cluster, lengths);
    EXPECT_TRUE(cluster.run_until([&] { return occupant.holds_all(); }, std::chrono::seconds(1)));
    EXPECT_FALSE(cluster.run_until([] { return false; }, std::chrono::seconds(1) - (cluster.now() - base::Instant())));
    Job job(cluster, kind, cluster.seconds());
    EXPECT_TRUE(cluster.run_until([&] { return job.is_over(); }, std::chrono::hours(1)));
    return {job.ramp_up(), job.completion(), job.utilisation()};
}

void expect_near(double measured, double closed_form) { EXPECT_NEAR(measured, closed_form, tolerance * closed_form); }

}  // namespace

TEST(RampUp, V18ElasticConstant) {
    const auto [ramp_up, completion, utilisation] = run(Job::Kind::elastic, Occupant::Lengths::constant);
    expect_near(ramp_up, 1);
    expect_near(completion, 0.5 + work);
    expect_near(utilisation, 1);
}

TEST(RampUp, V18ElasticExponential) {
    const auto [ramp_up, completion, utilisation] = run(Job::Kind::elastic, Occupant::Lengths::exponential);
    expect_near(ramp_up, std::log(slots));
    EXPECT_EQ(std::round(std::log(slots) * mean_seconds), 138);
    expect_near(completion, 1 + work);
    expect_near(utilisation, 1);
}

TEST(RampUp, V18RigidConstant) {
    const auto [ramp_up, completion, utilisation] = run(Job::Kind::rigid, Occupant::Lengths::constant);
    expect_near(ramp_up, 1);
    expect_near(completion, 1 + work);
    expect_near(utilisation, work / (0.5 + work));
}

TEST(RampUp, V18RigidExponential) {
    const auto [ramp_up, completion, utilisation] = run(Job::Kind::rigid, Occupant::Lengths::exponential);
    expect_near(ramp_up, std::log(slots));
    expect_near(completion, std::log(slots) + work);
    expect_near(utilisation, work / (std::log(slots) - 1 + work));
    EXPECT_EQ(std::round(work / (std::log(slots) - 1 + work) * 1000), 735);
}

}  // namespace fairlead::bench
