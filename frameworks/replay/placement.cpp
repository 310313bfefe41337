#include "frameworks/replay/placement.hpp"

namespace fairlead::frameworks::replay {

void Placement::add(std::size_t job, std::size_t task, std::vector<sdk::Site> copies) {
    auto& its = jobs_.try_emplace(job, Job{{}, sdk::DelayScheduling(waits_)}).first->second;
    its.tasks.add(task, std::move(copies));
}

std::optional<sdk::LocalTasks::Choice> Placement::take(const sdk::Site& here, base::Instant now) {
    for (auto& [number, job] : jobs_) {
        if (job.tasks.empty()) continue;
        if (const auto choice = job.tasks.take(here, job.delay.farthest(now))) {
            job.delay.launched(choice->where);
            return choice;
        }
        job.delay.passed_over(now);
        let_one_go_ = true;
    }
    return {};
}

std::optional<sdk::WantedSites> Placement::hint(base::Instant now) {
    sdk::WantedSites wanted;
    bool idle = true;
    for (auto& [number, job] : jobs_) {
        if (job.tasks.empty()) continue;
        idle = false;
        if (hint_.holds_back()) job.delay.passed_over(now);
        wanted.include(job.tasks.wanted(job.delay.farthest(now)));
    }
    const bool let_one_go = std::exchange(let_one_go_, false);
    if (idle) return {};
    return hint_.update(std::move(wanted), let_one_go ? sdk::OfferHint::Since::one_was_let_go
                                                      : sdk::OfferHint::Since::nothing_came_in_vain);
}

}  // namespace fairlead::frameworks::replay
