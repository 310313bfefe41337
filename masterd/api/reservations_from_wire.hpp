#pragma once
// What operators order to be reserved, read from their calls and from the older form-encoded requests. The errors are
// sentences for whoever called; whether it can be had is the core's to say. Pure.

#include "fairlead/v1/master.pb.h"
#include "masterd/core/io.hpp"

#include <string_view>

namespace fairlead::masterd::api {

base::Result<core::ReservationOrdered> order_from(const v1::master::Call::ReserveResources& call);
base::Result<core::ReservationOrdered> order_from(const v1::master::Call::UnreserveResources& call);

enum class Intent { reserve, unreserve };
// "slaveId=ID&resources=[...]", the resources in JSON.
base::Result<core::ReservationOrdered> order_from_form(Intent intent, std::string_view body);

}  // namespace fairlead::masterd::api
