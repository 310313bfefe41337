#pragma once
// Whether a call makes sense in itself, before anybody looks at who sends it (reference 2.4). The
// error is the text after "Failed to validate scheduler::Call: ".

#include "common/base/error.hpp"
#include "fairlead/v1/scheduler.pb.h"

#include <string_view>

namespace fairlead::masterd::core {

base::Status validate_call(const v1::scheduler::Call& call, std::string_view principal);

}  // namespace fairlead::masterd::core
