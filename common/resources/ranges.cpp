#include "common/resources/ranges.hpp"

#include "common/resources/milli.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace fairlead::resources {
namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

base::Error refuse(std::string why) {
    return {base::ErrorCode::invalid_argument, std::move(why)};
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    text = trim(text);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Joins neighbours and overlaps of a vector that is sorted by begin.
void merge_sorted(std::vector<Range>& intervals) {
    std::size_t last = 0;
    for (std::size_t i = 1; i < intervals.size(); ++i) {
        auto& into = intervals[last];
        const auto& next = intervals[i];
        if (into.end == largest || next.begin <= into.end + 1)
            into.end = std::max(into.end, next.end);
        else
            intervals[++last] = next;
    }
    if (!intervals.empty()) intervals.resize(last + 1);
}

}  // namespace

Ranges::Ranges(Range one) {
    if (one.begin > one.end) broken_precondition("a range ends before it begins");
    intervals_.push_back(one);
}

base::Result<Ranges> Ranges::from(std::vector<Range> intervals) {
    if (intervals.size() > intervals_max)
        return refuse(fmt::format("has more than {} intervals", intervals_max));
    for (const auto& one : intervals)
        if (one.begin > one.end)
            return refuse(fmt::format("the range {}-{} ends before it begins", one.begin, one.end));
    std::sort(intervals.begin(), intervals.end());
    for (std::size_t i = 1; i < intervals.size(); ++i)
        if (intervals[i].begin <= intervals[i - 1].end)
            return refuse(fmt::format("the ranges {}-{} and {}-{} overlap", intervals[i - 1].begin,
                                      intervals[i - 1].end, intervals[i].begin, intervals[i].end));
    merge_sorted(intervals);
    Ranges result;
    result.intervals_ = std::move(intervals);
    return result;
}

base::Result<Ranges> Ranges::parse(std::string_view text) {
    text = trim(text);
    if (text.size() < 2 || text.front() != '[' || text.back() != ']')
        return refuse(fmt::format("'{}' is not of the form [begin-end, ...]", text));
    auto inner = trim(text.substr(1, text.size() - 2));
    std::vector<Range> intervals;
    while (!inner.empty()) {
        const auto comma = inner.find(',');
        const auto one = trim(inner.substr(0, comma));
        const auto dash = one.find('-');
        const auto begin = parse_number(one.substr(0, dash));
        const auto end = dash == one.npos ? begin : parse_number(one.substr(dash + 1));
        if (!begin || !end) return refuse(fmt::format("'{}' is not a range", one));
        if (intervals.size() == intervals_max)
            return refuse(fmt::format("has more than {} intervals", intervals_max));
        intervals.push_back({*begin, *end});
        if (comma == inner.npos) break;
        inner = inner.substr(comma + 1);
        if (trim(inner).empty()) return refuse("a range is missing after ','");
    }
    return from(std::move(intervals));
}

std::uint64_t Ranges::count() const {
    std::uint64_t sum = 0;
    for (const auto& one : intervals_) {
        const auto before_last = one.end - one.begin;
        if (before_last == largest || sum > largest - before_last - 1) return largest;
        sum += before_last + 1;
    }
    return sum;
}

bool Ranges::contains(std::uint64_t number) const {
    const auto after = std::upper_bound(intervals_.begin(), intervals_.end(), number,
                                        [](auto n, const Range& one) { return n < one.begin; });
    return after != intervals_.begin() && number <= std::prev(after)->end;
}

bool Ranges::contains(const Ranges& other) const {
    auto mine = intervals_.begin();
    for (const auto& wanted : other.intervals_) {
        while (mine != intervals_.end() && mine->end < wanted.begin) ++mine;
        if (mine == intervals_.end() || mine->begin > wanted.begin || mine->end < wanted.end)
            return false;
    }
    return true;
}

bool Ranges::intersects(const Ranges& other) const {
    auto a = intervals_.begin();
    auto b = other.intervals_.begin();
    while (a != intervals_.end() && b != other.intervals_.end()) {
        if (a->end < b->begin)
            ++a;
        else if (b->end < a->begin)
            ++b;
        else
            return true;
    }
    return false;
}

Ranges Ranges::united_with(const Ranges& other) const {
    Ranges result;
    result.intervals_.reserve(intervals_.size() + other.intervals_.size());
    std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(),
               other.intervals_.end(), std::back_inserter(result.intervals_));
    merge_sorted(result.intervals_);
    return result;
}

void Ranges::add(const Ranges& other) {
    if (intersects(other)) broken_precondition("a range is added twice");
    *this = united_with(other);
}

void Ranges::subtract(const Ranges& other) {
    if (!contains(other)) broken_precondition("subtract a range that is not there");
    std::vector<Range> left;
    left.reserve(intervals_.size() + other.intervals_.size());
    auto taken = other.intervals_.begin();
    for (auto rest : intervals_) {
        bool used_up = false;
        for (; taken != other.intervals_.end() && taken->end <= rest.end; ++taken) {
            if (rest.begin < taken->begin) left.push_back({rest.begin, taken->begin - 1});
            used_up = taken->end == rest.end;
            if (!used_up) rest.begin = taken->end + 1;
        }
        if (!used_up) left.push_back(rest);
    }
    intervals_ = std::move(left);
}

std::string Ranges::to_string() const {
    std::string text = "[";
    for (const auto& one : intervals_) {
        if (text.size() > 1) text += ", ";
        fmt::format_to(std::back_inserter(text), "{}-{}", one.begin, one.end);
    }
    return text += ']';
}

}  // namespace fairlead::resources
