#pragma once
// A report of the core becomes a journal entry, if a person would want to find it, and a count for the metrics.

#include "common/log/log.hpp"
#include "masterd/core/io.hpp"
#include "masterd/line_limit.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::masterd {

// How one kind of report is told. What only counts, and is not worth a line for each of thousands a second, has debug
// priority, no message id, and is not written.
struct Shape {
    log::Priority priority;
    std::string_view message_id;  // explained in fairlead.catalog
    const char* counter;          // Mesos' metric name where Mesos has the metric
};
Shape shape_of(core::Report::Kind kind);

// The journal fields beside message, id and priority; only those that the report has.
std::vector<std::pair<std::string_view, std::string>> fields_of(const core::Report& report);

// Of what a client can cause by one bad call after the other, no more lines are written than `lines` allows; everything
// is counted.
void journal(const core::Report& report, std::map<std::string, double>& counters, LineLimit& lines, base::Instant now);
// To be called now and then: tells how many lines were not written.
void journal_held_back(LineLimit& lines, base::Instant now);

}  // namespace fairlead::masterd
