// Shared objects that a master must refuse, each by one definition.

#include "allocator/module_abi.hpp"

#include <stdexcept>

namespace {

struct Nothing : fairlead::allocator::Module {
    explicit Nothing(std::uint64_t) {
#ifdef FAILS_AT_START
        throw std::runtime_error("the moon is in the wrong place");
#endif
    }
    fairlead::allocator::Plan plan(const fairlead::allocator::Snapshot&, const fairlead::allocator::Changes&) override {
        return {};
    }
};

}  // namespace

#if defined(FAILS_AT_START)
FAIRLEAD_ALLOCATION_MODULE(Nothing, "fails-at-start", "1")
#elif defined(OTHER_INTERFACE) || defined(OTHER_LAYOUT)
extern "C" const fairlead_allocation_module_entry* fairlead_allocation_module() {
    static const fairlead_allocation_module_entry entry{
#ifdef OTHER_INTERFACE
        fairlead_allocation_interface + 1, fairlead::allocator::layout_of_interface(),
#else
        fairlead_allocation_interface, fairlead::allocator::layout_of_interface() + 1,
#endif
        "other", "1", [](std::uint64_t seed) -> fairlead::allocator::Module* { return new Nothing(seed); },
        [](fairlead::allocator::Module* module) { delete module; }};
    return &entry;
}
#endif
