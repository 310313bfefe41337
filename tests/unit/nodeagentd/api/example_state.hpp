#pragma once
// A registered agent with one framework: one task runs, one waits, one has ended.

#include "nodeagentd/core/state.hpp"

namespace fairlead::nodeagentd::api {

inline core::Container& add_container(core::State& state, const std::string& task,
                                      internal::ContainerRecord::Phase phase, v1::TaskState told) {
    const base::ContainerId id("container-" + task);
    core::Container& container = state.containers[id];
    container.record.set_phase(phase);
    container.resources = resources::Resources::parse("cpus:0.5;mem:64;ports:[31000-31001]").value();
    auto& record = container.record;
    record.mutable_framework_id()->set_value("f");
    record.mutable_container_id()->set_value(id.value());
    record.set_unit(task + ".scope");
    record.set_sandbox("/srv/sandboxes/f/" + task + "/" + id.value());
    auto& info = *record.mutable_task_info();
    info.set_name("name of " + task);
    info.mutable_task_id()->set_value(task);
    info.mutable_agent_id()->set_value("A");
    info.mutable_command()->set_value("sleep 1000 and more");
    record.mutable_latest_status()->mutable_task_id()->set_value(task);
    record.mutable_latest_status()->set_state(told);
    record.mutable_latest_status()->set_timestamp(1000);
    state.tasks[{base::FrameworkId("f"), base::TaskId(task)}] = id;
    return container;
}

inline core::State example_state() {
    core::State state;
    state.agent_id = base::AgentId("A");
    state.settled = state.registered = true;
    state.link = core::LinkId{1};
    state.master = "master1:5050";
    state.total = resources::Resources::parse("cpus:4;mem:7000;disk:100;ports:[31000-32000]").value();
    state.used = resources::Resources::parse("cpus:1;mem:64;ports:[31000-31001]").value();
    state.tasks_finished = 5;
    auto& framework = state.frameworks[base::FrameworkId("f")];
    framework.set_user("root");
    framework.set_name("F");
    framework.add_roles("web");
    using Record = internal::ContainerRecord;
    add_container(state, "running", Record::RUNNING, v1::TASK_RUNNING).pid = 42;
    add_container(state, "waiting", Record::WAITING, v1::TASK_STAGING);
    add_container(state, "ended", Record::ENDED, v1::TASK_FAILED);
    return state;
}

}  // namespace fairlead::nodeagentd::api
