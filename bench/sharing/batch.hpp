#pragma once
// A batch engine: jobs of stages, a stage of tasks that need a slot each; the next stage begins when the last task of
// the one before has ended. Takes as many slots as it has tasks, and shares them among its own jobs.

#include "bench/virtual_cluster/framework.hpp"

#include <functional>
#include <list>
#include <string>
#include <vector>

namespace fairlead::bench {

struct Stage {
    std::size_t tasks = 1;
    double seconds = 1;  // of each task, give or take a tenth
};
struct JobKind {
    std::string name;
    std::vector<Stage> stages;
};

// What became of a job, in seconds since the beginning.
struct FinishedJob {
    std::string kind;
    double submitted = 0, started = 0, ended = 0;
    double length() const { return ended - submitted; }
};

// Tasks are called JOB.NUMBER.
std::uint64_t job_of(const std::string& task);

class BatchEngine : public VirtualFramework {
  public:
    BatchEngine(VirtualCluster& cluster, std::string role, Slot slot, std::uint64_t seed);

    void submit_at(double seconds, const JobKind& kind);
    // So many of them, each this long after the one before has ended.
    void submit_in_turn(const JobKind& kind, std::size_t count, double pause_seconds);

    bool is_over() const { return announced_ == finished_.size(); }
    const std::vector<FinishedJob>& finished() const { return finished_; }

  private:
    struct Job {
        std::uint64_t number = 0;
        const JobKind* kind = nullptr;
        std::size_t stage = 0, waiting = 0, running = 0;
        FinishedJob record;
    };

    void offers(const std::vector<v1::Offer>& offers) override;
    void ended(const std::string& task) override;
    void submit(const JobKind& kind);
    Job* next_job();  // that is to have the next slot: the one with the fewest

    base::Prng prng_;
    std::list<Job> jobs_;
    std::list<JobKind> kinds_;
    std::vector<FinishedJob> finished_;
    std::size_t announced_ = 0;
    std::function<void()> when_one_ends_;
    std::uint64_t next_job_ = 0, next_task_ = 0;
};

}  // namespace fairlead::bench
