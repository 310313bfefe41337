#pragma once
// Scheduler events, each made in one place, and a task's status as one framework may see it.

#include "masterd/core/books.hpp"
#include "masterd/core/revocation_table.hpp"

#include <memory>
#include <string>

namespace fairlead::masterd::core {

using EventPtr = std::shared_ptr<const v1::scheduler::Event>;

EventPtr subscribed_event(const base::FrameworkId& id, const v1::MasterInfo& master,
                          base::Duration heartbeat_interval, bool knows_batches);
EventPtr heartbeat_event();  // always the same one
EventPtr standing_by_event();
EventPtr error_event(const std::string& message);
EventPtr rescind_event(const base::OfferId& offer);
EventPtr inverse_offers_event(const InverseOffer& offer, const Framework& framework, const Agent& agent);
EventPtr rescind_inverse_offer_event(const base::OfferId& offer);
EventPtr failure_event(const base::AgentId& agent);
EventPtr message_event(const base::AgentId& agent, const internal::ExecutorMessage& message);
EventPtr update_event(const v1::TaskStatus& status, const Capabilities& capabilities);
EventPtr operation_event(v1::OperationStatus status);

v1::Offer offer_on_wire(const Offer& offer, const Framework& framework, const Agent& agent);
v1::InverseOffer inverse_offer_on_wire(const InverseOffer& offer, const Framework& framework, const Agent& agent);

// The states that tell lost tasks apart become LOST, KILLING becomes RUNNING and reasons of ours
// the nearest old one, for those who have not asked for them by capability.
v1::TaskState visible_state(v1::TaskState state, const Capabilities& capabilities);

}  // namespace fairlead::masterd::core
