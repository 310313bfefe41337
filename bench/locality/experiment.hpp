#pragma once
// Sixteen frameworks scan the same file at the same time (the locality experiment of the Mesos paper, NSDI 2011 6.3):
// how many tasks run where their data is, by how the cluster is shared and how long frameworks wait.

#include "allocator/drf/share_tree.hpp"
#include "bench/locality/scan.hpp"

namespace fairlead::bench {

struct LocalityExperiment {
    std::size_t machines = 93;  // of 4 slots
    std::size_t frameworks = 16;
    std::size_t blocks = 1600;
    std::size_t replicas = 3;
    bool static_partitions = false;  // each framework has machines of its own, as near to equal numbers as can be
    allocator::drf::ShareTree::Options order;
    ScanOptions scan;
    std::uint64_t seed = 1;
};

struct LocalityOutcome {
    double local = 0;             // part of all tasks
    double job_seconds_mean = 0;  // from the beginning to the last task's end
    double makespan_seconds = 0;
    double offers_per_launch = 0, declines_per_launch = 0, hints_per_launch = 0;
};

// Throws where the cluster does not finish: an error in a framework or in a module.
LocalityOutcome run(const LocalityExperiment& experiment);

}  // namespace fairlead::bench
