#include "tests/sim/answers.hpp"

#include <fmt/format.h>

namespace fairlead::sim {

namespace {

std::string text(const Checkers::TaskKey& task) { return fmt::format("{} of {}", task.second, task.first); }

std::string claim(const Answer& answer) {
    return fmt::format("{} is said to be {}", text(answer.task), v1::TaskState_Name(answer.state));
}

}  // namespace

const std::string& Answers::agent_of(const TaskKey& task) const {
    static const std::string nobody;
    const auto found = agents_.find(task);
    return found == agents_.end() ? nobody : found->second;
}

// What an agent says of its tasks is judged where it is heard (checkers.hpp).
bool Answers::is_an_agents_word(const Answer& answer) const {
    const auto has_told = [&](v1::TaskState state) { return told_.contains({answer.task, state}); };
    if (answer.state == v1::TASK_LOST && answer.hearer == Answer::Hearer::not_aware)
        return has_told(v1::TASK_DROPPED) || has_told(v1::TASK_GONE);
    return has_told(answer.state);
}

// Of a launch: its offer is not there any more.
bool Answers::is_refusal(const Answer& answer) const {
    return answer.reason != v1::TaskStatus::REASON_RECONCILIATION &&
           answer.reason != v1::TaskStatus::REASON_AGENT_REMOVED;
}

void Answers::said(const Answer& answer) const {
    if (is_an_agents_word(answer)) return;
    switch (answer.state) {
        case v1::TASK_UNREACHABLE: return check_unreachable(answer);
        case v1::TASK_GONE_BY_OPERATOR: return complain_(claim(answer) + ", and no operator has said so");
        case v1::TASK_ERROR:
            if (!on_a_reservation_.contains(answer.task)) complain_(claim(answer) + ", and nothing was wrong with it");
            return;
        case v1::TASK_DROPPED:
        case v1::TASK_UNKNOWN:
        case v1::TASK_GONE:
        case v1::TASK_LOST: break;
        default: return;
    }
    if (!is_refusal(answer)) return check_denial(answer);
    if (passed_on_.contains(answer.task)) complain_(claim(answer) + ", and its launch was passed on to its agent");
}

bool Answers::nobody_can_know(const Answer& answer, const std::string& agent) const {
    const bool is_unknown = answer.state == v1::TASK_UNKNOWN || answer.hearer == Answer::Hearer::not_aware;
    return is_unknown && answer.asked == Answer::Asked::without_agent && terms_.is_given_up(answer.epoch, agent) &&
           !terms_.has_been_here(answer.epoch, agent);
}

void Answers::check_denial(const Answer& answer) const {
    const std::string& agent = agent_of(answer.task);
    if (answer.state == v1::TASK_DROPPED) return complain_(claim(answer) + ", and its agent has not said so");
    if (terms_.is_awaited(answer.epoch, agent)) return complain_(claim(answer) + ", and its agent may still come back");
    if (terms_.may_serve_another(answer.epoch, agent))
        return complain_(claim(answer) + ", and its agent may still serve an earlier leader");
    if (!lives_(answer.task)) return;
    const bool is_unreachable = answer.state == v1::TASK_LOST && answer.hearer == Answer::Hearer::not_aware &&
                                terms_.is_given_up(answer.epoch, agent);
    if (!is_unreachable && !nobody_can_know(answer, agent)) complain_(claim(answer) + ", and its host has it");
}

// One that is back without it has still to answer for it, or its answer is on its way.
void Answers::check_unreachable(const Answer& answer) const {
    const std::string& agent = agent_of(answer.task);
    if (answer.hearer == Answer::Hearer::not_aware)
        complain_(claim(answer) + " to a framework that does not know what that is");
    if (terms_.is_given_up(answer.epoch, agent)) return;
    if (!terms_.was_given_up(answer.epoch, agent)) return complain_(claim(answer) + ", and its agent was not given up");
    if (!on_its_way_.contains(answer.task) && lives_(answer.task))
        complain_(claim(answer) + ", and its agent is back with it");
}

bool Answers::is_known_to_live(Terms::Epoch epoch, const TaskKey& task) const {
    return known_to_.contains({epoch, task}) && terms_.is_here(epoch, agent_of(task)) && lives_(task);
}

void Answers::said_nothing(Terms::Epoch epoch, const TaskKey& task, Answer::Asked asked) const {
    const bool is_named = asked == Answer::Asked::with_agent;
    const bool is_awaited = is_named ? terms_.is_awaited(epoch, agent_of(task)) : terms_.any_awaited(epoch);
    const bool may_be_elsewhere =
        is_named ? terms_.may_serve_another(epoch, agent_of(task)) : terms_.any_may_serve_another(epoch);
    if (is_awaited || (may_be_elsewhere && !is_known_to_live(epoch, task))) return;
    complain_("a question about " + text(task) + " is not answered, and its agent is not awaited");
}

void Answers::left_out(Terms::Epoch epoch, const TaskKey& task) const {
    const bool may_be_elsewhere = terms_.may_serve_another(epoch, agent_of(task));
    if (may_be_elsewhere ? is_known_to_live(epoch, task) : terms_.is_here(epoch, agent_of(task)))
        complain_("whoever asks for all tasks is not told of " + text(task) + ", which runs on an agent that is here");
}

}  // namespace fairlead::sim
