// Operators: what they order of roles is asked for again and again until a master says that it is done, and must hold
// from then on, whoever leads.

#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace mc = masterd::core;

namespace {

Amount amount_of(const resources::Quantities& quantities) {
    return {quantities.of("cpus").thousandths(), quantities.of("mem").thousandths() / 1000};
}

}  // namespace

void Cluster::guarantee_something() {
    std::vector<mc::RoleOrder> orders;
    for (const Framework& framework : frameworks_) {
        if (prng_.chance(0.4)) continue;
        mc::RoleOrder order{base::Role(role_of(framework)), {}, {}};
        order.quota.emplace();
        order.quota->guarantee.add("cpus", resources::Milli::units(static_cast<std::int64_t>(1 + prng_.below(6))));
        order.quota->guarantee.add("mem", resources::Milli::units(static_cast<std::int64_t>(64 * (1 + prng_.below(12)))));
        orders.push_back(std::move(order));
    }
    order_roles(std::move(orders));
}

// What is guaranteed to somebody who needs nothing any more would be kept from the others for ever.
void Cluster::end_guarantee(const Framework& framework) {
    if (!scenario_.guarantees) return;
    mc::RoleOrder order{base::Role(role_of(framework)), {}, {}};
    order.quota.emplace();
    order_roles({std::move(order)});
}

void Cluster::order_roles(std::vector<mc::RoleOrder> orders) {
    orders_.push_back(std::move(orders));
    send_next_order();
}

void Cluster::send_next_order() {
    if (order_at_hand_ != 0 || orders_.empty()) return;
    const std::uint64_t request = order_at_hand_ = ++last_number_;
    if (Master* master = some_master(operator_party))
        deliver(request, operator_party, master_party(master->number), [this, master, request, orders = orders_.front()] {
            step_master(*master, mc::RolesOrdered{mc::RequestId{request}, orders, true});
        });
    timeline_.after(10s, [this, request] { order_answered(request, 503); });
}

void Cluster::order_answered(std::uint64_t request, unsigned status) {
    if (request != order_at_hand_) return;
    order_at_hand_ = 0;
    if (status == 200) {
        for (const mc::RoleOrder& order : orders_.front()) {
            mc::RoleOrders& holds = acknowledged_orders_[order.role];
            holds.guarantee = order.quota->guarantee;
            holds.limit = order.quota->limit;
            if (holds.are_default()) acknowledged_orders_.erase(order.role);
        }
        orders_.pop_front();
    } else if (status != 503) {
        complain(fmt::format("an operator's order was answered {}", status));
    }
    timeline_.after(status == 200 ? 0s : 1s, [this] { send_next_order(); });
}

// Judged by what hosts run: who has less than its guarantee and wants more is offered some before long, when all agents
// are there. What becomes of the offer is its own affair. Tasks of half a cpu leave no gaps in hosts of whole cpus;
// what is reserved or only for short tasks would be another matter, and so are gangs: who asks for one is offered nothing
// smaller, and it may be larger than the guarantee.
void Cluster::watch_guarantees() {
    constexpr auto below_max = 60s;
    timeline_.after(1s, [this] { watch_guarantees(); });
    Amount sum, all;
    for (const auto& [role, orders] : acknowledged_orders_) sum += amount_of(orders.guarantee);
    for (const Host& host : hosts_) all += {std::llround(host.cpus * 1000), std::llround(host.mem)};
    const bool can_be_met = sum.fits_into(all) && scenario_.reserve_chance == 0 && scenario_.short_task_percent == 0;
    const auto is_there = [](const Host& host) {
        return host.agent && host.agent->state().registered && !host.suspended && !host.being_written;
    };
    const bool all_are_there =
        !may_strike() && leading_master() && std::all_of(hosts_.begin(), hosts_.end(), is_there);
    for (Framework& framework : frameworks_) {
        const auto orders = acknowledged_orders_.find(base::Role(role_of(framework)));
        Amount next = task_amount;
        for (const Host& host : hosts_)
            for (const auto& [id, container] : host.containers)
                if (container.spec.framework_id.value() == framework.id && container.state != HostContainer::State::ended)
                    next += task_amount;
        const bool is_below = orders != acknowledged_orders_.end() && next.fits_into(amount_of(orders->second.guarantee));
        const bool wants_any = framework.wanted > 0 && framework.asks != Framework::Asks::gangs;
        if (!can_be_met || !all_are_there || !is_below || !wants_any || !speaker_of(framework))
            framework.below_guarantee_since.reset();
        else if (!framework.below_guarantee_since)
            framework.below_guarantee_since = timeline_.now().instant;
        else if (timeline_.now().instant - *framework.below_guarantee_since > below_max)
            complain(fmt::format("{} has less than its guarantee, wants more, and has long been offered nothing", role_of(framework)));
    }
}

// By who leads, not by one who was deposed and has not heard of it.
void Cluster::check_orders() {
    const Master* leader = leading_master();
    const bool is_known = !leader || is_deposed(*leader) ||
                          leader->core->state().books.roles().all_orders() == acknowledged_orders_;
    if (!is_known || zookeeper_.read(zookeeper_.epoch())->role_orders != acknowledged_orders_)
        complain("what an operator was told that it holds does not hold");
}

}  // namespace fairlead::sim
