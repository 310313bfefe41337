#pragma once
// Positions in the tables that the allocation module sees. One becomes free with what stood there, and is taken again.

#include "allocator/allocator.hpp"

namespace fairlead::masterd::core {

using allocator::AgentSlot;
using allocator::FrameworkSlot;
using allocator::RoleSlot;

}  // namespace fairlead::masterd::core
