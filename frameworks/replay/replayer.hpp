#pragma once
// One framework that replays a trace on the cluster: places ready tasks on offers, near their input
// where it is known to be somewhere, retries what failed, declines what it has no use for,
// suppresses offers while nothing is ready and revives them when work comes. What happened is kept
// by its Ledger. On one strand; runs from start() until all tasks ended.

#include "common/async/asio.hpp"
#include "common/async/task_group.hpp"
#include "frameworks/replay/blocks.hpp"
#include "frameworks/replay/ledger.hpp"
#include "frameworks/replay/placement.hpp"
#include "sdk/scheduler.hpp"

#include <functional>
#include <map>
#include <string>

namespace fairlead::frameworks::replay {

struct ReplayerOptions {
    std::vector<std::string> masters;
    std::string name, role, user, maptask;
    double cpus = 0.25, mem_mb = 64;
    sdk::LocalityWaits waits;
};

class Replayer : public sdk::SchedulerEvents {
  public:
    Replayer(async::Executor strand, ReplayerOptions options, Ledger ledger);

    async::awaitable<base::Status> run() { return scheduler_.run(); }
    bool is_subscribed() const { return scheduler_.subscribed(); }
    // The trace's time zero is `start`; until then offers are declined. Task i reads block i.
    void start(base::Instant start, Blocks blocks);
    // Submits what is due. To be called often.
    void tick();
    // All tasks have ended and their output was read.
    bool over() const { return ledger_.over() && reading_ == 0; }
    async::awaitable<void> stop();

    const Ledger& ledger() const { return ledger_; }
    const std::string& name() const { return options_.name; }
    const std::string& last_trouble() const { return last_trouble_; }

    void subscribed(const v1::scheduler::Event::Subscribed&) override;
    void offers(const std::vector<v1::Offer>& offers) override;
    void update(const v1::TaskStatus& status) override;
    void call_failed(const v1::scheduler::Call& call, const base::Error& error) override;

  private:
    void use(const v1::Offer& offer);
    void queue(std::size_t task);
    void tell_what_is_wanted();
    void trouble(std::string text) { last_trouble_ = std::move(text); }
    double elapsed() const;
    void want_offers(bool wanted);
    void reconcile_open();
    void read_output(std::size_t task, const std::string& id);
    async::awaitable<void> read_cpu_seconds(std::string agent, std::string id);

    ReplayerOptions options_;
    async::Executor strand_;
    Ledger ledger_;
    Blocks blocks_;
    Placement placement_;
    sdk::Scheduler scheduler_;
    async::TaskGroup group_;
    std::map<std::size_t, std::string> agents_;  // of the present attempt: "ip:port"
    base::Instant start_{};
    bool started_ = false;
    bool offers_wanted_ = true;
    std::size_t reading_ = 0;
    std::string last_trouble_;
};

}  // namespace fairlead::frameworks::replay
