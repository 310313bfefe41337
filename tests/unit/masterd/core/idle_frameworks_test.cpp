// Many frameworks that are of no use to anybody, each in a role of its own, and one that works: it has to get nearly all of
// the cluster, with the master's defaults and from the first minute on.

#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"

#include <deque>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Call = v1::scheduler::Call;

// What a framework does with its offers that wants none.
enum class Habit { declines, never_answers, keeps_them_for_a_while };

class IdleFrameworks {
  public:
    IdleFrameworks(int agents, const std::vector<Habit>& habits) {
        master_.check_invariants = false;
        for (const Habit habit : habits)
            idle_.push_back({master_.subscribe(named("idle" + std::to_string(idle_.size()))), habit, {}});
        busy_ = master_.subscribe(named("busy"));
        for (int i = 0; i < agents; ++i) hosts_.push_back(master_.join("host" + std::to_string(i)));
    }

    // The part of the cluster that the busy one's tasks hold, on average over that time.
    double busy_part(base::Duration time) {
        const auto end = master_.now.instant + time;
        double held = 0;
        int moments = 0;
        while (master_.now.instant < end) {
            master_.pass(500ms);
            work();
            for (Idle& one : idle_) answer(one);
            held += static_cast<double>(running_.size()) / static_cast<double>(hosts_.size());
            ++moments;
        }
        return held / moments;
    }

  private:
    static constexpr auto task_time = 5s;

    struct Idle {
        MasterHarness::Scheduler scheduler;
        Habit habit;
        std::deque<std::pair<base::Instant, std::string>> offers;  // that it keeps, and until when
    };
    struct Running {
        MasterHarness::Host host;
        std::string task;
        base::Instant until;
    };

    static masterd::core::CoreOptions options() {
        masterd::core::CoreOptions options;
        options.heartbeat_interval = 24h;
        options.ping_interval = 24h;  // these agents answer no pings
        options.ping_timeout = 48h;
        return options;
    }
    static v1::FrameworkInfo named(const std::string& name) {
        auto info = framework_info();
        info.set_name(name);
        info.set_role(name);
        return info;
    }

    // Each task takes a whole agent; when it ends the agent is offered to somebody again.
    void work() {
        for (const auto& offer : master_.take_offers(busy_)) {
            const std::string id = "t" + std::to_string(next_task_++);
            const auto host = std::find_if(hosts_.begin(), hosts_.end(),
                                           [&](const auto& one) { return one.id == offer.agent_id().value(); });
            master_.send(busy_, accept_call(busy_.id, {offer.id().value()}, {command_task(id, host->id, 4, 1024)}));
            running_.push_back({*host, id, master_.now.instant + task_time});
        }
        while (!running_.empty() && running_.front().until <= master_.now.instant) {
            const Running ended = std::move(running_.front());
            running_.pop_front();
            master_.say(ended.host.link, status_update(busy_.id, ended.task, v1::TASK_FINISHED, "0123456789abcdef"));
        }
    }
    void answer(Idle& one) {
        for (const auto& offer : master_.take_offers(one.scheduler)) {
            if (one.habit == Habit::declines) decline(one, offer.id().value(), v1::Filters().refuse_seconds());
            if (one.habit == Habit::keeps_them_for_a_while)
                one.offers.emplace_back(master_.now.instant + 500ms, offer.id().value());
        }
        while (!one.offers.empty() && one.offers.front().first <= master_.now.instant) {
            decline(one, one.offers.front().second, 0);
            one.offers.pop_front();
        }
    }
    void decline(const Idle& one, const std::string& offer, double seconds) {
        auto call = call_of(one.scheduler.id, Call::DECLINE);
        call.mutable_decline()->add_offer_ids()->set_value(offer);
        call.mutable_decline()->mutable_filters()->set_refuse_seconds(seconds);
        master_.send(one.scheduler, call);
    }

    MasterHarness master_{options(), std::make_unique<allocator::drf::Drf>(1)};
    std::vector<MasterHarness::Host> hosts_;
    std::vector<Idle> idle_;
    MasterHarness::Scheduler busy_;
    std::deque<Running> running_;
    int next_task_ = 0;
};

// A silent one costs a host for five seconds before it is asked after the others: 50 s of 100 hosts for a thousand, and the
// same again when their time comes, ever later.

TEST(IdleFrameworks, AThousandOfEveryKindDoNotStarveTheBusyOne) {
    std::vector<Habit> habits;
    for (int i = 0; i < 1000; ++i) habits.push_back(static_cast<Habit>(i % 3));
    IdleFrameworks cluster(100, habits);
    EXPECT_GT(cluster.busy_part(10min), 0.75);
}

TEST(IdleFrameworks, AThousandOfOneKindDoNotEither) {
    for (const Habit habit : {Habit::declines, Habit::never_answers, Habit::keeps_them_for_a_while}) {
        IdleFrameworks cluster(100, std::vector<Habit>(1000, habit));
        EXPECT_GT(cluster.busy_part(10min), 0.7) << static_cast<int>(habit);
    }
}

TEST(IdleFrameworks, AHundredOnFourHostsDoNotEither) {
    for (const Habit habit : {Habit::declines, Habit::never_answers, Habit::keeps_them_for_a_while}) {
        IdleFrameworks cluster(4, std::vector<Habit>(100, habit));
        EXPECT_GT(cluster.busy_part(30min), 0.7) << static_cast<int>(habit);
    }
}

}  // namespace
}  // namespace fairlead::tests
