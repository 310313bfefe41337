// The life of tasks: launched, started, stopped, ended, forgotten.

#include "common/base/uuid.hpp"
#include "common/resources/wire.hpp"
#include "nodeagentd/core/core.hpp"
#include "nodeagentd/core/status.hpp"

namespace fairlead::nodeagentd::core {

using Record = internal::ContainerRecord;

Container& Core::add_container(const base::FrameworkId& framework_id, v1::TaskInfo task) {
    const base::ContainerId id(base::Uuid::draw(prng_).text());
    Container& container = state_.containers[id];
    auto& record = container.record;
    record.set_phase(Record::WAITING);  // holds nothing until it is started
    record.set_boot_id(options_.boot_id);
    record.mutable_framework_id()->set_value(framework_id.value());
    record.mutable_container_id()->set_value(id.value());
    record.set_unit("");
    record.set_sandbox(
        sandbox_path(options_.command, framework_id.value(), task.task_id().value(), id.value()));
    state_.tasks[{framework_id, base::TaskId(task.task_id().value())}] = id;
    *record.mutable_task_info() = std::move(task);
    touch(container);
    return container;
}

void Core::launch(const internal::LaunchTasks& message) {
    const base::FrameworkId framework_id(message.framework_info().id().value());
    auto [framework, is_new] = state_.frameworks.try_emplace(framework_id);
    if (is_new ||
        framework->second.SerializeAsString() != message.framework_info().SerializeAsString()) {
        framework->second = message.framework_info();
        output_.persist.push_back(PersistFramework{[&] {
            internal::FrameworkRecord record;
            *record.mutable_framework_info() = message.framework_info();
            return record;
        }()});
    }
    for (const auto& task : message.tasks()) launch_one(message.framework_info(), task);
}

void Core::launch_one(const v1::FrameworkInfo& framework, const v1::TaskInfo& task) {
    const base::FrameworkId framework_id(framework.id().value());
    const base::TaskId task_id(task.task_id().value());
    if (auto* known = find(framework_id, task_id)) {
        report(Report::Kind::task_refused, "a task with this id is already here", known);
        send_first_pending(*known);
        return;
    }
    if (has_left_too_many_ends(framework_id)) {
        ++state_.tasks_refused;
        return tell_once(framework_id, task_id,
                         make_status(v1::TASK_DROPPED, v1::TaskStatus::SOURCE_AGENT,
                                     "The framework has left " + std::to_string(state_.ended.of(framework_id)) +
                                         " ended tasks on this agent unacknowledged, and more are not launched",
                                     v1::TaskStatus::REASON_INVALID_OFFERS));
    }
    Container& container = add_container(framework_id, task);
    auto resources = resources::from_wire(task.resources());
    if (!resources)
        return refuse(container, v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
                      resources.error().message());
    if (!state_.total.contains(*resources))
        return refuse(container, v1::TASK_DROPPED, v1::TaskStatus::REASON_RESOURCES_UNKNOWN,
                      "This agent does not have " + resources->to_string());
    if (auto plan = plan_command(options_.command, framework, container.record, *resources); !plan)
        return refuse(container, v1::TASK_FAILED, v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED,
                      plan.error().message());
    container.resources = std::move(*resources);
    admit(container, framework);
}

bool Core::has_left_too_many_ends(const base::FrameworkId& framework_id) {
    const std::size_t own = state_.ended.of(framework_id);
    if (!options_.unacknowledged_ends.is_reached(own, state_.ended.total())) return false;
    if (reported_for_ends_.insert(framework_id).second) {
        report(Report::Kind::ends_unacknowledged,
               "framework " + framework_id.value() + " has left " + std::to_string(own) +
                   " ended tasks unacknowledged: what it launches is dropped until it acknowledges them");
        output_.reports.back().framework_id = framework_id;
    }
    return true;
}

// Nothing is kept of it, and there is nothing to acknowledge. Where it does not arrive the master asks for the task when
// this agent registers again.
void Core::tell_once(const base::FrameworkId& framework_id, const base::TaskId& task_id, v1::TaskStatus status) {
    status.mutable_task_id()->set_value(task_id.value());
    status.mutable_agent_id()->set_value(state_.agent_id.value());
    status.mutable_executor_id()->set_value(task_id.value());
    status.set_timestamp(base::seconds_since_1970(now_.wall));
    auto message = std::make_shared<internal::FromAgent>();
    auto& update = *message->mutable_status_update();
    update.mutable_framework_id()->set_value(framework_id.value());
    update.set_latest_state(status.state());
    *update.mutable_status() = std::move(status);
    send(std::move(message));
}

void Core::refuse(Container& container, v1::TaskState state, v1::TaskStatus::Reason reason,
                  const std::string& why) {
    ++state_.tasks_refused;
    report(Report::Kind::task_refused, why, &container);
    end(container, make_status(state, v1::TaskStatus::SOURCE_AGENT, why, reason));
}

// A waiting one starts where what it needs is free, and goes on waiting where a removed framework
// is about to give it back.
void Core::admit(Container& container, const v1::FrameworkInfo& framework) {
    const auto& wanted = container.resources;
    if (state_.free().contains(wanted)) return start(container, framework);
    auto soon = state_.total;
    if (soon.try_subtract(state_.used - state_.discarded) && soon.contains(wanted)) return;
    refuse(container, v1::TASK_DROPPED, v1::TaskStatus::REASON_INVALID_OFFERS,
           wanted.to_string() + " is not free on this agent, only " + state_.free().to_string());
}

void Core::start(Container& container, const v1::FrameworkInfo& framework) {
    auto plan = plan_command(options_.command, framework, container.record, container.resources);
    if (!plan) {  // was planned once when it was launched: the options have not changed since
        end(container,
            make_status(v1::TASK_FAILED, v1::TaskStatus::SOURCE_AGENT, plan.error().message(),
                        v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED));
        return;
    }
    enter(container, Record::STARTING);
    take_resources(container);
    const bool unchecked = container.task().has_health_check() || container.task().has_check();
    update(container, make_status(v1::TASK_STARTING, v1::TaskStatus::SOURCE_EXECUTOR,
                                  unchecked ? "Checks are not run by this agent" : ""));
    report(Report::Kind::task_launched, "task launched", &container);
    output_.actions.push_back(std::move(*plan));
}

// Not before everything that the last process left has been heard of: what nobody has answered for
// may still run.
void Core::admit_waiting() {
    if (!state_.settled) return;
    std::vector<base::ContainerId> waiting;
    for (const auto& [id, container] : state_.containers)
        if (container.phase() == Record::WAITING) waiting.push_back(id);
    for (const auto& id : waiting) {
        Container& container = *find(id);
        const auto framework =
            state_.frameworks.find(base::FrameworkId(container.record.framework_id().value()));
        if (framework != state_.frameworks.end())
            admit(container, framework->second);
        else
            refuse(container, v1::TASK_DROPPED, v1::TaskStatus::REASON_AGENT_RESTARTED,
                   "The agent has lost the record of the framework");
    }
}

void Core::enter(Container& container, Phase phase) {
    if (phase == Record::ENDED && container.phase() != Record::ENDED)
        state_.ended.add(base::FrameworkId(container.record.framework_id().value()));
    container.record.set_phase(phase);
    touch(container);
}

// Precondition: they can be added to what is in use.
void Core::take_resources(Container& container) {
    state_.used.add(container.resources);
    if (container.record.discarded()) state_.discarded.add(container.resources);
}

void Core::give_back_resources(Container& container) {
    if (!container.holds_resources()) return;
    state_.used.subtract(container.resources);
    if (container.record.discarded()) state_.discarded.subtract(container.resources);
    state_.overcommitted = state_.overcommitted && !state_.total.contains(state_.used);
}

void Core::handle(const ContainerStarted& input) {
    auto* container = find(input.container_id);
    if (container == nullptr || !container->holds_resources()) return;
    container->unheard = false;
    container->pid = input.pid;
    if (container->record.unit() != input.unit) {
        container->record.set_unit(input.unit);
        touch(*container);
    }
    const bool was_told = container->phase() == Record::RUNNING;
    if (container->record.kill_requested()) {
        // Asked before it ran, or by the last process: only repeat what may not have been heard.
        std::optional<base::Duration> grace;
        if (container->record.has_kill_deadline_boot_ns())
            grace = std::max(base::Duration(container->record.kill_deadline_boot_ns()) - now_.instant.time_since_epoch(),
                             base::Duration::zero());
        output_.actions.push_back(StopContainer{input.container_id, grace});
        return;
    }
    if (was_told) return;
    enter(*container, Record::RUNNING);
    report(Report::Kind::task_running, "task runs", container);
    update(*container, make_status(v1::TASK_RUNNING, v1::TaskStatus::SOURCE_EXECUTOR, ""));
}

void Core::handle(const ContainerStartFailed& input) {
    auto* container = find(input.container_id);
    if (container == nullptr || !container->holds_resources()) return;
    if (container->record.kill_requested()) {
        end(*container, killed_before_start(*container));
    } else if (container->unheard) {
        end(*container, make_status(v1::TASK_DROPPED, v1::TaskStatus::SOURCE_AGENT,
                                    "The agent was restarted before the task had started",
                                    v1::TaskStatus::REASON_AGENT_RESTARTED));
    } else {
        end(*container, make_status(v1::TASK_FAILED, v1::TaskStatus::SOURCE_AGENT, input.message,
                                    v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED));
    }
}

void Core::handle(const ContainerEnded& input) {
    auto* container = find(input.container_id);
    if (container == nullptr || !container->holds_resources()) return;
    // A task that ended while no agent was there to see it start has still run.
    if (container->unheard && input.cause != ContainerEnded::Cause::lost)
        enter(*container, Record::RUNNING);
    end(*container, end_status(*container, input));
}

void Core::end(Container& container, v1::TaskStatus status) {
    switch (status.state()) {
        case v1::TASK_FINISHED:
            ++state_.tasks_finished;
            break;
        case v1::TASK_KILLED:
            ++state_.tasks_killed;
            break;
        default:
            ++state_.tasks_failed;
            break;
    }
    const bool held = container.holds_resources();
    give_back_resources(container);
    enter(container, Record::ENDED);
    container.unheard = false;
    report(Report::Kind::task_ended,
           v1::TaskState_Name(status.state()) + (status.message().empty() ? "" : ": ") +
               status.message(),
           &container);
    update(container, std::move(status));
    if (held) output_.actions.push_back(ReleaseContainer{id_of(container)});
    if (container.record.discarded()) {
        remember(container);
        forget(container);
    }
    if (held) admit_waiting();
}

void Core::kill(const internal::KillTask& message) {
    const base::FrameworkId framework_id(message.framework_id().value());
    const base::TaskId task_id(message.task_id().value());
    auto* container = find(framework_id, task_id);
    if (container == nullptr) {
        auto status = make_status(v1::TASK_DROPPED, v1::TaskStatus::SOURCE_AGENT,
                                  "A kill for a task that is not on this agent",
                                  v1::TaskStatus::REASON_EXECUTOR_TERMINATED);
        return has_left_too_many_ends(framework_id) ? tell_once(framework_id, task_id, std::move(status))
                                                    : answer_unknown(framework_id, task_id, std::move(status));
    }
    if (message.has_reason() && !container->record.kill_requested()) {
        container->record.set_kill_reason(message.reason());
        container->record.set_kill_message(message.message());
    }
    std::optional<base::Duration> grace;
    if (message.kill_policy().has_grace_period())
        grace = base::Duration(message.kill_policy().grace_period().nanoseconds());
    kill(*container, grace);
}

void Core::kill(Container& container, std::optional<base::Duration> grace) {
    if (container.phase() == Record::ENDED) return send_first_pending(container);
    if (container.phase() == Record::WAITING) return end(container, killed_before_start(container));
    if (!container.record.kill_requested()) {
        const std::string& why = container.record.kill_message();
        report(Report::Kind::task_killing, "kill requested" + (why.empty() ? "" : ": " + why), &container);
        const base::FrameworkId framework_id(container.record.framework_id().value());
        if (container.phase() == Record::RUNNING &&
            has_capability(framework_id, v1::FrameworkInfo::Capability::TASK_KILLING_STATE))
            update(container, make_status(v1::TASK_KILLING, v1::TaskStatus::SOURCE_EXECUTOR, why));
    }
    stop(container, grace);
}

void Core::stop(Container& container, std::optional<base::Duration> grace) {
    base::Duration effective = kill_grace(container.task(), options_.command);
    if (grace) effective = std::max(*grace, base::Duration::zero());
    const auto deadline = now_.instant + effective;
    if (container.record.kill_requested() && container.kill_deadline &&
        deadline >= *container.kill_deadline)
        return;  // a later kill may only shorten
    container.kill_deadline = deadline;
    container.record.set_kill_requested(true);
    if (grace)
        container.record.set_kill_deadline_boot_ns((now_.instant.time_since_epoch() + effective).count());
    touch(container);
    output_.actions.push_back(StopContainer{
        id_of(container), grace ? std::optional<base::Duration>(effective) : std::nullopt});
}

// What a framework that knows nothing of partitions is told instead is decided by the master, which has its
// capabilities also where this agent has never heard of it.
void Core::answer_unknown(const base::FrameworkId& framework_id, const base::TaskId& task_id, v1::TaskStatus status) {
    v1::TaskInfo task;
    task.set_name(task_id.value());
    task.mutable_task_id()->set_value(task_id.value());
    task.mutable_agent_id()->set_value(state_.agent_id.value());
    Container& container = add_container(framework_id, std::move(task));
    enter(container, Record::ENDED);
    report(Report::Kind::task_ended, v1::TaskState_Name(status.state()) + ": " + status.message(), &container);
    // An end that a master has heard of already stays the same update.
    if (status.has_uuid())
        queue(container, std::move(status));
    else
        update(container, std::move(status));
}

void Core::update_framework(const v1::FrameworkInfo& framework) {
    const base::FrameworkId id(framework.id().value());
    // Where its record was lost, its tasks are there.
    const auto task = state_.tasks.lower_bound({id, base::TaskId()});
    if (task == state_.tasks.end() || task->first.first != id) return;
    state_.frameworks[id] = framework;
    PersistFramework persist;
    *persist.record.mutable_framework_info() = framework;
    output_.persist.push_back(std::move(persist));
    // Another scheduler may have it, which has not heard what its predecessor did not acknowledge.
    for (const auto& id : state_.updates.containers())
        if (const Container& container = *find(id); container.record.framework_id().value() == framework.id().value())
            send_first_pending(container);
}

void Core::shutdown_framework(const base::FrameworkId& framework_id) {
    std::vector<base::ContainerId> of_framework;
    for (auto& [id, container] : state_.containers)
        if (container.record.framework_id().value() == framework_id.value())
            of_framework.push_back(id);
    if (!of_framework.empty())
        report(Report::Kind::framework_shut_down,
               "framework is gone, " + std::to_string(of_framework.size()) + " tasks with it");
    for (const auto& id : of_framework) {
        Container& container = *find(id);
        if (container.record.discarded() && container.holds_resources()) continue;
        container.record.set_discarded(true);
        state_.updates.drop(id);
        if (!container.holds_resources()) {
            if (container.phase() == Record::WAITING) update(container, killed_before_start(container));
            remember(container);
            forget(container);
            continue;
        }
        state_.discarded.add(container.resources);
        touch(container);
        stop(container, std::nullopt);
    }
    auto message = std::make_shared<internal::FromAgent>();
    message->mutable_framework_forgotten()->mutable_framework_id()->set_value(framework_id.value());
    send(std::move(message));
}

void Core::forget(Container& container) {
    const auto id = id_of(container);
    const base::FrameworkId framework_id(container.record.framework_id().value());
    state_.updates.drop(id);
    if (container.phase() == Record::ENDED) {
        state_.ended.remove(framework_id);
        if (options_.unacknowledged_ends.is_left_again(state_.ended.of(framework_id), state_.ended.total()))
            reported_for_ends_.erase(framework_id);
    }
    state_.tasks.erase({framework_id, base::TaskId(container.task().task_id().value())});
    dirty_.erase(id);
    output_.persist.push_back(ForgetContainer{id});
    state_.containers.erase(id);
    const auto next = state_.tasks.lower_bound({framework_id, base::TaskId()});
    if (next != state_.tasks.end() && next->first.first == framework_id) return;
    if (state_.frameworks.erase(framework_id) > 0)
        output_.persist.push_back(ForgetFramework{framework_id});
}

}  // namespace fairlead::nodeagentd::core
