// What is reserved dynamically here: the master's list, kept on disk, and as much of it applied as this agent has.

#include "common/resources/reserving.hpp"
#include "common/resources/wire.hpp"
#include "nodeagentd/core/core.hpp"

namespace fairlead::nodeagentd::core {

// What an earlier process kept. The list stays as it is, also where the agent no longer has all of it: it may again
// after the next start.
void Core::recover_reservations(const internal::AgentRecord& record) {
    const auto reserved = resources::from_wire(record.reserved());
    if (!reserved)
        return report(Report::Kind::reservations_lost,
                      "what was reserved here cannot be read: " + reserved.error().message());
    state_.reserved = *reserved;
    apply_reservations();
}

void Core::keep_reservations(const internal::KeepReservations& message) {
    const auto reserved = resources::from_wire(message.reserved());
    if (!reserved)  // from a master that we do not understand
        return drop_link(Report::Kind::disconnected,
                         "the master's list of reservations cannot be read: " + reserved.error().message());
    if (state_.reserved == *reserved && state_.total.contains(*reserved)) return confirm_reservations(message.number());
    state_.reserved = *reserved;
    persist_agent();
    report(Report::Kind::reservations_changed, reserved->empty() ? "nothing is reserved dynamically on this agent now"
                                                                 : "reserved on this agent: " + reserved->to_string());
    const bool complete = apply_reservations();
    state_.overcommitted = !state_.total.contains(state_.used);
    admit_waiting();
    // The master counts with more than there is, and learns it from a registration.
    if (!complete)
        return drop_link(Report::Kind::disconnected, "the master has reserved what this agent does not have");
    confirm_reservations(message.number());
}

void Core::confirm_reservations(std::uint64_t number) {
    auto message = std::make_shared<internal::FromAgent>();
    message->mutable_reservations_kept()->set_number(number);
    send(std::move(message));
}

// False where some of it is not there.
bool Core::apply_reservations() {
    auto [total, missing] = resources::reserve_in(state_.configured, state_.reserved);
    state_.total = std::move(total);
    if (missing.empty()) return true;
    report(Report::Kind::reservations_lost,
           "this agent no longer has what was reserved on it: " + missing.to_string() +
               "; it is reserved again should it be there after a later start, until reservations are next changed");
    return false;
}

}  // namespace fairlead::nodeagentd::core
