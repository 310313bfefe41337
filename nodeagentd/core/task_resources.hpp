#pragma once
// The resources of a message as a vector that can be computed with. Reservations count, for whom
// they are allocated does not.

#include "common/base/error.hpp"
#include "common/resources/resources.hpp"
#include "fairlead/v1/mesos.pb.h"

namespace fairlead::nodeagentd::core {

base::Result<resources::Resources> read_resources(
    const google::protobuf::RepeatedPtrField<v1::Resource>& wire);

void write_resources(const resources::Resources& from,
                     google::protobuf::RepeatedPtrField<v1::Resource>* to);

}  // namespace fairlead::nodeagentd::core
