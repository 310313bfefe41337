#pragma once
// Attributes= of the configuration in Mesos' text form: "rack:r17;weight:2.5;slots:[1-4,7-9];image:debian:12". What
// reads as a number is a scalar, what is in brackets is ranges, the rest is text; only the first colon parts. The same
// name may come again.

#include "common/base/error.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <string_view>

namespace fairlead::nodeagentd::inventory {

base::Result<google::protobuf::RepeatedPtrField<v1::Attribute>> parse_attributes(std::string_view text);

}  // namespace fairlead::nodeagentd::inventory
