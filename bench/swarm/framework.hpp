#pragma once
// The frameworks of the swarm, on the sdk. A worker launches as many tasks as an offer has slots, their lengths drawn,
// for as long as it is told to; after a change of the master it asks for what has become of its tasks. The probe starts
// one task at a time and takes the time.

#include "bench/samples.hpp"
#include "bench/swarm/ledger.hpp"
#include "common/base/prng.hpp"
#include "sdk/scheduler.hpp"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::bench {

inline constexpr std::uint32_t probe_number = 1'000'000;

// What all frameworks share. One strand.
struct FrameworksBoard {
    std::vector<std::string> masters;
    bool launching = true;
    double length_mean_s = 30;
    double length_deviation_s = 10;
    // The first tasks of each worker are cut at a random point, so that their ends do not come all at once.
    std::uint64_t cut_tasks = 0;
    base::Prng prng{1};
    Ledger ledger;
    std::uint64_t asked = 0;
    std::uint64_t running = 0;
    std::uint64_t over = 0;
    std::uint64_t lost = 0;     // told to be, for whatever reason
    std::uint64_t offers = 0;
    std::uint64_t calls_failed = 0;
    std::string trouble;
    bool sampling = false;
    Samples to_running;  // from the call that launches to RUNNING
    // The first RUNNING that a worker hears on a subscription from after this moment.
    base::Instant running_since = base::Instant::max();
    base::Instant first_running = base::Instant::max();
};

class Worker : public sdk::SchedulerEvents {
  public:
    Worker(async::Executor strand, FrameworksBoard& board, std::uint32_t number);

    async::awaitable<void> run();
    void stop(sdk::Ending ending) { scheduler_.stop(ending); }
    // No more tasks.
    void rest();
    base::Instant subscribed_at() const { return subscribed_at_; }
    bool is_subscribed() const { return scheduler_.subscribed(); }
    std::size_t open_tasks() const { return tasks_.size(); }
    sdk::Scheduler& scheduler() { return scheduler_; }
    void ask_for_tasks();

    void subscribed(const v1::scheduler::Event::Subscribed&) override;
    void offers(const std::vector<v1::Offer>& offers) override;
    void update(const v1::TaskStatus& status) override;
    void disconnected(const base::Error& error) override { board_.trouble = error.message(); }
    void call_failed(const v1::scheduler::Call& call, const base::Error& error) override;

  private:
    struct Open {
        std::string agent;
        Clock::time_point asked;
        bool running = false;
    };
    // As many tasks as it has room for.
    void launch(const v1::Offer& offer);

    FrameworksBoard& board_;
    const std::uint32_t number_;
    sdk::Scheduler scheduler_;
    std::uint32_t last_task_ = 0;
    std::unordered_map<std::uint32_t, Open> tasks_;  // asked for, and not over as far as we know
    base::Instant subscribed_at_{};
};

class Probe : public sdk::SchedulerEvents {
  public:
    struct Results {
        Samples to_running;  // from the moment when a task is ready to be launched
        Samples overhead;    // from there to its end, without its length
    };
    Probe(async::Executor strand, FrameworksBoard& board);

    async::awaitable<void> run();
    void stop() { scheduler_.stop(sdk::Ending::teardown); }
    // So many tasks of this length, one after another; `done` hears the results.
    sdk::Scheduler& scheduler() { return scheduler_; }
    void start(unsigned tasks, double length_s, std::function<void(Results)> done);
    bool is_subscribed() const { return scheduler_.subscribed(); }

    void subscribed(const v1::scheduler::Event::Subscribed&) override;
    void offers(const std::vector<v1::Offer>& offers) override;
    void update(const v1::TaskStatus& status) override;

  private:
    void next();

    FrameworksBoard& board_;
    sdk::Scheduler scheduler_;
    async::asio::steady_timer pause_;
    unsigned left_ = 0;
    double length_s_ = 0;
    std::function<void(Results)> done_;
    Results results_;
    std::uint32_t number_ = 0;
    bool wants_ = false;
    bool running_ = false;
    Clock::time_point ready_;
};

}  // namespace fairlead::bench
