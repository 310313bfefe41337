#pragma once
// Which ready task goes on an offer. Jobs are asked in the order of their submission, each waits for its data by delay
// scheduling of its own, and a job that waits lets the next one go first. Pure: told what happens and when.

#include "sdk/local_tasks.hpp"

#include <map>

namespace fairlead::frameworks::replay {

class Placement {
  public:
    explicit Placement(sdk::LocalityWaits waits = {}) : waits_(waits) {}

    void add(std::size_t job, std::size_t task, std::vector<sdk::Site> copies);

    // Takes a task for this agent; nothing when all are too far from their data, which then wait.
    std::optional<sdk::LocalTasks::Choice> take(const sdk::Site& here, base::Instant now);

    // What a master is to be told now of the offers that are wanted; nothing while what it knows will do. To be asked after
    // a round of offers, and from time to time: a wait may be over.
    std::optional<sdk::WantedSites> hint(base::Instant now);

  private:
    struct Job {
        sdk::LocalTasks tasks;
        sdk::DelayScheduling delay;
    };

    sdk::LocalityWaits waits_;
    std::map<std::size_t, Job> jobs_;  // with ready tasks, and those that had some
    sdk::OfferHint hint_;
    bool let_one_go_ = false;
};

}  // namespace fairlead::frameworks::replay
