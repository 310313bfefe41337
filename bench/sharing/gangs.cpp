#include "bench/sharing/gangs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace fairlead::bench {

GangEngine::GangEngine(VirtualCluster& cluster, std::string role, Slot slot, std::size_t slots_max)
    : VirtualFramework(cluster, std::move(role), slot), slots_max_(slots_max) {}

void GangEngine::submit_at(double seconds, const JobKind& kind) {
    ++announced_;
    cluster().after(base::seconds_clamped(seconds), [this, kind] {
        waiting_.push_back({next_job_++, kind, 0, 0, {kind.name, cluster().seconds(), -1, 0}});
        ask();
    });
}

void GangEngine::ask() {
    while (!waiting_.empty() && slots_out_ + waiting_.front().slots() <= slots_max_) {
        Job& job = asked_.emplace_back(std::move(waiting_.front()));
        waiting_.pop_front();
        slots_out_ += job.slots();
        job.asked_at = cluster().seconds();
        request(job.slots(), job.gang());  // before offers are wanted: then only those come that answer it
    }
    want_offers(!asked_.empty());
}

void GangEngine::offers(const std::vector<v1::Offer>& offers) {
    std::map<std::string, std::vector<v1::Offer>> by_gang;
    for (const auto& offer : offers) by_gang[offer.gang()].push_back(offer);
    for (auto& [gang, its] : by_gang) {
        if (gang.empty()) {
            for (auto& offer : its) {
                kept_slots_ += slots_of(offer);
                kept_.push_back(std::move(offer));
            }
            continue;
        }
        const auto job = std::find_if(asked_.begin(), asked_.end(), [&](const Job& each) { return each.gang() == gang; });
        if (job == asked_.end()) throw std::logic_error("offers for a gang that nobody has asked for");
        launch_gang(take_asked(job), its);
    }
    launch_kept();
}

GangEngine::Job GangEngine::take_asked(std::list<Job>::iterator job) {
    Job taken = std::move(*job);
    asked_.erase(job);
    want_offers(!asked_.empty());
    return taken;
}

void GangEngine::launch_kept() {
    while (!asked_.empty() && kept_slots_ >= asked_.front().slots()) {
        std::vector<v1::Offer> enough;
        for (std::size_t slots = 0; slots < asked_.front().slots(); slots += slots_of(enough.back())) {
            enough.push_back(std::move(kept_.back()));
            kept_.pop_back();
        }
        for (const auto& offer : enough) kept_slots_ -= slots_of(offer);
        launch_gang(take_asked(asked_.begin()), enough);
    }
    want_offers(!asked_.empty());
    if (!asked_.empty()) return;
    for (const auto& offer : std::exchange(kept_, {})) decline(offer, 0);
    kept_slots_ = 0;
}

void GangEngine::launch_gang(Job job, const std::vector<v1::Offer>& offers) {
    gang_waits_.push_back(cluster().seconds() - job.asked_at);
    job.record.started = cluster().seconds();
    for (const auto& offer : offers) {
        std::vector<v1::TaskInfo> tasks;
        for (std::size_t slots = slots_of(offer); slots > 0 && job.running < job.slots(); --slots) {
            const double seconds = job.kind.stages.front().seconds;
            tasks.push_back(task(offer, fmt::format("{}.{}", job.number, next_task_++), seconds));
            ++job.running;
        }
        if (tasks.empty())
            decline(offer, 0);
        else
            launch(offer, std::move(tasks), 0);
    }
    if (job.running < job.slots()) throw std::logic_error("a gang was offered less than it had asked for");
    running_.push_back(std::move(job));
}

void GangEngine::ended(const std::string& task) {
    const auto job =
        std::find_if(running_.begin(), running_.end(), [&](const Job& each) { return each.number == job_of(task); });
    if (--job->running > 0) return;
    slots_out_ -= job->slots();
    job->record.ended = cluster().seconds();
    finished_.push_back(job->record);
    running_.erase(job);
    ask();
}

}  // namespace fairlead::bench
