#pragma once
// The jobs of the sharing experiment. What is the paper's (NSDI 2011, 6.1): kinds, numbers of jobs and tasks, arrivals in 25
// minutes, one after the other, two minutes after the one before. What is ours, because the paper does not say: lengths of
// tasks, 100 jobs in a fixed random order, 120 tasks in an iteration of Spark, and when MPI jobs are submitted.

#include "bench/sharing/batch.hpp"
#include "bench/sharing/gangs.hpp"

namespace fairlead::bench {

// `part` of the jobs in `part` of the time. Those of one or two maps go to an engine that may be another.
void submit_facebook_mix(BatchEngine& engine, BatchEngine& engine_of_small, double part);
void submit_large_hadoop(BatchEngine& engine, double part);
void submit_spark(BatchEngine& engine, double part);
void submit_mpi(GangEngine& engine, double part);

inline constexpr std::size_t gang_size = 24;

}  // namespace fairlead::bench
