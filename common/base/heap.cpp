#include "common/base/heap.hpp"

#include <malloc.h>

namespace fairlead::base {

void give_large_blocks_back() {
    constexpr int large_bytes = 256 * 1024;
    ::mallopt(M_MMAP_THRESHOLD, large_bytes);  // setting it also ends its growth
    ::mallopt(M_TRIM_THRESHOLD, 4 * large_bytes);
}

}  // namespace fairlead::base
