#pragma once
// An MPI engine: each job needs all of its slots at the same moment, and asks for them by a request that names a gang. Where
// a module answers no requests, it keeps what it is offered until there is enough. It never has more jobs out than fit into
// the slots that are its due. First come, first served.

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
        double asked_at = 0;
        FinishedJob record;

        std::size_t slots() const { return kind.stages.front().tasks; }
        std::string gang() const { return std::to_string(number); }
    };

    void offers(const std::vector<v1::Offer>& offers) override;
    void ended(const std::string& task) override;
    void ask();
    Job take_asked(std::list<Job>::iterator job);
    void launch_kept();
    // Declines what is more than the job needs.
    void launch_gang(Job job, const std::vector<v1::Offer>& offers);

    std::size_t slots_max_;
    std::size_t slots_out_ = 0;  // of those asked for and those running
    std::deque<Job> waiting_;
    std::list<Job> asked_, running_;
    std::vector<v1::Offer> kept_;  // that name no gang
    std::size_t kept_slots_ = 0;
    std::vector<FinishedJob> finished_;
    std::vector<double> gang_waits_;
    std::size_t announced_ = 0;
    std::uint64_t next_job_ = 0, next_task_ = 0;
};

}  // namespace fairlead::bench
