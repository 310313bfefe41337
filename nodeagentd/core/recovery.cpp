// A new process takes over: first what the checkpoints say, then what the runtime finds, then the master hears of it.
// What an earlier boot left has ended with it (reboot.hpp). Records are read as they stand; what a disk or an
// administrator made of them costs at most the tasks concerned, never the agent.

#include "common/resources/wire.hpp"
#include "nodeagentd/core/command.hpp"
#include "nodeagentd/core/core.hpp"
#include "nodeagentd/core/reboot.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::core {

using Record = internal::ContainerRecord;

void Core::handle(const Recovered& input) {
    if (input.agent) {
        state_.agent_id = base::AgentId(input.agent->agent_id().value());
        state_.cluster_id = input.agent->cluster_id();
        state_.highest_epoch = input.agent->highest_epoch();
        state_.registered_boot_id = input.agent->boot_id();
        recover_reservations(*input.agent);
    }
    state_.unreadable = input.unreadable;
    for (const auto& framework : input.frameworks)
        state_.frameworks[base::FrameworkId(framework.framework_info().id().value())] =
            framework.framework_info();
    RecoverContainers recover;
    // A unit whose record cannot be read looks like one that nobody needs any more.
    recover.spare_strangers = !input.unreadable.empty();
    for (const auto& record : input.containers) {
        if (!take_back(record)) {
            output_.persist.push_back(
                ForgetContainer{base::ContainerId(record.container_id().value())});
            continue;
        }
        const Container& container = *find(base::ContainerId(record.container_id().value()));
        if (container.phase() == Record::ENDED)
            recover.ended.push_back({id_of(container), base::FrameworkId(record.framework_id().value()),
                                     base::TaskId(record.task_info().task_id().value())});
        if (!container.holds_resources()) continue;
        RecoverContainers::Known known{id_of(container),
                                       base::FrameworkId(record.framework_id().value()),
                                       base::TaskId(record.task_info().task_id().value()),
                                       std::nullopt, record.kill_requested()};
        if (record.task_info().has_max_completion_time())
            known.max_completion_time =
                base::Duration(record.task_info().max_completion_time().nanoseconds());
        if (const auto framework = state_.frameworks.find(known.framework_id);
            framework != state_.frameworks.end())
            known.framework_name = framework->second.name();
        known.cpus = container.resources.cpus().to_double();
        known.kill_grace = kill_grace(record.task_info(), options_.command);
        recover.known.push_back(std::move(known));
    }
    end_what_went_with_the_boot();
    forget_frameworks_without_tasks();
    state_.overcommitted = !state_.total.contains(state_.used);
    report(Report::Kind::recovered, "found " + std::to_string(input.containers.size()) +
                                        " containers in the checkpoints, " +
                                        std::to_string(recover.known.size()) + " not ended");
    if (state_.overcommitted)
        report(Report::Kind::recovered, "more is in use than this agent has: " +
                                            state_.used.to_string() + " of " +
                                            state_.total.to_string());
    output_.actions.push_back(std::move(recover));
}

// False: there is nothing left to do for it.
bool Core::take_back(const Record& record) {
    const base::ContainerId id(record.container_id().value());
    const std::pair key(base::FrameworkId(record.framework_id().value()),
                        base::TaskId(record.task_info().task_id().value()));
    const bool can_be_told = !record.discarded() && !record.pending_updates().empty();
    if (record.phase() == Record::ENDED && !can_be_told) return false;
    if (record.phase() == Record::WAITING && record.discarded()) return false;
    const bool went_with_the_boot = is_of_an_earlier_boot(record, options_.boot_id);
    if (went_with_the_boot && record.discarded()) return false;
    if (!state_.tasks.emplace(key, id).second) {
        report(Report::Kind::recovered,
               "task " + key.second.value() + " has two records; " + id.value() + " is dropped");
        return false;
    }
    if (state_.agent_id.empty())
        state_.agent_id = base::AgentId(record.task_info().agent_id().value());
    Container& container = state_.containers[id];
    container.record = record;
    container.record.clear_pending_updates();
    if (went_with_the_boot) container.record.set_phase(Record::ENDED);
    if (container.phase() == Record::ENDED) state_.ended.add(key.first);
    for (const auto& status : record.pending_updates()) state_.updates.push(id, status);
    if (auto resources = resources::from_wire(record.task_info().resources()))
        container.resources = std::move(*resources);
    else
        report(Report::Kind::recovered,
               "its resources cannot be read: " + resources.error().message(), &container);
    if (!container.holds_resources()) return true;
    container.unheard = true;
    if (record.has_kill_deadline_boot_ns())
        container.kill_deadline = base::Instant(base::Duration(record.kill_deadline_boot_ns()));
    if (!state_.used.addable(container.resources)) {
        report(Report::Kind::recovered, "it runs on what another task holds", &container);
        container.resources = {};
    }
    take_resources(container);
    return true;
}

// Where its end was written down it stands among the updates; of all others there is nothing to wait for.
void Core::end_what_went_with_the_boot() {
    for (auto& [id, container] : state_.containers) {
        if (!is_of_an_earlier_boot(container.record, options_.boot_id)) continue;
        if (const auto& pending = state_.updates.pending(id); !pending.empty() && is_terminal(pending.back().state()))
            continue;
        state_.updates.drop(id);
        end(container, gone_with_the_boot());
    }
}

void Core::forget_frameworks_without_tasks() {
    std::erase_if(state_.frameworks, [this](const auto& one) {
        const auto task = state_.tasks.lower_bound({one.first, base::TaskId()});
        if (task != state_.tasks.end() && task->first.first == one.first) return false;
        output_.persist.push_back(ForgetFramework{one.first});
        return true;
    });
}

// One of them may be the task of a record that cannot be read. It is nobody's to kill, and to say that it is not here
// would be a lie: so nothing is said until a person has looked.
void Core::handle(const StrangersSeen& input) {
    if (input.units.empty()) return;
    std::string units, files;
    for (const auto& unit : input.units) units += (units.empty() ? "" : ", ") + unit;
    for (const auto& id : state_.unreadable) files += (files.empty() ? "" : ", ") + id.value() + ".pb";
    output_.fatal = "records of tasks cannot be read (" + files + "), and nobody can say whose these units are: " + units +
                    "; they are left alone. The agent can be started again when they have ended or have been stopped";
}

// A master may still ask for their tasks. That none of them ran cannot be said any more, as little as after a reboot, and
// the next process, too, has to know that for as long as none is registered.
void Core::forget_unreadable() {
    if (state_.unreadable.empty()) return;
    if (!std::exchange(state_.registered_boot_id, {}).empty()) persist_agent();
    for (const auto& id : std::exchange(state_.unreadable, {})) output_.persist.push_back(SetAsideContainer{id});
}

void Core::handle(const RuntimeSettled&) {
    forget_unreadable();
    std::vector<base::ContainerId> silent;
    for (const auto& [id, container] : state_.containers)
        if (container.unheard) silent.push_back(id);
    for (const auto& id : silent) {
        if (find(id)->phase() == Record::STARTING) {
            handle(ContainerStartFailed{id, ""});
            continue;
        }
        ContainerEnded gone;
        gone.container_id = id;
        gone.cause = ContainerEnded::Cause::lost;
        gone.detail = "it was gone when the agent came back";
        handle(gone);
    }
    state_.settled = true;
    const auto running = std::count_if(state_.containers.begin(), state_.containers.end(),
                                       [](const auto& one) { return one.second.holds_resources(); });
    report(Report::Kind::settled, std::to_string(running) + " tasks of the last process taken back, " +
                                      std::to_string(silent.size()) + " are lost");
    admit_waiting();
    send_registration();
}

}  // namespace fairlead::nodeagentd::core
