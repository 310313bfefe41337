#pragma once
// SWIM traces: reading them, and cutting their jobs into map tasks. Pure.

#include "common/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::frameworks::replay {

struct TraceJob {
    std::string name;
    double submit_seconds = 0;
    std::uint64_t input_bytes = 0;
    friend bool operator==(const TraceJob&, const TraceJob&) = default;
};

// At most `jobs_max` jobs of the text. Empty lines are skipped. malformed names the line (from 1)
// and the column that is wrong; so does a submit time before the one of the job before.
base::Result<std::vector<TraceJob>> parse_trace(std::string_view text, std::size_t jobs_max);

inline constexpr std::uint64_t map_input_bytes_max = 128ULL * 1024 * 1024;

// Bytes of each map task: as many tasks as it takes to hold 128 MiB at most each, at least one,
// equal but for the last. `bytes_scale` shrinks the work, not the number of tasks.
std::vector<std::uint64_t> map_tasks(std::uint64_t input_bytes, double bytes_scale);

}  // namespace fairlead::frameworks::replay
