#include "frameworks/replay/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fairlead::frameworks::replay {

Spread spread_of(std::vector<double> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    // Nearest rank: the smallest value that at least that part of all does not exceed.
    const auto rank = [&](double part) {
        const auto n =
            static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size())));
        return values[std::max<std::size_t>(n, 1) - 1];
    };
    return {rank(0.5), rank(0.95), values.back()};
}

Ledger::Ledger(const std::vector<TraceJob>& trace, LedgerOptions options) : options_(options) {
    for (const auto& job : trace) {
        const auto pieces = map_tasks(job.input_bytes, options.bytes_scale);
        jobs_.push_back({job.name, job.submit_seconds / options.time_scale, pieces.size()});
        for (const auto bytes : pieces) {
            tasks_.emplace_back();
            tasks_.back().job = jobs_.size() - 1;
            tasks_.back().bytes = bytes;
        }
    }
}

std::vector<std::size_t> Ledger::advance(double now) {
    std::vector<std::size_t> became_ready;
    for (; next_planned_ < tasks_.size() && jobs_[tasks_[next_planned_].job].due <= now;
         ++next_planned_) {
        auto& task = tasks_[next_planned_];
        task.phase = TaskPhase::ready;
        task.ready_at = jobs_[task.job].due;
        ready_.push_back(next_planned_);
        became_ready.push_back(next_planned_);
    }
    return became_ready;
}

double Ledger::next_due() const {
    return next_planned_ < tasks_.size() ? jobs_[tasks_[next_planned_].job].due : -1;
}

std::size_t Ledger::place(double now, double cpus) {
    const auto index = ready_.front();
    place(index, now, cpus);
    return index;
}

void Ledger::place(std::size_t index, double now, double cpus) {
    ready_.erase(std::find(ready_.begin(), ready_.end(), index));
    auto& task = tasks_[index];
    task.phase = TaskPhase::placed;
    task.cpus = cpus;
    ++task.attempt;
    hold(now, cpus);
}

std::string Ledger::id_of(std::size_t task) const {
    return fmt::format("{}-{}.{}", jobs_[tasks_[task].job].name, task, tasks_[task].attempt);
}

std::size_t Ledger::task_of(const std::string& id) const {
    const auto dash = id.rfind('-');
    if (dash == std::string::npos) return none;
    std::size_t task = none;
    std::from_chars(id.data() + dash + 1, id.data() + id.size(), task);
    return task < tasks_.size() && id == id_of(task) ? task : none;
}

void Ledger::running(std::size_t index, double now) {
    auto& task = tasks_[index];
    if (task.phase != TaskPhase::placed) return;
    task.phase = TaskPhase::running;
    ++running_;
    if (task.first_running_at < 0) task.first_running_at = now;
    auto& job = jobs_[task.job];
    if (job.first_running_at < 0) job.first_running_at = now;
}

bool Ledger::finished(std::size_t index, double now) {
    auto& task = tasks_[index];
    running(index, now);
    if (task.phase != TaskPhase::running) return false;
    release(task, now);
    task.phase = TaskPhase::finished;
    ++finished_;
    makespan_ = std::max(makespan_, now);
    auto& job = jobs_[task.job];
    if (--job.tasks_open == 0) job.finished_at = now;
    return true;
}

bool Ledger::failed(std::size_t index, double now) {
    auto& task = tasks_[index];
    if (task.phase != TaskPhase::placed && task.phase != TaskPhase::running) return false;
    release(task, now);
    ++failed_attempts_;
    if (task.attempt >= options_.attempts_max) {
        task.phase = TaskPhase::given_up;
        ++lost_;
        makespan_ = std::max(makespan_, now);
        return false;
    }
    task.phase = TaskPhase::ready;
    ready_.push_back(index);
    return true;
}

void Ledger::add_cpu_seconds(double seconds) {
    cpu_seconds_ += seconds;
    ++cpu_seconds_known_;
}

std::size_t Ledger::jobs_finished() const {
    return static_cast<std::size_t>(std::count_if(
        jobs_.begin(), jobs_.end(), [](const Job& job) { return job.finished_at >= 0; }));
}

std::vector<double> Ledger::job_waits() const {
    std::vector<double> waits;
    for (const auto& job : jobs_)
        if (job.first_running_at >= 0)
            waits.push_back(std::max(0.0, job.first_running_at - job.due));
    return waits;
}

std::vector<double> Ledger::task_waits() const {
    std::vector<double> waits;
    for (const auto& task : tasks_)
        if (task.first_running_at >= 0)
            waits.push_back(std::max(0.0, task.first_running_at - task.ready_at));
    return waits;
}

std::vector<double> Ledger::held_over_time(std::size_t slots, double until) const {
    std::vector<double> mean(slots, 0);
    if (slots == 0 || !(until > 0)) return mean;
    const double width = until / static_cast<double>(slots);
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        const double from = changes_[i].at;
        const double to = std::min(until, i + 1 < changes_.size() ? changes_[i + 1].at : until);
        for (auto slot = static_cast<std::size_t>(from / width); slot < slots; ++slot) {
            const double begin = static_cast<double>(slot) * width;
            if (begin >= to) break;
            const double overlap = std::min(to, begin + width) - std::max(from, begin);
            if (overlap > 0) mean[slot] += changes_[i].held * overlap / width;
        }
    }
    return mean;
}

void Ledger::hold(double now, double change) {
    held_ += change;
    if (held_ < 1e-9) held_ = 0;
    changes_.push_back({now, held_});
}

void Ledger::release(Task& task, double now) {
    if (task.phase == TaskPhase::running) --running_;
    hold(now, -task.cpus);
    task.cpus = 0;
}

}  // namespace fairlead::frameworks::replay
