#pragma once
// What the replay says of its books, as text: progress while it runs, the table and the plot of
// shares at the end. Pure.

#include "frameworks/replay/ledger.hpp"

#include <string>
#include <vector>

namespace fairlead::frameworks::replay {

struct Named {
    std::string name;
    const Ledger* ledger;
};

// "analytics  [#####.....]  84/167 tasks, 12 running, 40 waiting": one line, `width` characters of
// bar.
std::string progress_line(const Named& framework, std::size_t width);
// Jobs, tasks, makespan, waits, CPU seconds of each framework.
std::string summary(const std::vector<Named>& frameworks);
// Cpus held by each over time, a row of blocks each: full height is `cpus_max`.
std::string share_plot(const std::vector<Named>& frameworks, std::size_t width);

}  // namespace fairlead::frameworks::replay
