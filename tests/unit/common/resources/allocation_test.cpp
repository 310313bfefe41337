// Counts what the global allocator is asked for: in a program of its own, because it replaces
// operator new.

#include "common/resources/resources.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace fairlead::resources {
namespace {

template <typename Work>
std::size_t allocations_of(Work&& work) {
    const auto before = allocations.load();
    work();
    return allocations.load() - before;
}

}  // namespace

TEST(ResourcesAllocation, ScalarOnlyVectorsNeverAllocate) {
    const auto total = Resources::scalars(Milli::units(64), Milli::units(262144),
                                          Milli::units(1000000), Milli::units(8));
    const auto task = Resources::scalars(Milli(100), Milli::units(32));
    std::size_t held = 0;
    EXPECT_EQ(allocations_of([&] {
                  auto rest = total;
                  for (int i = 0; i < 100; ++i) {
                      if (!rest.contains(task)) break;
                      rest.subtract(task);
                      ++held;
                  }
                  for (int i = 0; i < 100; ++i) rest.add(task);
                  if (rest != total || rest.empty()) held = 0;
                  if (rest.unreserved() != total || rest.available_to(base::Role("eng")) != total)
                      held = 0;
                  if (rest.quantities().of(Predefined::gpus) != Milli::units(8)) held = 0;
                  Resources moved = std::move(rest);
                  if (moved.cpus() != total.cpus()) held = 0;
              }),
              0u);
    EXPECT_EQ(held, 100u);
}

TEST(ResourcesAllocation, CopiesOfPortsShareThem) {
    const auto total = Resources::parse("cpus:4;ports:[31000-32000]").value();
    EXPECT_EQ(allocations_of([&] {
                  auto copy = total;
                  if (!copy.contains(total)) std::abort();
              }),
              0u);
}

TEST(ResourcesAllocation, TheCounterCounts) {
    EXPECT_GE(allocations_of([] { Resources::parse("ports:[1-2]").value(); }), 1u);
}

}  // namespace fairlead::resources
