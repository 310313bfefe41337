// Reservations: frameworks that reserve from their offers and give back, an operator who does both, and what has to
// come of it: master and agent agree, and in the end nothing is reserved for those who have nothing left to run.

#include "tests/sim/cluster.hpp"

#include "common/resources/reserving.hpp"
#include "tests/support/reservation_messages.hpp"

#include <fmt/format.h>

namespace fairlead::sim {

namespace mc = masterd::core;

namespace {

std::vector<v1::Resource> reserved_amounts(const Holding& amount, const std::string& role) {
    return {tests::reserved(tests::scalar("cpus", amount.cpus), role),
            tests::reserved(tests::scalar("mem", amount.mem), role)};
}

Holding times(int count) { return {one_task.cpus * count, one_task.mem * count}; }

}  // namespace

std::string role_of(const Framework& framework) { return fmt::format("role{}", framework.number); }

void Cluster::reserve_some(const Framework& framework, v1::scheduler::Call::Accept& accept, Holding& free,
                           Holding& reserved) {
    // What is reserved for one that has ended stays so.
    if (framework.ends != Framework::Ends::with_its_work) return;
    if (framework.wanted == 0 || !prng_.chance(scenario_.reserve_chance)) return;
    const Holding some = times(1 + static_cast<int>(prng_.below(4)));
    *accept.add_operations() = tests::reserve_operation(reserved_amounts(some, role_of(framework)));
    // More than is offered, now and then: then it is refused, and what builds on it too.
    if (some.cpus > free.cpus || some.mem > free.mem) return;
    free = {free.cpus - some.cpus, free.mem - some.mem};
    reserved = {reserved.cpus + some.cpus, reserved.mem + some.mem};
}

// All of it, once there is nothing left to launch.
void Cluster::give_back_some(const Framework& framework, v1::scheduler::Call::Accept& accept, Holding& reserved) {
    if (reserved.cpus == 0 && reserved.mem == 0) return;
    if (framework.wanted > 0 && !prng_.chance(scenario_.reserve_chance / 2)) return;
    *accept.add_operations() = tests::unreserve_operation(reserved_amounts(reserved, role_of(framework)));
    reserved = {};
}

void Cluster::plan_operator() {
    timeline_.after(std::chrono::milliseconds(200 + prng_.below(3000)), [this] {
        if (timeline_.now().instant.time_since_epoch() > scenario_.faults_until) return;
        if (prng_.chance(scenario_.reserve_chance)) order_some_reservation();
        plan_operator();
    });
}

void Cluster::order_some_reservation() {
    const Host& host = hosts_[prng_.below(hosts_.size())];
    const Framework& framework = frameworks_[prng_.below(frameworks_.size())];
    if (!host.agent || framework.ends != Framework::Ends::with_its_work) return;
    resources::WireResources wanted;
    for (const auto& one : reserved_amounts(times(1 + static_cast<int>(prng_.below(3))), role_of(framework)))
        *wanted.Add() = one;
    const auto change = prng_.chance(0.7) ? mc::read_reserve(wanted, {}, {}) : mc::read_unreserve(wanted, {});
    if (Master* master = some_master(operator_party))
        step_master(*master,
                    mc::ReservationOrdered{mc::RequestId{++last_number_}, host.agent->state().agent_id, change.value()});
}

bool Cluster::reservations_are_settled(const Host& host) const {
    const Master* master = leading_master();
    if (!master || !host.agent || !host.agent->state().registered) return false;
    const auto& books = master->core->state().books;
    const auto* agent = books.agent(host.agent->state().agent_id);
    if (!agent) return false;
    const resources::Resources& total = books.agent_entries()[agent->slot].total;
    return total == host.agent->state().total && resources::dynamically_reserved(total).empty();
}

}  // namespace fairlead::sim
