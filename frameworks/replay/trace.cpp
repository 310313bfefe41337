#include "frameworks/replay/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fairlead::frameworks::replay {

using base::Error;
using base::ErrorCode;

namespace {

constexpr std::size_t columns_min = 4;
constexpr double submit_seconds_max = 1e9;

std::vector<std::string_view> split(std::string_view line, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = line.find(separator);
        parts.push_back(line.substr(0, at));
        if (at == std::string_view::npos) return parts;
        line.remove_prefix(at + 1);
    }
}

template <typename Number>
bool read(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

Error wrong(std::size_t line, std::string_view what) {
    return Error(ErrorCode::malformed, fmt::format("line {}: {}", line, what));
}

base::Result<TraceJob> parse_line(std::string_view line, std::size_t number) {
    const auto columns = split(line, '\t');
    if (columns.size() < columns_min)
        return wrong(number,
                     fmt::format("{} columns, {} are needed (name, submit time, gap, map input)",
                                 columns.size(), columns_min));
    TraceJob job{std::string(columns[0]), 0, 0};
    if (job.name.empty()) return wrong(number, "no name in column 1");
    if (!read(columns[1], job.submit_seconds) || !(job.submit_seconds >= 0) ||
        job.submit_seconds > submit_seconds_max)
        return wrong(number, fmt::format("submit time '{}' in column 2 is no time", columns[1]));
    if (!read(columns[3], job.input_bytes))
        return wrong(number,
                     fmt::format("map input '{}' in column 4 is no number of bytes", columns[3]));
    return job;
}

}  // namespace

base::Result<std::vector<TraceJob>> parse_trace(std::string_view text, std::size_t jobs_max) {
    std::vector<TraceJob> jobs;
    std::size_t number = 0;
    for (auto line : split(text, '\n')) {
        ++number;
        if (jobs.size() == jobs_max) break;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        auto job = parse_line(line, number);
        if (!job) return job.error();
        if (!jobs.empty() && job->submit_seconds < jobs.back().submit_seconds)
            return wrong(number, "submitted before the job before it");
        jobs.push_back(std::move(*job));
    }
    if (jobs.empty()) return Error(ErrorCode::malformed, "the trace has no jobs");
    return jobs;
}

std::vector<std::uint64_t> map_tasks(std::uint64_t input_bytes, double bytes_scale) {
    const auto count = std::max<std::uint64_t>(
        1, input_bytes / map_input_bytes_max + (input_bytes % map_input_bytes_max != 0 ? 1 : 0));
    std::vector<std::uint64_t> tasks;
    tasks.reserve(count);
    for (std::uint64_t left = input_bytes, i = 0; i < count; ++i) {
        const auto bytes = std::min(left, map_input_bytes_max);
        tasks.push_back(
            static_cast<std::uint64_t>(std::llround(static_cast<double>(bytes) * bytes_scale)));
        left -= bytes;
    }
    return tasks;
}

}  // namespace fairlead::frameworks::replay
