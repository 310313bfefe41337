#pragma once
// Resources as the messages carry them, into vectors to compute with and back. Both ways of writing
// a reservation are read: the older pair of `role` and `reservation`, and the stack `reservations`;
// whoever writes says which one the reader understands. Labels, principals, disks, and the ids of
// providers go through unchanged. For whom a resource is allocated is read and written beside the
// vector, never in it.
//
// A library of its own, so that who only computes links no protobuf.

#include "common/base/error.hpp"
#include "common/base/id.hpp"
#include "common/resources/resources.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <google/protobuf/repeated_ptr_field.h>

namespace fairlead::resources {

using WireResources = google::protobuf::RepeatedPtrField<v1::Resource>;

// Refused is what has no one meaning: a value that is not the one of its type, a name or role that
// cannot be, both ways of reserving at once, refinements that do not narrow, ranges or items twice.
// The error is a sentence that names the resource. What amounts to nothing is left out.
base::Result<Resources> from_wire(const WireResources& wire);

enum class ReservationFormat { stack, single };
// Appends to `to`. `allocated_to`: the role to write into allocation_info; null leaves it out.
// In the single format only the last reservation of a stack can be told; show such a reader what
// Resources::without_refined_reservations leaves.
void to_wire(const Resources& from, ReservationFormat format, const base::Role* allocated_to,
             WireResources& to);

// The role that all of these say they are allocated to: empty when none says so.
base::Result<base::Role> allocation_role_of(const WireResources& wire);

}  // namespace fairlead::resources
