#pragma once
// An MPI engine: each job needs all of its slots at the same moment. Until it has them it keeps what it is offered; it
// never has more jobs out than fit into the slots that are its due. First come, first served.

#include "bench/sharing/batch.hpp"

#include <deque>

namespace fairlead::bench {

class GangEngine : public VirtualFramework {
  public:
    // A kind here has one stage: the gang.
    GangEngine(VirtualCluster& cluster, std::string role, Slot slot, std::size_t slots_max);

    void submit_at(double seconds, const JobKind& kind);

    bool is_over() const { return announced_ == finished_.size(); }
    const std::vector<FinishedJob>& finished() const { return finished_; }
    // From the moment at which a job was the next, and within the slots that are its due, to its launch.
    const std::vector<double>& gang_waits() const { return gang_waits_; }

  private:
    struct Job {
        std::uint64_t number = 0;
        JobKind kind;
        std::size_t running = 0;
        double wanted_since = -1;
        FinishedJob record;
    };

    void offers(const std::vector<v1::Offer>& offers) override;
    void ended(const std::string& task) override;
    void gather();
    void launch_gang(Job job);
    bool may_gather() const;

    std::size_t slots_max_;
    std::deque<Job> waiting_;
    std::list<Job> running_;
    std::size_t slots_used_ = 0;
    std::vector<v1::Offer> kept_;
    std::size_t kept_slots_ = 0;
    std::vector<FinishedJob> finished_;
    std::vector<double> gang_waits_;
    std::size_t announced_ = 0;
    std::uint64_t next_job_ = 0, next_task_ = 0;
};

}  // namespace fairlead::bench
