#pragma once
// What a leader says of tasks by itself, not as an agent tells it: answers to questions, and what becomes of tasks whose
// agents stay away. Judged when it decides to say it, by what is true on the hosts in that moment.
//
//   unknown, gone, lost   of no task that lives on a host, nor of one whose agent may still come back: then silence is
//                         the answer
//   unreachable           whose agent was given up, and has not come back with it
//   dropped               whose launch no master has passed on
//   an error              only what was launched on what the same call was to reserve, which may be refused
//   gone by an operator   nobody orders that here
//   silence               only where the agent is awaited; asked without an agent's name, where any is. Also of what this
//                         leader knows nothing of, where the agent may still serve an earlier one
//
// Who is not aware of partitions hears lost for all of the others. There is one excuse for denying a task that lives:
// the question does not name its agent, which was given up and has not been here in this term, so nobody can know whose
// task it is (reference 2.8).

#include "fairlead/v1/mesos.pb.h"
#include "tests/sim/checkers.hpp"
#include "tests/sim/terms.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace fairlead::sim {

struct Answer {
    Terms::Epoch epoch = 1;
    Checkers::TaskKey task;
    v1::TaskState state = v1::TASK_RUNNING;
    v1::TaskStatus::Reason reason = v1::TaskStatus::REASON_RECONCILIATION;
    enum class Hearer { aware_of_partitions, not_aware } hearer = Hearer::aware_of_partitions;
    enum class Asked { with_agent, without_agent } asked = Asked::with_agent;
};

class Answers {
  public:
    using TaskKey = Checkers::TaskKey;
    // It runs on a host, or its agent has a record by which it would tell of it, be it of its end.
    using Lives = std::function<bool(const TaskKey&)>;

    Answers(const Terms& terms, Lives lives, Checkers::Complain complain)
        : terms_(terms), lives_(std::move(lives)), complain_(std::move(complain)) {}

    void launched(const TaskKey& task, const std::string& agent) { agents_[task] = agent; }
    void built_on_a_reservation(const TaskKey& task) { on_a_reservation_.insert(task); }
    // At a master, with the call that launches it.
    void arrived(const TaskKey& task) { arrived_.insert(task); }
    // Its launch, by a master to its agent.
    void passed_on(Terms::Epoch epoch, const TaskKey& task) {
        passed_on_.insert(task);
        known_to_.emplace(epoch, task);
    }
    // Its agent has brought it as it registered.
    void brought_to(Terms::Epoch epoch, const TaskKey& task) { known_to_.emplace(epoch, task); }
    // At a master, where it is an agent's word from then on.
    // Its agent has decided how it ended; no master has heard of that yet.
    void ended(const TaskKey& task) { on_its_way_.insert(task); }
    void told_by_agent(const TaskKey& task, v1::TaskState state) {
        told_.emplace(task, state);
        on_its_way_.erase(task);
    }

    void said(const Answer& answer) const;
    // To a question that was taken: of a task by name, or of one that runs and was not named, as all were asked for.
    // Its question has overtaken its launch, and no master can know of it yet.
    bool is_still_to_come(const TaskKey& task) const { return !arrived_.contains(task); }
    void said_nothing(Terms::Epoch epoch, const TaskKey& task, Answer::Asked asked) const;
    void left_out(Terms::Epoch epoch, const TaskKey& task) const;
    const std::string& agent_of(const TaskKey& task) const;  // empty: nobody has launched it

  private:
    bool is_an_agents_word(const Answer& answer) const;
    bool is_refusal(const Answer& answer) const;
    bool is_known_to_live(Terms::Epoch epoch, const TaskKey& task) const;
    bool nobody_can_know(const Answer& answer, const std::string& agent) const;
    void check_denial(const Answer& answer) const;
    void check_unreachable(const Answer& answer) const;

    const Terms& terms_;
    Lives lives_;
    Checkers::Complain complain_;
    std::map<TaskKey, std::string> agents_;
    std::set<TaskKey> on_a_reservation_;
    std::set<TaskKey> arrived_;
    std::set<TaskKey> passed_on_;
    std::set<std::pair<Terms::Epoch, TaskKey>> known_to_;
    std::set<std::pair<TaskKey, v1::TaskState>> told_;
    std::set<TaskKey> on_its_way_;  // word of its end
};

}  // namespace fairlead::sim
