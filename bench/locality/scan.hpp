#pragma once
// One framework that scans a file which is spread over the cluster, a map task for each block. Places its tasks by
// delay scheduling, and with hints tells the master which offers it would decline.

#include "bench/virtual_cluster/framework.hpp"
#include "sdk/local_tasks.hpp"

#include <array>

namespace fairlead::bench {

// Where the copies of each block are: the same for all who read the file.
using File = std::vector<std::vector<sdk::Site>>;

struct ScanOptions {
    double local_seconds = 4.9;   // of a task on a host with its block
    double remote_seconds = 8.2;  // of any other
    double spread = 0.1;          // a task takes up to this part less or more
    base::Duration wait{};        // for a host with a block
    bool hints = false;
};

class Scan : public VirtualFramework {
  public:
    Scan(VirtualCluster& cluster, std::string role, const File& file, ScanOptions options, std::uint64_t seed,
         v1::scheduler::OfferConstraints always = {});

    bool is_over() const { return ended_ == blocks_; }
    double finished_at() const { return finished_at_; }  // seconds
    std::size_t launched(sdk::Locality where) const { return launched_[static_cast<std::size_t>(where)]; }

  private:
    void offers(const std::vector<v1::Offer>& offers) override;
    void ended(const std::string& task) override;
    std::vector<v1::TaskInfo> tasks_for(const v1::Offer& offer);
    double refuse_seconds() const;
    void tell_what_is_wanted();
    void look_again_when_it_widens();

    ScanOptions options_;
    base::Prng prng_;
    sdk::LocalTasks ready_;
    sdk::DelayScheduling delay_;
    sdk::OfferHint hint_;
    std::size_t blocks_ = 0, ended_ = 0;
    std::array<std::size_t, 3> launched_{};
    double finished_at_ = 0;
    bool let_one_go_ = false;
};

}  // namespace fairlead::bench
