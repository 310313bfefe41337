#pragma once
// Resources as the scheduler API carries them, into ours and back. Reads both ways of writing a
// reservation; writes the one that the framework understands.

#include "common/base/error.hpp"
#include "common/base/id.hpp"
#include "common/resources/resources.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <google/protobuf/repeated_ptr_field.h>

namespace fairlead::masterd::core {

using WireResources = google::protobuf::RepeatedPtrField<v1::Resource>;

// The error is a sentence that names the resource.
base::Result<resources::Resources> resources_from_wire(const WireResources& wire);

enum class ReservationFormat { stack, single };
// `allocated_to`: the role to write into allocation_info; null leaves it out.
void resources_to_wire(const resources::Resources& from, ReservationFormat format,
                       const base::Role* allocated_to, WireResources& to);

// The role that all of these say they are allocated to: empty when none says so.
base::Result<base::Role> allocation_role_of(const WireResources& wire);

}  // namespace fairlead::masterd::core
