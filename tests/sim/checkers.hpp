#pragma once
// What must hold in every run, checked from outside: by what the hosts run, what the frameworks are sent and what travels
// between them. Knows nothing of the code under test; whatever it is told that does not fit is complained about.
//
//   hosts     no host runs more than it has; no task is started twice
//   offers    an id is made once; what stands in offers and what runs on a host fit into it together; nobody is offered
//             what is reserved for a role that is neither its own nor above it
//   statuses  reliable updates of a task never go back, and after an end there is nothing but ends
//   the end   every task that was launched has ended or runs

#include "fairlead/v1/mesos.pb.h"

#include <cstdint>
#include <functional>
#include <map>
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
    void host_has(int host, const Amount& total) { hosts_[host].total = total; }
    void agent_lives_on(const std::string& agent, int host) { agents_[agent] = host; }
    void container_started(int host, const TaskKey& task, const Amount& amount);
    void container_ended(int host, const TaskKey& task) { hosts_[host].running.erase(task); }
    void power_cut(int host) { hosts_[host].running.clear(); }

    // --- offers, as they leave the master and as it is told of their end ---
    void offered(const std::string& offer, const std::string& framework, const std::string& agent, const Amount& amount);
    void offered_to_role(const std::string& offer, const std::string& role, const std::string& reserved_for) const;
    void offer_over(const std::string& offer) { standing_.erase(offer); }
    void offers_over_of(const std::string& framework);
    void all_offers_over() { standing_.clear(); }

    // --- tasks, as their frameworks see them ---
    void launched(const TaskKey& task) { launched_[task]; }
    void status(const TaskKey& task, v1::TaskState state, bool reliable);
    void end_of_run() const;

  private:
    struct Host {
        Amount total;
        std::map<TaskKey, Amount> running;
    };
    struct StandingOffer {
        std::string framework;
        int host;
        Amount amount;
    };
    struct Progress {
        int furthest = -1;  // of the reliable ones
        bool over = false;
    };

    Amount running_on(const Host& host) const;

    Complain complain_;
    std::map<int, Host> hosts_;
    std::map<std::string, int> agents_;
    std::set<TaskKey> started_;
    std::set<std::string> offers_made_;
    std::map<std::string, StandingOffer> standing_;
    std::map<TaskKey, Progress> launched_;
};

}  // namespace fairlead::sim
