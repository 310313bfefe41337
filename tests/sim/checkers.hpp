#pragma once
// What must hold in every run, checked from outside: by what the hosts run, what the frameworks are sent and what
// travels between them. Knows nothing of the code under test; whatever it is told that does not fit is complained
// about.
//
//   hosts     no host runs more than it has; no task is started twice
//   offers    an id is made once; what stands in offers of one epoch and what runs on a host fit into it together, unless a
//             later epoch has begun; nobody is offered what is reserved for a role that is neither its own nor above it
//   short     what is kept for short tasks is neither offered nor used without a time limit; an offer's limit is its tasks'
//   gangs     all of a gang is offered in one event
//   statuses  reliable updates of a task never go back, and after an end there is nothing but ends; what has run is not
//             said to have been dropped
//   the end   every task that was launched has ended or runs

#include "common/base/instant.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace fairlead::sim {

struct Amount {
    std::int64_t millicpus = 0;
    std::int64_t mebibytes = 0;

    Amount& operator+=(const Amount& other) {
        millicpus += other.millicpus;
        mebibytes += other.mebibytes;
        return *this;
    }
    friend Amount operator+(Amount a, const Amount& b) { return a += b; }
    bool fits_into(const Amount& other) const {
        return millicpus <= other.millicpus && mebibytes <= other.mebibytes;
    }
};

// How far a task has come: staging, starting, running, killing, over. Unreachable counts as over: it is replaced.
int rank(v1::TaskState state);
inline constexpr int rank_over = 4;

class Checkers {
  public:
    using TaskKey = std::pair<std::string, std::string>;  // framework, task
    using Complain = std::function<void(const std::string&)>;

    explicit Checkers(Complain complain) : complain_(std::move(complain)) {}

    // --- hosts ---
    // `for_short`: of the total, only for short tasks.
    void host_has(int host, const Amount& total, const Amount& for_short = {}) {
        hosts_[host].total = total;
        hosts_[host].for_short = for_short;
    }
    void agent_lives_on(const std::string& agent, int host) { agents_[agent] = host; }
    // With the time after which the host ends it.
    void container_started(int host, const TaskKey& task, const Amount& amount,
                           std::optional<base::Duration> limit = std::nullopt);
    void container_runs(const TaskKey& task) { ran_.insert(task); }
    void container_ended(int host, const TaskKey& task) {
        hosts_[host].running.erase(task);
        hosts_[host].running_without_limit.erase(task);
    }
    void power_cut(int host) {
        hosts_[host].running.clear();
        hosts_[host].running_without_limit.clear();
    }

    // --- offers, as they leave the master and as it is told of their end ---
    enum class Length { any, is_short };
    // From whom it comes: who leads under this epoch. One that has been followed by another knows no better.
    struct Leader {
        std::uint64_t epoch = 1;
        bool is_deposed = false;
    };
    void offered(const std::string& offer, const std::string& framework, const std::string& agent, const Amount& amount,
                 Length length = Length::any, Leader leader = {1, false});
    void offered_to_role(const std::string& offer, const std::string& role, const std::string& reserved_for) const;
    void offer_over(const std::string& offer) { standing_.erase(offer); }
    void offers_over_of(const std::string& framework, std::uint64_t epoch = 1);
    void all_offers_over(std::uint64_t epoch = 1) {
        std::erase_if(standing_, [&](const auto& item) { return item.second.epoch == epoch; });
    }

    // --- gangs: as frameworks ask for them, and how many tasks the offers in one event bear ---
    void asked_for_gang(const std::string& framework, const std::string& gang, int tasks) { gangs_[{framework, gang}] = tasks; }
    void offered_gang(const std::string& framework, const std::string& gang, int tasks);

    // --- tasks, as their frameworks see them ---
    // On an offer with this limit.
    void launched(const TaskKey& task, std::optional<base::Duration> limit = std::nullopt) { launched_[task].limit = limit; }
    void status(const TaskKey& task, v1::TaskState state, bool reliable);
    void end_of_run() const;

  private:
    struct Host {
        Amount total;
        Amount for_short;
        std::map<TaskKey, Amount> running;
        std::map<TaskKey, Amount> running_without_limit;
    };
    struct StandingOffer {
        std::string framework;
        int host;
        Amount amount;
        Length length;
        std::uint64_t epoch;
    };
    struct Progress {
        int furthest = -1;  // of the reliable ones
        bool over = false;
        std::optional<base::Duration> limit;
    };

    static Amount sum_of(const std::map<TaskKey, Amount>& running);

    Complain complain_;
    std::map<int, Host> hosts_;
    std::map<std::string, int> agents_;
    std::set<TaskKey> started_;
    std::set<TaskKey> ran_;
    std::set<std::string> offers_made_;
    std::map<std::string, StandingOffer> standing_;
    std::map<TaskKey, Progress> launched_;
    std::map<std::pair<std::string, std::string>, int> gangs_;
};

}  // namespace fairlead::sim
