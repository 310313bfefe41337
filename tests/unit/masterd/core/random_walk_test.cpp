// Walks of random inputs, many of them nonsense: whatever comes in whatever order, the books hold
// (the harness checks them after each step) and nothing is left behind at the end.

#include "allocator/drf/drf.hpp"
#include "common/base/prng.hpp"
#include "tests/support/comparing_module.hpp"
#include "tests/support/late_module.hpp"
#include "tests/support/master_harness.hpp"
#include "tests/support/master_registry.hpp"
#include "tests/support/reservation_messages.hpp"

#include <array>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Call = v1::scheduler::Call;

// Offers as the hungriest need it, and takes back at random, whether that makes sense or not.
class Grabber final : public allocator::Module {
  public:
    explicit Grabber(std::uint64_t seed) : prng_(seed) {}

    allocator::Plan plan(const allocator::Snapshot& snapshot, const allocator::Changes& changes) override {
        auto plan = offers_.plan(snapshot, changes);
        for (allocator::AgentSlot agent = 0; agent < snapshot.agents.size(); ++agent) {
            if (snapshot.agents[agent].id.empty() || !prng_.chance(0.1)) continue;
            snapshot.tasks.for_each(agent, [&](const allocator::TaskEntry& task) {
                const auto role = static_cast<allocator::RoleSlot>(prng_.below(snapshot.roles.size() + 1));
                if (task.ending && prng_.chance(0.3)) plan.call_offs.push_back({task.framework, task.id});
                plan.revocations.push_back({task.framework, agent, task.id, role});
                if (!task.gang.empty())
                    snapshot.tasks.for_each_of_gang(task.framework, task.gang, [&](const allocator::TaskEntry& other) {
                        plan.revocations.push_back({other.framework, other.agent, other.id, role});
                    });
                if (prng_.chance(0.2)) plan.inverse_offers.push_back({task.framework, agent, *task.resources});
            });
            const auto framework = static_cast<allocator::FrameworkSlot>(prng_.below(snapshot.frameworks.size() + 2));
            if (prng_.chance(0.1)) plan.rescinds.push_back({framework, agent});
        }
        return plan;
    }

  private:
    HungriestFirst offers_;
    base::Prng prng_;
};

class RandomWalk {
  public:
    explicit RandomWalk(std::uint64_t seed) : prng_(seed), master_(options(), module(seed)) {}

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) one_step();
        for (const auto& scheduler : schedulers_)
            master_.post(call_of(scheduler.id, Call::TEARDOWN), scheduler.stream_id);
        master_.pass(24h);
        EXPECT_EQ(master_.core.state().filters, 0u);
        EXPECT_EQ(master_.core.state().timers, 0u);
        EXPECT_TRUE(master_.core.state().books.offers().empty());
        EXPECT_TRUE(master_.core.state().revocations.revocations().empty());
        EXPECT_TRUE(master_.core.state().revocations.inverse_offers().empty());
        killed_ += master_.core.state().revocations.counts().killed;
    }

    std::uint64_t killed() const { return killed_; }

  private:
    static std::unique_ptr<allocator::Module> module(std::uint64_t seed) {
        std::unique_ptr<allocator::Module> made = std::make_unique<allocator::drf::Drf>(seed);
        if (seed % 2 == 0) made = std::make_unique<Grabber>(seed);
        // As those plan that come from a shared object.
        if (seed % 4 < 2) return std::make_unique<ComparingModule>(std::move(made));
        if (seed % 3 == 0) return std::make_unique<LateModule>(std::move(made), seed, 5s);
        return made;
    }
    static masterd::core::CoreOptions options() {
        masterd::core::CoreOptions options;
        options.offer_timeout = 40s;
        options.revocation_grace = 8s;
        options.unacknowledged_ends_on_agent = {3, 5};
        options.unacknowledged_ends = {6, 12};
        options.unreachable_tasks_max = 3;
        options.completed_tasks_max = 3;
        options.completed_frameworks_max = 3;
        options.short_task_percent = 20;
        options.short_task_duration = 7s;
        return options;
    }

    void one_step() {
        switch (prng_.below(16)) {
            case 0:
                return subscribe();
            case 1:
                return join();
            case 2:
                return master_.pass(std::chrono::seconds(prng_.below(20)));
            case 3:
                return rejoin();
            case 4:
                if (!hosts_.empty()) master_.step(masterd::core::LinkClosed{pick(hosts_).link});
                return;
            case 5:
                if (!schedulers_.empty())
                    master_.step(masterd::core::StreamClosed{pick(schedulers_).stream});
                return;
            case 6:
                return update();
            case 7:
                return prng_.chance(0.5) ? order() : order_reservation();
            case 8:
                if (prng_.chance(0.1)) lead_again();
                return;
            default:
                if (!schedulers_.empty()) call(pick(schedulers_));
        }
    }

    // At once or after a while, with whatever comes in meanwhile.
    void lead_again() {
        using namespace masterd::core;
        killed_ += master_.core.state().revocations.counts().killed;
        if (prng_.chance(0.8)) {
            master_.step(LeadershipLost{"chance"});
            for (auto left = prng_.below(6); left > 0; --left) one_step();
        }
        MasterRegistry registry;
        registry.write(master_.persisted);
        master_.lead(master_.core.state().epoch + 1, {}, registry.read());
    }

    void subscribe() {
        auto info = framework_info();
        if (prng_.chance(0.5)) info.add_capabilities()->set_type(Capability::FAIRLEAD_SHORT_TASKS);
        info.set_role(std::array{"*", "eng", "eng/ads", "eng/web"}[prng_.below(4)]);
        if (prng_.chance(0.5)) info.set_failover_timeout(30);
        if (!schedulers_.empty() && prng_.chance(0.6))
            info.mutable_id()->set_value(pick(schedulers_).id);
        const auto scheduler = master_.subscribe(info);
        if (!scheduler.id.empty()) schedulers_.push_back(scheduler);
    }
    void join() {
        if (hosts_.size() >= 40) return;
        const auto host = master_.join(hostname());
        if (!host.id.empty()) hosts_.push_back(host);
    }
    void rejoin() {
        if (hosts_.empty()) return;
        const auto& host = pick(hosts_);
        auto message = register_message(agent_info(hostname(), prng_.chance(0.8) ? 4 : 1));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
        for (int i = 0; i < 3 && !schedulers_.empty(); ++i) {
            const auto& id = pick(schedulers_).id;
            *message.mutable_register_()->add_tasks() =
                task_on_agent(id, task_id(), host.id, state());
            auto& info = *message.mutable_register_()->add_frameworks();
            info = framework_info();
            info.mutable_id()->set_value(id);
        }
        const auto back = master_.join(message);
        if (!back.id.empty()) hosts_.push_back(back);
    }
    void update() {
        if (hosts_.empty() || schedulers_.empty()) return;
        master_.say(pick(hosts_).link,
                    status_update(pick(schedulers_).id, task_id(), state(), uuid()));
    }
    void order() {
        using namespace masterd::core;
        RolesOrdered ordered{RequestId{next_request_++}, {}, prng_.chance(0.5)};
        for (const char* name : {"*", "eng", "eng/ads", "eng/web"}) {
            if (prng_.chance(0.5)) continue;
            RoleOrder order{base::Role(name), 0.5 + static_cast<double>(prng_.below(4)), {}};
            if (prng_.chance(0.5)) {
                order.quota.emplace();
                order.quota->guarantee.add("cpus", resources::Milli::units(static_cast<std::int64_t>(prng_.below(8))));
                if (prng_.chance(0.5))
                    order.quota->limit.set("cpus", resources::Milli::units(static_cast<std::int64_t>(prng_.below(9))));
            }
            ordered.orders.push_back(std::move(order));
        }
        master_.step(ordered);
        EXPECT_NE(master_.replies[ordered.request].status, 0u);
        if (!master_.core.state().leading) return;
        MasterRegistry registry;
        registry.write(master_.persisted);
        EXPECT_EQ(registry.read().role_orders, master_.core.state().books.roles().all_orders());
    }
    void order_reservation() {
        using namespace masterd::core;
        resources::WireResources wanted;
        *wanted.Add() = reservation();
        const auto change = prng_.chance(0.6) ? read_reserve(wanted, {}, {}) : read_unreserve(wanted, {});
        master_.step(ReservationOrdered{RequestId{next_request_++}, base::AgentId(host_id()), change.value()});
        if (!hosts_.empty() && prng_.chance(0.5)) {
            const auto& host = hosts_[prng_.below(hosts_.size())];
            if (master_.core.state().books.agent(base::AgentId(host.id))) master_.confirm_reservations(host);
        }
    }

    void call(const MasterHarness::Scheduler& scheduler) {
        auto call = call_of(scheduler.id, Call::DECLINE);
        switch (prng_.below(10)) {
            case 8:
                call = accept_call(scheduler.id, prng_.chance(0.5) ? offers() : offers_of(scheduler), {});
                call.mutable_accept()->clear_operations();
                for (auto left = prng_.below(4); left > 0; --left)
                    *call.mutable_accept()->add_operations() = operation();
                break;
            case 0:
            case 1:
            case 2:
                call = accept_call(
                    scheduler.id, offers(),
                    {command_task(task_id(), host_id()), command_task(task_id(), host_id(), 0.5)});
                if (prng_.chance(0.3))
                    for (auto& task : *call.mutable_accept()->mutable_operations(0)->mutable_launch()->mutable_task_infos())
                        task.mutable_revocation_policy()->set_gang("gang" + std::to_string(prng_.below(2)));
                break;
            case 3:
                call.mutable_decline()->mutable_filters()->set_refuse_seconds(prng_.below(100));
                for (const auto& id : offers())
                    call.mutable_decline()->add_offer_ids()->set_value(id);
                break;
            case 4:
                call.set_type(prng_.chance(0.5) ? Call::REVIVE : Call::SUPPRESS);
                break;
            case 5:
                call.set_type(Call::KILL);
                call.mutable_kill()->mutable_task_id()->set_value(task_id());
                break;
            case 6:
                call.set_type(Call::ACKNOWLEDGE);
                call.mutable_acknowledge()->mutable_agent_id()->set_value(host_id());
                call.mutable_acknowledge()->mutable_task_id()->set_value(task_id());
                call.mutable_acknowledge()->set_uuid(uuid());
                break;
            case 7: {
                call.set_type(Call::REQUEST);
                auto& request = *call.mutable_request()->add_requests();
                *request.add_resources() = scalar("cpus", static_cast<double>(prng_.below(5)));
                request.set_count(static_cast<std::uint32_t>(prng_.below(6)));
                if (prng_.chance(0.5)) request.set_gang("g" + std::to_string(prng_.below(3)));
                if (prng_.chance(0.5)) request.mutable_within()->set_nanoseconds(base::Duration(40s).count());
                break;
            }
            default:
                call.set_type(prng_.chance(0.1) ? Call::TEARDOWN : Call::RECONCILE);
                call.mutable_reconcile();
        }
        master_.post(call, scheduler.stream_id);
    }

    template <typename T>
    const T& pick(const std::vector<T>& from) {
        return from[prng_.below(from.size())];
    }
    // Few enough that an agent sometimes comes from where another one was.
    std::string hostname() { return "host" + std::to_string(prng_.below(20)); }
    std::string task_id() { return "t" + std::to_string(prng_.below(12)); }
    std::string uuid() { return "0123456789abcde" + std::to_string(prng_.below(2)); }
    std::string host_id() { return hosts_.empty() ? "none" : pick(hosts_).id; }
    v1::TaskState state() { return static_cast<v1::TaskState>(prng_.below(5)); }
    std::vector<std::string> offers() {
        std::vector<std::string> ids;
        for (const auto& [id, offer] : master_.core.state().books.offers())
            if (prng_.chance(0.2)) ids.push_back(id.value());
        return ids;
    }

    std::vector<std::string> offers_of(const MasterHarness::Scheduler& scheduler) {
        const auto* framework = master_.core.state().books.framework(base::FrameworkId(scheduler.id));
        if (!framework || framework->offers.empty()) return {};
        return {pick(framework->offers)->id.value()};
    }
    v1::Resource reservation() {
        auto one = prng_.chance(0.3) ? ports(31000, 31000 + prng_.below(50))
                                     : scalar("cpus", 1.0 + static_cast<double>(prng_.below(2)));
        return reserved(one, std::array{"eng", "eng/ads", "eng/web"}[prng_.below(3)]);
    }
    v1::Offer::Operation operation() {
        if (prng_.chance(0.3)) return launch_operation(task_with(task_id(), host_id(), {reservation()}));
        return prng_.chance(0.6) ? reserve_operation({reservation()}) : unreserve_operation({reservation()});
    }

    std::uint64_t killed_ = 0;
    base::Prng prng_;
    MasterHarness master_;
    std::vector<MasterHarness::Scheduler> schedulers_;
    std::vector<MasterHarness::Host> hosts_;
    std::uint64_t next_request_ = 1'000'000;
};

TEST(RandomWalk, LeavesTheBooksRight) {
    std::uint64_t killed = 0;
    for (std::uint64_t seed = 1; seed <= 24 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomWalk walk(seed);
        walk.run(400);
        killed += walk.killed();
    }
    EXPECT_GT(killed, 0u) << "tasks were taken back";
}

}  // namespace
}  // namespace fairlead::tests
