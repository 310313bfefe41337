#include "allocator/modules.hpp"

#include "allocator/drf/drf.hpp"
#include "allocator/module_abi.hpp"
#include "allocator/partition/partition.hpp"
#include "allocator/priority/priority.hpp"

#include <fmt/format.h>

#include <dlfcn.h>

#include <algorithm>
#include <stdexcept>

namespace fairlead::allocator {
namespace {

using base::Error;
using base::ErrorCode;

struct BuiltIn {
    std::string_view name;
    std::unique_ptr<Module> (*make)(std::uint64_t seed);
};

constexpr BuiltIn built_in[] = {
    {"drf", [](std::uint64_t seed) -> std::unique_ptr<Module> { return std::make_unique<drf::Drf>(seed); }},
    {"lottery",
     [](std::uint64_t seed) -> std::unique_ptr<Module> {
         return std::make_unique<drf::Drf>(seed, drf::ShareTree::Options{.order = drf::ShareTree::Order::lottery});
     }},
    {"priority", [](std::uint64_t) -> std::unique_ptr<Module> { return std::make_unique<priority::Priority>(); }},
    {"partition", [](std::uint64_t) -> std::unique_ptr<Module> { return std::make_unique<partition::Partition>(); }},
};

// Made and unmade by the same shared object.
class Foreign final : public Module {
  public:
    Foreign(const fairlead_allocation_module_entry& entry, std::uint64_t seed)
        : entry_(entry), module_(entry.create(seed)) {
        if (!module_) throw std::runtime_error("it made nothing");
    }
    ~Foreign() override { entry_.destroy(module_); }
    Foreign(const Foreign&) = delete;
    Foreign& operator=(const Foreign&) = delete;

    Plan plan(const Snapshot& snapshot, const Changes& changes) override { return module_->plan(snapshot, changes); }

  private:
    const fairlead_allocation_module_entry& entry_;
    Module* module_;
};

Error wrong(std::string what) { return Error(ErrorCode::invalid_config, std::move(what)); }

std::string last_error() {
    const char* text = ::dlerror();
    return text ? text : "the reason is not known";
}

base::Result<ModuleChoice> load(const std::string& path) {
    void* const object = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!object) return wrong("cannot be loaded: " + last_error());
    const auto door = reinterpret_cast<fairlead_allocation_module_door>(::dlsym(object, "fairlead_allocation_module"));
    if (!door) return wrong(path + " is no allocation module: it has no function fairlead_allocation_module");
    const fairlead_allocation_module_entry* entry = door();
    if (!entry) return wrong(path + " is no allocation module: fairlead_allocation_module returned nothing");
    if (entry->interface != fairlead_allocation_interface)
        return wrong(fmt::format("{} was built for version {} of the allocation interface, and this master has {}", path,
                                 entry->interface, fairlead_allocation_interface));
    if (entry->layout != layout_of_interface() || !entry->name || !entry->version || !entry->create || !entry->destroy)
        return wrong(path + " was built with headers or a compiler that do not fit this master: build it anew");
    return ModuleChoice{fmt::format("{} {}", entry->name, entry->version), true, [entry](std::uint64_t seed) {
                            return std::unique_ptr<Module>(std::make_unique<Foreign>(*entry, seed));
                        }};
}

}  // namespace

base::Result<ModuleChoice> choose_module(std::string_view name_or_path) {
    if (name_or_path.starts_with('/')) return load(std::string(name_or_path));
    const auto found = std::find_if(std::begin(built_in), std::end(built_in),
                                    [&](const BuiltIn& each) { return each.name == name_or_path; });
    if (found != std::end(built_in)) return ModuleChoice{std::string(found->name), false, found->make};
    std::string names;
    for (const BuiltIn& each : built_in) names += (names.empty() ? "" : ", ") + std::string(each.name);
    return wrong(fmt::format("there is no allocation module {}; there are {}, and the absolute path of a shared object",
                             name_or_path, names));
}

}  // namespace fairlead::allocator
