#include "masterd/api/reservations_from_wire.hpp"

#include "common/http/message.hpp"
#include "common/wire/media.hpp"

namespace fairlead::masterd::api {
namespace {

using base::Error;
using base::ErrorCode;
using core::ReservationOrdered;

base::Result<ReservationOrdered> order_of(const v1::AgentID& agent, base::Result<core::ReservationChange> change) {
    if (!change) return change.error();
    return ReservationOrdered{{}, base::AgentId(agent.value()), std::move(*change)};
}

}  // namespace

base::Result<ReservationOrdered> order_from(const v1::master::Call::ReserveResources& call) {
    return order_of(call.agent_id(), core::read_reserve(call.resources(), call.source(), {}));
}

base::Result<ReservationOrdered> order_from(const v1::master::Call::UnreserveResources& call) {
    return order_of(call.agent_id(), core::read_unreserve(call.resources(), {}));
}

base::Result<ReservationOrdered> order_from_form(Intent intent, std::string_view body) {
    // A form is written as the query of a target is.
    const auto form = http::parse_target("/?" + std::string(body));
    if (!form) return form.error().in("Failed to parse the form");
    const auto agent = form->query.get("slaveId");
    if (!agent) return Error(ErrorCode::invalid_argument, "Missing 'slaveId' in the form");
    const auto resources = form->query.get("resources");
    if (!resources) return Error(ErrorCode::invalid_argument, "Missing 'resources' in the form");
    v1::Offer::Operation::Reserve parsed;
    const std::string json = R"({"resources":)" + std::string(*resources) + "}";
    if (auto read = wire::parse(wire::ContentType::json, json, parsed); !read)
        return read.error().in("Failed to parse 'resources' of the form");
    v1::AgentID id;
    id.set_value(std::string(*agent));
    return order_of(id, intent == Intent::reserve ? core::read_reserve(parsed.resources(), {}, {})
                                                  : core::read_unreserve(parsed.resources(), {}));
}

}  // namespace fairlead::masterd::api
