// Operators: what they order of roles is asked for again and again until a master says that it is done, and must hold from
// then on, whoever leads.

#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace mc = masterd::core;

void Cluster::guarantee_something() {
    std::vector<mc::RoleOrder> orders;
    for (const Scheduler& scheduler : schedulers_) {
        if (prng_.chance(0.4)) continue;
        mc::RoleOrder order{base::Role(role_of(scheduler)), {}, {}};
        order.quota.emplace();
        order.quota->guarantee.add("cpus", resources::Milli::units(static_cast<std::int64_t>(1 + prng_.below(6))));
        order.quota->guarantee.add("mem", resources::Milli::units(static_cast<std::int64_t>(64 * (1 + prng_.below(12)))));
        orders.push_back(std::move(order));
    }
    order_roles(std::move(orders));
}

// What is guaranteed to somebody who needs nothing any more would be kept from the others for ever.
void Cluster::end_guarantee(const Scheduler& scheduler) {
    if (!scenario_.guarantees) return;
    mc::RoleOrder order{base::Role(role_of(scheduler)), {}, {}};
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

void Cluster::check_orders() {
    const Master* leader = leading_master();
    if (leader && leader->core->state().books.roles().all_orders() != acknowledged_orders_)
        complain("what an operator was told that it holds does not hold");
}

}  // namespace fairlead::sim
