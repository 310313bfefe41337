#include "bench/sharing/batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace fairlead::bench {
namespace {

constexpr double spread = 0.1;

}  // namespace

std::uint64_t job_of(const std::string& task) {
    std::uint64_t job = 0;
    std::from_chars(task.data(), task.data() + task.size(), job);
    return job;
}

BatchEngine::BatchEngine(VirtualCluster& cluster, std::string role, Slot slot, std::uint64_t seed)
    : VirtualFramework(cluster, std::move(role), slot), prng_(seed) {}

void BatchEngine::submit_at(double seconds, const JobKind& kind) {
    ++announced_;
    cluster().after(base::seconds_clamped(seconds), [this, &kept = kinds_.emplace_back(kind)] { submit(kept); });
}

void BatchEngine::submit_in_turn(const JobKind& kind, std::size_t count, double pause_seconds) {
    announced_ += count;
    when_one_ends_ = [this, &kept = kinds_.emplace_back(kind), left = count - 1, pause_seconds]() mutable {
        if (left == 0) return;
        --left;
        cluster().after(base::seconds_clamped(pause_seconds), [this, &kept] { submit(kept); });
    };
    cluster().after(base::Duration::zero(), [this, &kept = kinds_.back()] { submit(kept); });
}

void BatchEngine::submit(const JobKind& kind) {
    Job& job = jobs_.emplace_back();
    job.number = next_job_++;
    job.kind = &kind;
    job.waiting = kind.stages.front().tasks;
    job.record = {kind.name, cluster().seconds(), -1, 0};
    want_offers(true);
}

BatchEngine::Job* BatchEngine::next_job() {
    Job* next = nullptr;
    for (Job& job : jobs_)
        if (job.waiting > 0 && (!next || job.running < next->running)) next = &job;
    return next;
}

void BatchEngine::offers(const std::vector<v1::Offer>& offers) {
    std::vector<std::pair<const v1::Offer*, std::vector<v1::TaskInfo>>> answers;
    for (const auto& offer : offers) {
        auto& [which, tasks] = answers.emplace_back(&offer, std::vector<v1::TaskInfo>());
        for (std::size_t slots = slots_of(offer); slots > 0; --slots) {
            Job* job = next_job();
            if (!job) break;
            --job->waiting;
            ++job->running;
            if (job->record.started < 0) job->record.started = cluster().seconds();
            const double seconds = job->kind->stages[job->stage].seconds * (1 + spread * (2 * prng_.unit() - 1));
            tasks.push_back(task(offer, fmt::format("{}.{}", job->number, next_task_++), seconds));
        }
    }
    // In this order: what is left over goes to others and does not come straight back.
    if (!next_job()) want_offers(false);
    for (auto& [offer, tasks] : answers) {
        if (tasks.empty())
            decline(*offer, 0);
        else
            launch(*offer, std::move(tasks), 0);
    }
}

void BatchEngine::ended(const std::string& task) {
    const auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& each) { return each.number == job_of(task); });
    if (--job->running > 0 || job->waiting > 0) return;
    if (++job->stage < job->kind->stages.size()) {
        job->waiting = job->kind->stages[job->stage].tasks;
        return want_offers(true);
    }
    job->record.ended = cluster().seconds();
    finished_.push_back(job->record);
    jobs_.erase(job);
    if (when_one_ends_) when_one_ends_();
}

}  // namespace fairlead::bench
