#pragma once
// Four workloads on 96 machines of 4 cpus and 15 GB (the macrobenchmark of the Mesos paper, NSDI 2011 6.1): a mix of small
// and large MapReduce jobs as at Facebook, one of large ones only, Spark, and MPI under Torque; on static quarters of the
// cluster, or sharing it. What the paper tells of the jobs is kept: kinds, numbers of tasks, arrivals; lengths of tasks are
// chosen so that static quarters need about the paper's time for each kind (workloads.cpp).

#include "bench/sharing/batch.hpp"

#include <map>

namespace fairlead::bench {

enum class Policy { static_quarters, drf, lottery };

struct SharingExperiment {
    Policy policy = Policy::drf;
    std::size_t machines = 96;
    // Parts of the workloads: for tests. 1: all of it.
    double part = 1;
    // Cpus that are kept free while they are not used: for MPI, and for the small jobs of the Facebook mix, which have a role
    // of their own below that of the rest then.
    std::size_t guaranteed_to_mpi = 0;
    std::size_t guaranteed_to_small = 0;
    std::uint64_t seed = 1;
};

struct SharingOutcome {
    struct Kind {
        std::size_t jobs = 0;
        double length = 0;  // of a job from submission to end, s, mean
        double wait = 0;    // to the first task, mean
        double wait_max = 0;
    };
    std::map<std::string, double> frameworks;  // sum of the lengths of its jobs, s
    std::map<std::string, Kind> kinds;
    double makespan = 0;
    double cpu_used = 0, mem_used = 0;  // parts of the cluster, until the makespan
    double gang_wait_mean = 0, gang_wait_max = 0;
    double small_wait_p99 = 0;  // of jobs with one or two maps
};

SharingOutcome run(const SharingExperiment& experiment);

}  // namespace fairlead::bench
