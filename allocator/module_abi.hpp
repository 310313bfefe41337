#pragma once
// The door through which a master takes an allocation module from a shared object.
//
// A module is a class derived from fairlead::allocator::Module with a constructor that takes the seed, and one line:
//
//     FAIRLEAD_ALLOCATION_MODULE(site::Fifo, "fifo", "1.0")
//
// What crosses the door are C++ types, so both sides have to mean the same by them: built by compilers with the same C++
// ABI, with the same standard library, from headers of the same interface. The master checks the interface's number and the
// size of every type that crosses, and refuses what does not fit before anything of it is run.
//
// The door of a shared object is the C function `fairlead_allocation_module`; it returns a constant.

#include "allocator/allocator.hpp"

#include <cstdint>

// Goes up with every change of meaning in allocator.hpp; changes of size are found out by themselves.
inline constexpr std::uint32_t fairlead_allocation_interface = 3;

namespace fairlead::allocator {

// A number that differs where any type that crosses has another size.
constexpr std::uint64_t layout_of_interface() {
    std::uint64_t sum = 0xcbf29ce484222325ULL;
    for (const std::size_t size :
         {sizeof(Snapshot), sizeof(AgentEntry), sizeof(FrameworkEntry), sizeof(RoleEntry), sizeof(Claim), sizeof(Wish),
           sizeof(TaskEntry), sizeof(OfferEntry), sizeof(Policy), sizeof(Changes), sizeof(Plan), sizeof(OfferLine),
           sizeof(RescindLine), sizeof(RevocationLine), sizeof(CallOffLine), sizeof(InverseOfferLine), sizeof(HoldLine),
           sizeof(Limits), sizeof(resources::Resources),
          sizeof(resources::Quantities), sizeof(std::string), sizeof(std::vector<int>)})
        sum = (sum ^ size) * 0x100000001b3ULL;
    return sum;
}

}  // namespace fairlead::allocator

extern "C" {

struct fairlead_allocation_module_entry {
    std::uint32_t interface;  // first in every version, and read before anything else
    std::uint64_t layout;
    const char* name;
    const char* version;
    fairlead::allocator::Module* (*create)(std::uint64_t seed);  // may throw: the master does not start
    void (*destroy)(fairlead::allocator::Module* module);
};

typedef const fairlead_allocation_module_entry* (*fairlead_allocation_module_door)();
}

#define FAIRLEAD_ALLOCATION_MODULE(Type, its_name, its_version)                                                     \
    extern "C" __attribute__((visibility("default"))) const fairlead_allocation_module_entry*                       \
    fairlead_allocation_module() {                                                                                  \
        static constexpr fairlead_allocation_module_entry entry{                                                    \
            fairlead_allocation_interface,                                                                          \
            fairlead::allocator::layout_of_interface(),                                                             \
            its_name,                                                                                               \
            its_version,                                                                                            \
            [](std::uint64_t seed) -> fairlead::allocator::Module* { return new Type(seed); },                      \
            [](fairlead::allocator::Module* module) { delete module; }};                                            \
        return &entry;                                                                                              \
    }
