#pragma once
// What a fuzz program is made of: it tries one input, and knows some good ones to start from. A
// finding ends the program by `expect`, with the input on standard error.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fairlead::fuzz {

// For the driver; libFuzzer finds its own.
std::vector<std::string> seeds();

inline void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

}  // namespace fairlead::fuzz
