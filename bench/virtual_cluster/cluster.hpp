#pragma once
// A cluster on virtual time: the master's real core with any allocation module, agents that do nothing but wait for as long
// as each task takes, and frameworks that are written for the measurement. Hours pass in seconds, and a run depends on
// nothing but its seed. For experiments with policies; what a real master needs for its work is measured elsewhere.
//
// Everything passes a network that keeps the order of what one peer sends and needs up to a millisecond. An allocation
// follows each event as it does in the driver. How long a task takes is what its command says: "sleep SECONDS".

#include "common/base/prng.hpp"
#include "masterd/core/core.hpp"
#include "tests/sim/timeline.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::bench {

class VirtualFramework;

struct Machine {
    std::string host;
    double cpus = 4;
    double mem_mb = 15 * 1024;
    std::vector<std::pair<std::string, std::string>> attributes = {};
};

class VirtualCluster {
  public:
    VirtualCluster(std::unique_ptr<allocator::Module> module, std::uint64_t seed,
                   masterd::core::CoreOptions options = {});

    // Before the first run.
    void add(const Machine& machine);
    void order(masterd::core::RoleOrder order);

    base::Instant now() const { return timeline_.now().instant; }
    double seconds() const { return std::chrono::duration<double>(now().time_since_epoch()).count(); }
    void after(base::Duration delay, std::function<void()> event) { timeline_.after(delay, std::move(event)); }
    // Lets time pass until this holds. False: it did not by then.
    bool run_until(const std::function<bool()>& holds, base::Duration time_max);

    struct Counts {
        std::size_t offers = 0, declines = 0, launches = 0, updates_of_frameworks = 0;
        double cpu_seconds = 0, mem_mb_seconds = 0;  // of running tasks
    };
    // Until now.
    Counts counts();
    double cpus() const { return cpus_; }
    double mem_mb() const { return mem_mb_; }

  private:
    friend class VirtualFramework;
    struct Agent {
        std::string id;
        masterd::core::LinkId link;
        base::Instant to_master_free{}, from_master_free{};
    };
    struct Peer {
        VirtualFramework* framework = nullptr;
        base::Instant to_master_free{}, from_master_free{};
    };

    void subscribe(VirtualFramework& framework, v1::FrameworkInfo info, v1::scheduler::OfferConstraints constraints);
    void call(VirtualFramework& framework, std::shared_ptr<v1::scheduler::Call> call);

    void step(const masterd::core::Input& input);
    void carry_out(const masterd::core::Effect& effect);
    void deliver(base::Instant& channel_free, std::function<void()> event);
    void say(std::size_t agent, std::shared_ptr<internal::FromAgent> message);
    void hear(std::size_t agent, const internal::FromMaster& message);
    void start(std::size_t agent, const internal::LaunchTasks& launch, const v1::TaskInfo& task);
    void report(std::size_t agent, const v1::FrameworkID& framework, const v1::TaskID& task, v1::TaskState state);
    void plan_deadline();
    void use(double cpus, double mem_mb);

    base::Prng prng_;
    sim::Timeline timeline_;
    masterd::core::Core core_;
    std::optional<base::Instant> deadline_;
    bool allocation_planned_ = false;
    std::deque<Agent> agents_;
    std::unordered_map<masterd::core::LinkId, std::size_t> agent_of_link_;
    std::deque<Peer> peers_;
    std::unordered_map<masterd::core::RequestId, std::size_t> peer_of_stream_;
    std::uint64_t next_request_ = 1;
    Counts counts_;
    double cpus_ = 0, mem_mb_ = 0;
    double used_cpus_ = 0, used_mem_mb_ = 0;
    base::Instant used_since_{};
};

}  // namespace fairlead::bench
