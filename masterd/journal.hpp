#pragma once
// A report of the core becomes a journal entry, if a person would want to find it, and a count for the metrics.

#include "masterd/core/io.hpp"

#include <map>
#include <string>

namespace fairlead::masterd {

// Counters have Mesos' metric names where Mesos has the metric.
void journal(const core::Report& report, std::map<std::string, double>& counters);

}  // namespace fairlead::masterd
