#include "bench/sharing/gangs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::bench {

GangEngine::GangEngine(VirtualCluster& cluster, std::string role, Slot slot, std::size_t slots_max)
    : VirtualFramework(cluster, std::move(role), slot), slots_max_(slots_max) {}

void GangEngine::submit_at(double seconds, const JobKind& kind) {
    ++announced_;
    cluster().after(base::seconds_clamped(seconds), [this, kind] {
        waiting_.push_back({next_job_++, kind, 0, -1, {kind.name, cluster().seconds(), -1, 0}});
        gather();
    });
}

bool GangEngine::may_gather() const {
    return !waiting_.empty() && slots_used_ + waiting_.front().kind.stages.front().tasks <= slots_max_;
}

void GangEngine::offers(const std::vector<v1::Offer>& offers) {
    for (const auto& offer : offers) {
        kept_.push_back(offer);
        kept_slots_ += slots_of(offer);
    }
    gather();
}

void GangEngine::gather() {
    while (may_gather()) {
        Job& next = waiting_.front();
        if (next.wanted_since < 0) next.wanted_since = cluster().seconds();
        if (kept_slots_ < next.kind.stages.front().tasks) return want_offers(true);
        Job job = std::move(next);
        waiting_.pop_front();
        launch_gang(std::move(job));
    }
    want_offers(false);
    for (const auto& offer : std::exchange(kept_, {})) decline(offer, 0);
    kept_slots_ = 0;
}

void GangEngine::launch_gang(Job job) {
    const Stage& gang = job.kind.stages.front();
    gang_waits_.push_back(cluster().seconds() - job.wanted_since);
    job.record.started = cluster().seconds();
    slots_used_ += gang.tasks;
    while (job.running < gang.tasks) {
        const v1::Offer offer = std::move(kept_.back());
        kept_.pop_back();
        kept_slots_ -= slots_of(offer);
        std::vector<v1::TaskInfo> tasks;
        for (std::size_t slots = slots_of(offer); slots > 0 && job.running < gang.tasks; --slots) {
            tasks.push_back(task(offer, fmt::format("{}.{}", job.number, next_task_++), gang.seconds));
            ++job.running;
        }
        if (!may_gather()) want_offers(false);
        launch(offer, std::move(tasks), 0);
    }
    running_.push_back(std::move(job));
}

void GangEngine::ended(const std::string& task) {
    const auto job =
        std::find_if(running_.begin(), running_.end(), [&](const Job& each) { return each.number == job_of(task); });
    if (--job->running > 0) return;
    slots_used_ -= job->kind.stages.front().tasks;
    job->record.ended = cluster().seconds();
    finished_.push_back(job->record);
    running_.erase(job);
    gather();
}

}  // namespace fairlead::bench
