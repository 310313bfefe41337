#pragma once
// The books of one framework's replay: which tasks are due, running, done; how long they waited;
// how many cpus were held when. Pure: told what happened and when (seconds since the start of the
// replay).
//
// A task is planned (its job is not submitted yet), ready, placed (launched), running or finished.
// A task that fails or is lost becomes ready again under a new attempt, up to attempts_max; then it
// is given up. lost() counts tasks that were given up, so a retry that ends well is no loss;
// failed_attempts() counts every attempt that did not end well.

#include "frameworks/replay/trace.hpp"
#include "sdk/delay_scheduling.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace fairlead::frameworks::replay {

struct LedgerOptions {
    double time_scale = 50;
    double bytes_scale = 1;
    unsigned attempts_max = 4;
};

enum class TaskPhase { planned, ready, placed, running, finished, given_up };

struct Task {
    std::size_t job = 0;
    std::uint64_t bytes = 0;
    TaskPhase phase = TaskPhase::planned;
    unsigned attempt = 0;
    double cpus = 0;  // held while placed or running
    double ready_at = 0;
    double first_running_at = -1;
};

struct Job {
    std::string name;
    double due = 0;  // submit time on the compressed scale
    std::size_t tasks_open = 0;
    double first_running_at = -1;
    double finished_at = -1;
};

struct Spread {
    double median = 0, p95 = 0, max = 0;
};
Spread spread_of(std::vector<double> values);

class Ledger {
  public:
    Ledger(const std::vector<TraceJob>& trace, LedgerOptions options);

    // Submits what is due. The tasks that became ready.
    std::vector<std::size_t> advance(double now);
    // When advance() has something to do again; negative when nothing is planned any more.
    double next_due() const;

    bool has_ready() const { return !ready_.empty(); }
    std::size_t ready_count() const { return ready_.size(); }
    // Takes the task that has been ready longest, or a certain ready one.
    std::size_t place(double now, double cpus);
    void place(std::size_t task, double now, double cpus);
    // How far from its input a task was placed; only for those whose input is known to be somewhere.
    void note_locality(sdk::Locality where) { ++placed_at_[static_cast<std::size_t>(where)]; }

    // "<task>.<attempt>": unknown ids and those of an older attempt give nothing back.
    std::string id_of(std::size_t task) const;
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t task_of(const std::string& id) const;

    // Each is ignored when the task is past it already: statuses may come twice.
    void running(std::size_t task, double now);
    bool finished(std::size_t task, double now);
    // true: it will be tried again.
    bool failed(std::size_t task, double now);
    void add_cpu_seconds(double seconds);

    bool over() const { return finished_ + lost_ == tasks_.size(); }
    std::size_t task_count() const { return tasks_.size(); }
    std::size_t finished_count() const { return finished_; }
    std::size_t running_count() const { return running_; }
    std::size_t jobs_finished() const;
    std::size_t lost() const { return lost_; }
    std::size_t failed_attempts() const { return failed_attempts_; }
    const std::vector<Job>& jobs() const { return jobs_; }
    const std::vector<Task>& tasks() const { return tasks_; }
    double makespan() const { return makespan_; }
    double cpu_seconds() const { return cpu_seconds_; }
    std::size_t placed_at(sdk::Locality where) const { return placed_at_[static_cast<std::size_t>(where)]; }
    std::size_t cpu_seconds_known() const { return cpu_seconds_known_; }
    double cpus_held() const { return held_; }

    std::vector<double> job_waits() const;   // submit to its first task running
    std::vector<double> task_waits() const;  // ready to running, first attempt that ran
    // Mean cpus held in each of `slots` equal parts of [0, until).
    std::vector<double> held_over_time(std::size_t slots, double until) const;

  private:
    void hold(double now, double change);
    void release(Task& task, double now);

    LedgerOptions options_;
    std::vector<Job> jobs_;
    std::vector<Task> tasks_;
    std::deque<std::size_t> ready_;
    std::size_t next_planned_ = 0;  // tasks are in the order of their jobs
    std::size_t finished_ = 0, running_ = 0, lost_ = 0, failed_attempts_ = 0,
                cpu_seconds_known_ = 0;
    std::array<std::size_t, 3> placed_at_{};  // by Locality
    double makespan_ = 0, cpu_seconds_ = 0, held_ = 0;
    struct Change {
        double at, held;
    };
    std::vector<Change> changes_;
};

}  // namespace fairlead::frameworks::replay
