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

void Checkers::container_started(int number, const TaskKey& task, const Amount& amount,
                                 std::optional<base::Duration> limit) {
    Host& host = hosts_[number];
    if (!started_.insert(task).second) complain_(text(task) + " was started twice");
    host.running[task] = amount;
    if (!limit) host.running_without_limit[task] = amount;
    if (const Amount sum = sum_of(host.running); !sum.fits_into(host.total))
        complain_(fmt::format("host {} runs {}, and has {}", number, text(sum), text(host.total)));
    if (const auto launched = launched_.find(task); launched != launched_.end() && launched->second.limit)
        if (!limit || *limit > *launched->second.limit)
            complain_(text(task) + " may run for longer than its offer says");
}

void Checkers::offered(const std::string& offer, const std::string& framework, const std::string& agent,
                       const Amount& amount, Length length, Leader leader) {
    if (!offers_made_.insert(offer).second) complain_("offer " + offer + " was made twice");
    const auto found = agents_.find(agent);
    if (found == agents_.end()) return complain_("offer " + offer + " is of agent " + agent + ", which nobody is");
    const Host& host = hosts_[found->second];
    standing_[offer] = {framework, found->second, amount, length, leader.epoch};
    if (leader.is_deposed) return;
    Amount sum = sum_of(host.running);
    Amount without_limit = sum_of(host.running_without_limit);
    for (const auto& [id, standing] : standing_) {
        if (standing.host != found->second || standing.epoch != leader.epoch) continue;
        sum += standing.amount;
        if (standing.length == Length::any) without_limit += standing.amount;
    }
    if (!sum.fits_into(host.total))
        complain_(fmt::format("with offer {} host {} runs and is offered {}, and has {}", offer, found->second, text(sum),
                              text(host.total)));
    else if (!(without_limit + host.for_short).fits_into(host.total))
        complain_(fmt::format("with offer {} host {} runs and is offered {} without a limit, and keeps {} of {} for short "
                              "tasks",
                              offer, found->second, text(without_limit), text(host.for_short), text(host.total)));
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

void Checkers::status(const TaskKey& task, v1::TaskState state, bool reliable) {
    const auto found = launched_.find(task);
    if (found == launched_.end()) return complain_("an update of " + text(task) + ", which was never launched");
    Progress& progress = found->second;
    if (state == v1::TASK_DROPPED && !progress.over && ran_.contains(task))
        complain_(text(task) + " was told as dropped, and has run");
    progress.over = progress.over || rank(state) == rank_over;
    // An end that a task itself came to stands, also where it is only the answer to a question.
    const bool is_own_end = state == v1::TASK_FINISHED || state == v1::TASK_FAILED || state == v1::TASK_KILLED;
    if (!reliable && is_own_end) progress.furthest = rank_over;
    if (!reliable) return;
    if (rank(state) < progress.furthest)
        complain_(fmt::format("{} went back to {}", text(task), v1::TaskState_Name(state)));
    progress.furthest = std::max(progress.furthest, rank(state));
}

void Checkers::end_of_run() const {
    for (const auto& [task, progress] : launched_) {
        if (progress.over) continue;
        const bool runs = std::any_of(hosts_.begin(), hosts_.end(),
                                      [&](const auto& host) { return host.second.running.contains(task); });
        if (!runs) complain_(text(task) + " has neither ended nor runs");
    }
}

}  // namespace fairlead::sim
