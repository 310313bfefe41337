#pragma once
// A master and an agent on which reservations are made.

#include "tests/support/master_harness.hpp"
#include "tests/support/reservation_messages.hpp"

#include <gtest/gtest.h>

namespace fairlead::tests {

using namespace std::chrono_literals;
using namespace masterd::core;
using resources::Milli;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;
using Operation = v1::Offer::Operation;

inline v1::FrameworkInfo in_role(const std::string& role, const std::string& principal = "alice") {
    auto info =
        framework_info({Capability::PARTITION_AWARE, Capability::MULTI_ROLE, Capability::RESERVATION_REFINEMENT});
    info.add_roles(role);
    if (!principal.empty()) info.set_principal(principal);
    return info;
}

inline resources::Resources read(const resources::WireResources& wire) { return resources::from_wire(wire).value(); }
inline resources::Resources read(const v1::Resource& one) {
    resources::WireResources wire;
    *wire.Add() = one;
    return read(wire);
}

// One host of 4 cpus, 1024 MB and ports 31000-31099, which writes down at once what it is to keep, unless told
// otherwise.
class Reservations : public testing::Test {
  protected:
    std::vector<v1::OperationStatus> accept(const MasterHarness::Scheduler& by, const v1::Offer& offer,
                                            const std::vector<Operation>& operations) {
        EXPECT_EQ(master.send(by, accept_call(by.id, offer.id().value(), operations)), 202u);
        if (host_confirms) master.confirm_reservations(host);
        return take_statuses(by);
    }
    std::vector<v1::OperationStatus> take_statuses(const MasterHarness::Scheduler& of) {
        std::vector<v1::OperationStatus> statuses;
        for (const auto& event : master.take(of, Event::UPDATE_OPERATION_STATUS))
            statuses.push_back(event->update_operation_status().status());
        return statuses;
    }
    v1::Offer offer_to(const MasterHarness::Scheduler& scheduler) {
        const auto offers = master.take_offers(scheduler);
        EXPECT_EQ(offers.size(), 1u);
        return offers.empty() ? v1::Offer() : offers[0];
    }
    Reply order(const v1::Resource& wanted, std::optional<v1::Resource> source = {}, bool give_back = false) {
        resources::WireResources resources, from;
        *resources.Add() = wanted;
        if (source) *from.Add() = *source;
        const auto change = give_back ? read_unreserve(resources, {}) : read_reserve(resources, from, {});
        EXPECT_TRUE(change) << change.error().message();
        return order({RequestId{}, base::AgentId(host.id), *change});
    }
    Reply order(ReservationOrdered ordered) {
        ordered.request = RequestId{next_request_++};
        master.step(ordered);
        if (host_confirms && master.core.state().books.agent(ordered.agent_id)) master.confirm_reservations(host);
        const auto found = master.replies.find(ordered.request);
        return found == master.replies.end() ? Reply{ordered.request, 0, "no answer yet"} : found->second;
    }
    const resources::Resources& total() const {
        const auto& books = master.core.state().books;
        return books.agent_entries()[books.agent(base::AgentId(host.id))->slot].total;
    }
    Milli chargeable(const std::string& role) const {
        const auto& roles = master.core.state().books.roles();
        const auto slot = roles.find(base::Role(role));
        return slot ? roles.entries()[*slot].chargeable.of("cpus") : Milli{};
    }
    void limit(const std::string& role, int cpus) {
        allocator::Limits limit;
        limit.set("cpus", Milli::units(cpus));
        master.step(RolesOrdered{RequestId{next_request_++}, {{base::Role(role), {}, RoleOrder::Quota{{}, limit}}}});
    }
    void pong() {
        internal::FromAgent message;
        message.mutable_pong();
        master.say(host.link, message);
    }
    // Everything that the agent was told about its reservations; the last one holds.
    std::vector<resources::Resources> told() {
        std::vector<resources::Resources> lists;
        for (const auto& message : master.take(host))
            if (message->has_keep_reservations()) lists.push_back(read(message->keep_reservations().reserved()));
        return lists;
    }

    MasterHarness master;
    MasterHarness::Host host = master.join();
    bool host_confirms = true;
    std::uint64_t next_request_ = 1'000'000;
};

}  // namespace fairlead::tests
