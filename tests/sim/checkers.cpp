#include "tests/sim/checkers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::sim {
namespace {

std::string text(const Amount& amount) {
    return fmt::format("{} cpus and {} MB", static_cast<double>(amount.millicpus) / 1000, amount.mebibytes);
}

std::string text(const Checkers::TaskKey& task) { return fmt::format("{} of {}", task.second, task.first); }

}  // namespace

int rank(v1::TaskState state) {
    switch (state) {
        case v1::TASK_STAGING: return 0;
        case v1::TASK_STARTING: return 1;
        case v1::TASK_RUNNING: return 2;
        case v1::TASK_KILLING: return 3;
        default: return rank_over;
    }
}

Amount Checkers::sum_of(const std::map<TaskKey, Amount>& running) {
    Amount sum;
    for (const auto& [task, amount] : running) sum += amount;
    return sum;
}

Amount Checkers::sum_to_stay(const std::map<TaskKey, Amount>& running) const {
    Amount sum;
    for (const auto& [task, amount] : running)
        if (!removed_.contains(task.first)) sum += amount;
    return sum;
}

void Checkers::container_started(int number, const TaskKey& task, const Amount& amount,
                                 std::optional<base::Duration> limit, std::optional<Amount> plain) {
    Host& host = hosts_[number];
    if (!started_.insert(task).second) complain_(text(task) + " was started twice");
    host.running[task] = amount;
    if (!limit) host.running_without_limit[task] = plain.value_or(amount);
    if (const Amount sum = sum_of(host.running); !sum.fits_into(host.total))
        complain_(fmt::format("host {} runs {}, and has {}", number, text(sum), text(host.total)));
    const auto launched = launched_.find(task);
    if (launched == launched_.end()) return;
    if (launched->second.limit && (!limit || *limit > *launched->second.limit))
        complain_(text(task) + " may run for longer than its offer says");
    if (launched->second.end)
        complain_(fmt::format("{} is started, and its end was told: {}", text(task),
                              v1::TaskState_Name(*launched->second.end)));
}

void Checkers::offered(const std::string& offer, const std::string& framework, const std::string& agent,
                       const Amount& amount, Length length, Leader leader, std::optional<Plain> known) {
    if (!offers_made_.insert(offer).second) complain_("offer " + offer + " was made twice");
    const auto found = agents_.find(agent);
    if (found == agents_.end()) return complain_("offer " + offer + " is of agent " + agent + ", which nobody is");
    const Host& host = hosts_[found->second];
    const Plain plain = known.value_or(Plain{amount, host.total});
    standing_[offer] = {framework, found->second, amount, plain.of_offer, length, leader.epoch};
    if (leader.is_deposed) return;
    Amount sum = sum_to_stay(host.running);
    Amount without_limit = sum_to_stay(host.running_without_limit);
    for (const auto& [id, standing] : standing_) {
        if (standing.host != found->second || standing.epoch != leader.epoch) continue;
        sum += standing.amount;
        if (standing.length == Length::any) without_limit += standing.plain;
    }
    if (!sum.fits_into(host.total))
        return complain_(fmt::format("with offer {} host {} runs and is offered {}, and has {}", offer, found->second,
                                     text(sum), text(host.total)));
    // Where nothing of a kind is offered, it is none of this offer's doing.
    if (length == Length::is_short) return;
    const Amount kept{plain.of_agent.millicpus * short_percent_ / 100, plain.of_agent.mebibytes * short_percent_ / 100};
    const Amount with_kept = without_limit + kept;
    if ((plain.of_offer.millicpus > 0 && with_kept.millicpus > plain.of_agent.millicpus) ||
        (plain.of_offer.mebibytes > 0 && with_kept.mebibytes > plain.of_agent.mebibytes))
        complain_(fmt::format("with offer {} host {} runs and is offered {} without a limit, and keeps {} of {} for "
                              "short tasks",
                              offer, found->second, text(without_limit), text(kept), text(plain.of_agent)));
}

void Checkers::offered_gang(const std::string& framework, const std::string& gang, int tasks) {
    const auto asked = gangs_.find({framework, gang});
    if (asked == gangs_.end())
        complain_("gang " + gang + " is offered to " + framework + ", which has not asked for it");
    else if (tasks < asked->second)
        complain_(fmt::format("{} of gang {} of {} are offered, and it has {}", tasks, gang, framework, asked->second));
}

void Checkers::offered_to_role(const std::string& offer, const std::string& role,
                               const std::string& reserved_for) const {
    if (role != reserved_for && !role.starts_with(reserved_for + "/"))
        complain_(fmt::format("offer {} shows role {} what is reserved for {}", offer, role, reserved_for));
}

void Checkers::offers_over_of(const std::string& framework, std::uint64_t epoch) {
    std::erase_if(standing_, [&](const auto& item) {
        return item.second.framework == framework && item.second.epoch == epoch;
    });
}

void Checkers::launched(const TaskKey& task, std::optional<base::Duration> limit, const std::string& agent,
                        const std::string& offer) {
    Progress& progress = launched_[task];
    progress.limit = limit;
    progress.agent = agent;
    progress.offer = offer;
    progress.cut_off = cut_off(task.first, progress);
    // Its agent cannot tell it from those that were launched before it forgot them.
    const Host* host = host_of(progress);
    progress.may_be_gone = !host || host->losses != host->losses_told;
}

const Checkers::Host* Checkers::host_of(const Progress& progress) const {
    const auto agent = agents_.find(progress.agent);
    return agent == agents_.end() ? nullptr : &hosts_.at(agent->second);
}

std::uint64_t Checkers::cut_off(const std::string& framework, const Progress& progress) const {
    const auto its = cut_off_.find(framework);
    const Host* host = host_of(progress);
    return masters_cut_off_ + (its == cut_off_.end() ? 0 : its->second) + (host ? host->cut_off : 0);
}

// That it was killed, has failed, or was launched with an error is judged where that is told.
void Checkers::repeated(const TaskKey& task, v1::TaskState state) const {
    const bool is_judged = state == v1::TASK_KILLED || state == v1::TASK_FAILED || state == v1::TASK_ERROR;
    if (is_judged || may_be_repeated_.contains(task)) return;
    const auto found = launched_.find(task);
    if (found == launched_.end()) return;
    const Progress& progress = found->second;
    const bool may_be_lost_on_its_way = cut_off(task.first, progress) != progress.cut_off || taken_back_.contains(progress.offer);
    if (ran_.contains(task) ? progress.may_be_gone : may_be_lost_on_its_way) return;
    complain_(fmt::format("{} is {} and repeated, and nothing has happened that could lose it", text(task),
                          v1::TaskState_Name(state)));
}

void Checkers::forgotten(int number, const std::set<TaskKey>& known) {
    Host& host = hosts_[number];
    ++host.losses;
    for (auto& [task, progress] : launched_)
        if (host_of(progress) == &host && !known.contains(task)) progress.may_be_gone = true;
}

void Checkers::swept_away(int number, const TaskKey& task) const {
    if (hosts_.at(number).running.contains(task))
        complain_(fmt::format("{} runs, and host {} stops it as nobody knows it", text(task), number));
}

void Checkers::stopped(const TaskKey& task) const {
    if (!may_be_stopped(task)) complain_(text(task) + " is stopped, and nobody wanted it to be");
}

// Its agent may have lost that; then it is asked about it when it is back, and has to say what the master has heard.
// But who was told of it and acknowledged it may have asked before.
void Checkers::said_by_master(const TaskKey& task, v1::TaskState state, std::uint64_t epoch) const {
    const auto launched = launched_.find(task);
    const bool was_told = launched != launched_.end() && launched->second.end;
    if (state == v1::TASK_GONE && !was_told && ends_heard_.contains({task, epoch}))
        complain_(text(task) + " is said to be gone by the master that has heard how it ended");
}

void Checkers::status(const TaskKey& task, v1::TaskState state, bool reliable, int to, const std::string& uuid) {
    const auto found = launched_.find(task);
    if (found == launched_.end()) return complain_("an update of " + text(task) + ", which was never launched");
    Progress& progress = found->second;
    if (state == v1::TASK_DROPPED && !progress.over && ran_.contains(task))
        complain_(text(task) + " was told as dropped, and has run");
    progress.over = progress.over || rank(state) == rank_over;
    // An end that a task itself came to stands, also where it is only the answer to a question.
    const bool is_own_end = state == v1::TASK_FINISHED || state == v1::TASK_FAILED || state == v1::TASK_KILLED;
    if (!reliable && !is_own_end) return;
    if (rank(state) == rank_over) check_end(task, progress, state);
    const bool is_told_again = !uuid.empty() && !told_.insert(uuid).second;
    if (is_told_again && tell_again_.contains(task)) return;
    int& furthest = progress.furthest.try_emplace(to, rank(state)).first->second;
    if (rank(state) < furthest) complain_(fmt::format("{} went back to {}", text(task), v1::TaskState_Name(state)));
    furthest = std::max(furthest, rank(state));
}

// Dropped and gone are also what an agent says of a task that it has forgotten, as its end was told and
// acknowledged.
void Checkers::check_end(const TaskKey& task, Progress& progress, v1::TaskState state) const {
    check_truth(task, progress, state);
    for (const auto& [number, host] : hosts_)
        if (host.running.contains(task))
            complain_(fmt::format("{} is {}, and runs on host {}", text(task), v1::TaskState_Name(state), number));
    const bool may_be_forgotten = state == v1::TASK_DROPPED || state == v1::TASK_GONE || state == v1::TASK_LOST;
    if (progress.end && *progress.end != state && !may_be_forgotten)
        complain_(fmt::format("{} has two ends: {} and {}", text(task), v1::TaskState_Name(*progress.end),
                              v1::TaskState_Name(state)));
    if (!progress.end) progress.end = state;
}

// What its host knows of it.
void Checkers::check_truth(const TaskKey& task, const Progress& progress, v1::TaskState state) const {
    const auto found = exits_.find(task);
    const Exit exit = found == exits_.end() ? Exit::unknown : found->second;
    switch (state) {
        case v1::TASK_FINISHED:
            if (exit != Exit::zero) complain_(text(task) + " is said to have finished, and has not");
            return;
        case v1::TASK_FAILED:
            if (exit != Exit::other) complain_(text(task) + " is said to have failed, and has not");
            return;
        case v1::TASK_KILLED:
            if (!may_be_stopped(task))
                complain_(text(task) + " is said to be killed, and nobody wanted it to be");
            return;
        case v1::TASK_GONE:
            // One whose end was told is forgotten, and a master that heard of it only before may ask.
            if (!progress.end && !progress.may_be_gone)
                complain_(text(task) + " is said to be gone, and its host has forgotten nothing of it");
            return;
        case v1::TASK_LOST:  // gone or dropped, to who does not know these
            if (!progress.end && !progress.may_be_gone && ran_.contains(task))
                complain_(text(task) + " is said to be lost, and has run, and its host has forgotten nothing of it");
            return;
        default: return;
    }
}

void Checkers::active_on(const std::string& framework, std::uint64_t epoch, std::uint64_t stream) {
    const auto [active, is_first] = active_.try_emplace({framework, epoch}, stream);
    if (!is_first && active->second != stream)
        complain_(fmt::format("two schedulers of framework {} are active, on streams {} and {}", framework, active->second,
                              stream));
    active->second = stream;
}

void Checkers::told_as_active(std::uint64_t epoch, std::uint64_t stream) const {
    if (std::none_of(active_.begin(), active_.end(),
                     [&](const auto& one) { return one.first.second == epoch && one.second == stream; }))
        complain_(fmt::format("a scheduler on stream {} is told what is for the active one", stream));
}

void Checkers::end_of_run() const {
    for (const auto& [task, progress] : launched_) {
        if (progress.over || unheard_.contains(task.first)) continue;
        const bool runs = std::any_of(hosts_.begin(), hosts_.end(),
                                      [&](const auto& host) { return host.second.running.contains(task); });
        if (!runs) complain_(text(task) + " has neither ended nor runs");
    }
}

}  // namespace fairlead::sim
