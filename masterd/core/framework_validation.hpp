#pragma once
// Whether a framework's description can be served (reference 2.4, the part that is answered by an
// ERROR event or, for UPDATE_FRAMEWORK, by 400). The errors are sentences for the framework's
// author.

#include "common/base/error.hpp"
#include "fairlead/v1/mesos.pb.h"

namespace fairlead::masterd::core {

base::Status validate_framework(
    const v1::FrameworkInfo& info,
    const google::protobuf::RepeatedPtrField<std::string>& suppressed_roles);

}  // namespace fairlead::masterd::core
