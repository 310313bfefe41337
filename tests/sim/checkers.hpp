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
//   statuses  reliable updates of a task never go back for one who hears them, and after an end there is nothing but
//             ends
//   ends      what is told of a task's end is what became of it on its host: finished is who exited with 0, failed who
//             exited otherwise or had his time, killed who was to be killed, dropped who never ran, gone of whom his
//             host has forgotten how he ended, or whether he came, where his master has not heard it either; who has
//             ended does not run and is not started any more, and has one end, which its agent may forget
//   repeats   whoever takes a task for lost has a cause: its agent was given up; its host has lost what it knew of it; or it
//             never ran, and its scheduler, its agent or a master was cut off since, or its offer taken back
//   records   no host stops a task because nobody knows it any more, and none that nobody wanted to be stopped
//   schedulers  of those of one framework that one master serves, one is active, and only it hears of tasks and
//             offers
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
    void host_has(int host, const Amount& total) { hosts_[host].total = total; }
    // Of what is plain of each host, that is, reserved for nobody.
    void keeps_for_short(unsigned percent) { short_percent_ = percent; }
    void agent_lives_on(const std::string& agent, int host) { agents_[agent] = host; }
    // With the time after which the host ends it. `plain`: what it has of what is reserved for nobody; none: all.
    void container_started(int host, const TaskKey& task, const Amount& amount,
                           std::optional<base::Duration> limit = std::nullopt, std::optional<Amount> plain = std::nullopt);
    void container_runs(const TaskKey& task) { ran_.insert(task); }
    // How its process came to its end; `other` also by its limit. Unknown: what is left of it is taken away.
    enum class Exit { zero, other, stopped, unknown };
    void container_ended(int host, const TaskKey& task, Exit exit = Exit::unknown) {
        hosts_[host].running.erase(task);
        hosts_[host].running_without_limit.erase(task);
        if (exit != Exit::unknown) exits_.try_emplace(task, exit);
    }
    void power_cut(int host) {
        hosts_[host].running.clear();
        hosts_[host].running_without_limit.clear();
    }
    // It stops what it takes for what is left of tasks that are over.
    void swept_away(int host, const TaskKey& task) const;
    void stopped(const TaskKey& task) const;
    // What a host knew of its tasks is lost, by a power cut or with a record, but not of these.
    void forgotten(int host, const std::set<TaskKey>& known);
    std::uint64_t losses(int host) { return hosts_[host].losses; }
    // It was registered since, so whatever is launched from now on comes to an agent that knows of so many losses.
    void losses_told(int host, std::uint64_t losses) { hosts_[host].losses_told = losses; }
    // An older version of its record is used, of which some may have been told.
    void tells_again(const TaskKey& task) { tell_again_.insert(task); }

    // --- offers, as they leave the master and as it is told of their end ---
    enum class Length { any, is_short };
    // From whom it comes: who leads under this epoch. One that has been followed by another knows no better.
    struct Leader {
        std::uint64_t epoch = 1;
        bool is_deposed = false;
    };
    // Of what is plain: so much of the offer, and so much of its agent when it was decided. None: all.
    struct Plain {
        Amount of_offer;
        Amount of_agent;
    };
    void offered(const std::string& offer, const std::string& framework, const std::string& agent, const Amount& amount,
                 Length length = Length::any, Leader leader = {1, false}, std::optional<Plain> plain = std::nullopt);
    void offered_to_role(const std::string& offer, const std::string& role, const std::string& reserved_for) const;
    void offer_over(const std::string& offer) { standing_.erase(offer); }
    void offers_over_of(const std::string& framework, std::uint64_t epoch = 1);
    void all_offers_over(std::uint64_t epoch = 1) {
        std::erase_if(standing_, [&](const auto& item) { return item.second.epoch == epoch; });
    }

    // --- schedulers, as a master serves them under its epoch ---
    void active_on(const std::string& framework, std::uint64_t epoch, std::uint64_t stream);
    void told_as_active(std::uint64_t epoch, std::uint64_t stream) const;
    void stream_over(std::uint64_t stream) {
        std::erase_if(active_, [&](const auto& one) { return one.second == stream; });
    }
    void epoch_over(std::uint64_t epoch) {
        std::erase_if(active_, [&](const auto& one) { return one.first.second == epoch; });
    }

    // --- gangs: as frameworks ask for them, and how many tasks the offers in one event bear ---
    void asked_for_gang(const std::string& framework, const std::string& gang, int tasks) { gangs_[{framework, gang}] = tasks; }
    void offered_gang(const std::string& framework, const std::string& gang, int tasks);

    // --- tasks, as their frameworks see them ---
    // On an offer with this limit, of this agent.
    void launched(const TaskKey& task, std::optional<base::Duration> limit = std::nullopt,
                  const std::string& agent = {}, const std::string& offer = {});
    // By its framework or by a master.
    void asked_to_kill(const TaskKey& task) { to_be_killed_.insert(task); }
    // By a master: its tasks are ended, and whoever is offered their room has to wait on the host until they are.
    void framework_removed(const std::string& framework) { removed_.insert(framework); }
    // Its schedulers have gone for good.
    void nobody_listens(const std::string& framework) { unheard_.insert(framework); }
    // A master has heard from the agent how it ended, and says what it says of it, under one epoch.
    void end_heard(const TaskKey& task, std::uint64_t epoch) { ends_heard_.emplace(task, epoch); }
    void said_by_master(const TaskKey& task, v1::TaskState state, std::uint64_t epoch) const;
    // `to`: which of its framework's schedulers. One that was replaced may hear late what another one has heard before.
    void status(const TaskKey& task, v1::TaskState state, bool reliable, int to = 0, const std::string& uuid = {});
    void end_of_run() const;

    // --- launches that are repeated: what may have become of them on their way, as it happens ---
    void scheduler_was_cut_off(const std::string& framework) { ++cut_off_[framework]; }
    void agent_was_cut_off(int host) { ++hosts_[host].cut_off; }
    // What its master sent before it heard of that went into the old link.
    void master_heard_of_another_link(const std::string& agent) {
        if (const auto known = agents_.find(agent); known != agents_.end()) agent_was_cut_off(known->second);
    }
    void master_was_cut_off() { ++masters_cut_off_; }
    // By the master, or with its time; an answer to it may be on its way.
    void offer_taken_back(const std::string& offer) { taken_back_.insert(offer); }
    // Its agent was given up, or a master said what it likes, as it did not know better.
    void may_be_repeated(const TaskKey& task) { may_be_repeated_.insert(task); }
    // Its framework takes it for lost, as it was told this.
    void repeated(const TaskKey& task, v1::TaskState state) const;

  private:
    struct Host {
        Amount total;
        std::map<TaskKey, Amount> running;
        std::map<TaskKey, Amount> running_without_limit;  // of what is plain
        std::uint64_t losses = 0;                         // of what it knew of tasks
        std::uint64_t losses_told = 0;
        std::uint64_t cut_off = 0;  // how often, from its master
    };
    struct StandingOffer {
        std::string framework;
        int host;
        Amount amount;
        Amount plain;
        Length length;
        std::uint64_t epoch;
    };
    struct Progress {
        std::map<int, int> furthest;  // of the reliable ones, by who has heard them
        bool over = false;
        std::optional<v1::TaskState> end;  // the first that its agent told
        std::optional<base::Duration> limit;
        std::string agent;
        std::string offer;
        std::uint64_t cut_off = 0;  // the sum of its framework, its host and the masters when it was launched
        bool may_be_gone = false;  // what its agent knew of it was lost, or may have been when it came
    };

    bool may_be_stopped(const TaskKey& task) const { return to_be_killed_.contains(task) || removed_.contains(task.first); }
    const Host* host_of(const Progress& progress) const;
    void check_end(const TaskKey& task, Progress& progress, v1::TaskState state) const;
    void check_truth(const TaskKey& task, const Progress& progress, v1::TaskState state) const;
    std::uint64_t cut_off(const std::string& framework, const Progress& progress) const;
    Amount sum_to_stay(const std::map<TaskKey, Amount>& running) const;
    static Amount sum_of(const std::map<TaskKey, Amount>& running);

    Complain complain_;
    std::map<int, Host> hosts_;
    std::map<std::string, int> agents_;
    unsigned short_percent_ = 0;
    std::set<TaskKey> started_;
    std::set<TaskKey> ran_;
    std::set<TaskKey> to_be_killed_;
    std::set<std::string> removed_, unheard_;  // frameworks
    std::map<TaskKey, Exit> exits_;
    std::set<TaskKey> tell_again_;
    std::set<std::pair<TaskKey, std::uint64_t>> ends_heard_;  // with the epoch
    std::set<std::string> told_;                              // updates, by uuid
    std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> active_;  // streams, by framework and epoch
    std::set<std::string> offers_made_;
    std::map<std::string, StandingOffer> standing_;
    std::map<TaskKey, Progress> launched_;
    std::map<std::pair<std::string, std::string>, int> gangs_;
    std::map<std::string, std::uint64_t> cut_off_;  // by framework
    std::uint64_t masters_cut_off_ = 0;
    std::set<std::string> taken_back_;
    std::set<TaskKey> may_be_repeated_;
};

}  // namespace fairlead::sim
