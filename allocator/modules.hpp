#pragma once
// Modules by name: those that are built in, and those that an organisation brings as a shared object.

#include "allocator/allocator.hpp"
#include "common/base/error.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::allocator {

// A module that can be made: nothing of it has run yet.
struct ModuleChoice {
    std::string name;  // with its version, where it came from a file
    bool is_foreign = false;  // from a shared object: may throw, lie and never return
    std::function<std::unique_ptr<Module>(std::uint64_t seed)> make;  // a shared object's own may throw
};

// The name of a built-in module, or the absolute path of a shared object (module_abi.hpp). The error (invalid_config) says
// what there is or what is wrong with the file. A shared object stays loaded until the process ends.
base::Result<ModuleChoice> choose_module(std::string_view name_or_path);

}  // namespace fairlead::allocator
