#pragma once
// A report of the core becomes a journal entry, if a person would want to find it, and a count for the metrics.

#include "masterd/core/io.hpp"
#include "masterd/line_limit.hpp"

#include <map>
#include <string>

namespace fairlead::masterd {

// Counters have Mesos' metric names where Mesos has the metric. Of what a client can cause by one bad call after the
// other, no more lines are written than `lines` allows; everything is counted.
void journal(const core::Report& report, std::map<std::string, double>& counters, LineLimit& lines, base::Instant now);
// To be called now and then: tells how many lines were not written.
void journal_held_back(LineLimit& lines, base::Instant now);

}  // namespace fairlead::masterd
