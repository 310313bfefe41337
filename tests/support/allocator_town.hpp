#pragma once
// An AllocatorCluster with tasks that can be revoked, for tests of what the default module takes back: what a plan asks for
// is ending from then on, until the test ends it.

#include "allocator/drf/drf.hpp"
#include "tests/support/allocator_cluster.hpp"

#include <deque>

namespace fairlead::tests {

class AllocatorTown {
  public:
    using TaskEntry = allocator::TaskEntry;
    using Length = AllocatorCluster::Length;

    explicit AllocatorTown(std::uint64_t seed = 1) : drf(seed) { cluster.policy.patience = std::chrono::seconds(30); }

    TaskEntry& run(allocator::FrameworkSlot framework, allocator::AgentSlot agent, const char* what) {
        return run(framework, agent, AllocatorCluster::parsed(what));
    }
    TaskEntry& run(allocator::FrameworkSlot framework, allocator::AgentSlot agent, const resources::Resources& what,
                   Length length = Length::any) {
        cluster.hold(framework, agent, what, 0, length);
        TaskEntry task;
        task.id = base::TaskId("t" + std::to_string(next_task_++));
        task.framework = framework;
        task.role = cluster.claim(framework).role;
        task.agent = agent;
        task.resources = &held_.emplace_back(what);
        task.is_short = length == Length::is_short;
        return cluster.tasks.all.emplace_back(task);
    }
    // Words of gangs have to outlive the entries.
    void join_gang(TaskEntry& task, const std::string& gang) { task.gang = words_.emplace_back(gang); }

    allocator::Plan plan() {
        const auto plan = cluster.plan(drf);
        for (const auto& line : plan.revocations) entry(line.framework, line.task).ending = true;
        for (const auto& line : plan.call_offs) {
            const auto& one = entry(line.framework, line.task);
            for (auto& task : cluster.tasks.all)
                if (task.id == one.id || (!one.gang.empty() && task.gang == one.gang && task.framework == one.framework)) {
                    task.ending = false;
                    cluster.open(task.agent);
                }
        }
        return plan;
    }
    // The plan after this much time, and after the one in which needs are noticed.
    allocator::Plan plan_after(base::Duration time) {
        plan();
        cluster.now += time;
        return plan();
    }
    void end(const base::TaskId& id) {
        auto& all = cluster.tasks.all;
        const auto task = std::find_if(all.begin(), all.end(), [&](const TaskEntry& one) { return one.id == id; });
        cluster.give_back(task->framework, task->agent, *task->resources, 0,
                          task->is_short ? Length::is_short : Length::any);
        all.erase(task);
    }
    bool has(const base::TaskId& id) const {
        const auto& all = cluster.tasks.all;
        return std::any_of(all.begin(), all.end(), [&](const TaskEntry& task) { return task.id == id; });
    }
    TaskEntry& entry(allocator::FrameworkSlot framework, const base::TaskId& id) {
        return *std::find_if(cluster.tasks.all.begin(), cluster.tasks.all.end(), [&](const TaskEntry& task) {
            return task.framework == framework && task.id == id;
        });
    }

    AllocatorCluster cluster;
    allocator::drf::Drf drf;

  private:
    std::deque<resources::Resources> held_;
    std::deque<std::string> words_;
    int next_task_ = 0;
};

}  // namespace fairlead::tests
