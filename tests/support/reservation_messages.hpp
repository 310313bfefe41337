#pragma once
// Short ways to reserved resources and to the operations that reserve them, as the wire has them.

#include "tests/support/master_messages.hpp"

#include <optional>

namespace fairlead::tests {

// On top of what it has already.
inline v1::Resource reserved(v1::Resource resource, const std::string& role, const std::string& principal = {}) {
    auto& reservation = *resource.add_reservations();
    reservation.set_type(v1::Resource::ReservationInfo::DYNAMIC);
    reservation.set_role(role);
    if (!principal.empty()) reservation.set_principal(principal);
    return resource;
}

inline v1::Resource statically_reserved(v1::Resource resource, const std::string& role) {
    auto& reservation = *resource.add_reservations();
    reservation.set_type(v1::Resource::ReservationInfo::STATIC);
    reservation.set_role(role);
    return resource;
}

// As frameworks without RESERVATION_REFINEMENT write it.
inline v1::Resource reserved_the_older_way(v1::Resource resource, const std::string& role,
                                           const std::string& principal = {}) {
    resource.set_role(role);
    resource.mutable_reservation();
    if (!principal.empty()) resource.mutable_reservation()->set_principal(principal);
    return resource;
}

inline v1::Resource labelled(v1::Resource resource, const std::string& key, const std::string& value) {
    auto& top = *resource.mutable_reservations(resource.reservations_size() - 1);
    auto& label = *top.mutable_labels()->add_labels();
    label.set_key(key);
    label.set_value(value);
    return resource;
}

inline v1::Offer::Operation reserve_operation(const std::vector<v1::Resource>& resources, const std::string& id = {}) {
    v1::Offer::Operation operation;
    operation.set_type(v1::Offer::Operation::RESERVE);
    operation.mutable_reserve();
    for (const auto& one : resources) *operation.mutable_reserve()->add_resources() = one;
    if (!id.empty()) operation.mutable_id()->set_value(id);
    return operation;
}

inline v1::Offer::Operation unreserve_operation(const std::vector<v1::Resource>& resources,
                                                const std::string& id = {}) {
    v1::Offer::Operation operation;
    operation.set_type(v1::Offer::Operation::UNRESERVE);
    operation.mutable_unreserve();
    for (const auto& one : resources) *operation.mutable_unreserve()->add_resources() = one;
    if (!id.empty()) operation.mutable_id()->set_value(id);
    return operation;
}

inline v1::Offer::Operation launch_operation(const v1::TaskInfo& task) {
    v1::Offer::Operation operation;
    operation.set_type(v1::Offer::Operation::LAUNCH);
    *operation.mutable_launch()->add_task_infos() = task;
    return operation;
}

inline v1::scheduler::Call accept_call(const std::string& framework, const std::string& offer,
                                       const std::vector<v1::Offer::Operation>& operations) {
    auto call = call_of(framework, v1::scheduler::Call::ACCEPT);
    call.mutable_accept()->add_offer_ids()->set_value(offer);
    for (const auto& operation : operations) *call.mutable_accept()->add_operations() = operation;
    return call;
}

inline v1::TaskInfo task_with(const std::string& id, const std::string& agent,
                              const std::vector<v1::Resource>& resources) {
    v1::TaskInfo task = command_task(id, agent);
    task.clear_resources();
    for (const auto& one : resources) *task.add_resources() = one;
    return task;
}

}  // namespace fairlead::tests
