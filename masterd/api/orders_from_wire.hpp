#pragma once
// What operators say of roles, read from their calls. The errors are sentences for whoever called; whether the orders
// make sense for this cluster is the core's to say. Pure.

#include "fairlead/v1/master.pb.h"
#include "masterd/core/io.hpp"

namespace fairlead::masterd::api {

base::Result<core::RolesOrdered> orders_from(const v1::master::Call::UpdateWeights& call);
base::Result<core::RolesOrdered> orders_from(const v1::master::Call::UpdateQuota& call);
// One role, whose guarantee is its limit too.
base::Result<core::RolesOrdered> orders_from(const v1::quota::QuotaRequest& request);
core::RolesOrdered removal_of_quota(const std::string& role);

}  // namespace fairlead::masterd::api
