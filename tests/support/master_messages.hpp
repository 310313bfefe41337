#pragma once
// Short ways to the messages that schedulers and agents send to a master. For tests and for the
// simulation; each returns a complete message that a test may change before it sends it.

#include "fairlead/internal/link.pb.h"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#include <initializer_list>
#include <string>
#include <vector>

namespace fairlead::tests {

inline v1::Resource scalar(const std::string& name, double amount) {
    v1::Resource resource;
    resource.set_name(name);
    resource.set_type(v1::Value::SCALAR);
    resource.mutable_scalar()->set_value(amount);
    return resource;
}

inline v1::Resource ports(std::uint64_t begin, std::uint64_t end) {
    v1::Resource resource;
    resource.set_name("ports");
    resource.set_type(v1::Value::RANGES);
    auto& range = *resource.mutable_ranges()->add_range();
    range.set_begin(begin);
    range.set_end(end);
    return resource;
}

using Capability = v1::FrameworkInfo::Capability;

inline v1::FrameworkInfo framework_info(std::initializer_list<Capability::Type> capabilities = {
                                            Capability::PARTITION_AWARE}) {
    v1::FrameworkInfo info;
    info.set_user("root");
    info.set_name("demo");
    for (const auto type : capabilities) info.add_capabilities()->set_type(type);
    return info;
}

inline v1::scheduler::Call call_of(const std::string& framework, v1::scheduler::Call::Type type) {
    v1::scheduler::Call call;
    call.mutable_framework_id()->set_value(framework);
    call.set_type(type);
    return call;
}

inline v1::scheduler::Call subscribe_call(const v1::FrameworkInfo& info) {
    v1::scheduler::Call call;
    call.set_type(v1::scheduler::Call::SUBSCRIBE);
    *call.mutable_subscribe()->mutable_framework_info() = info;
    if (info.has_id()) *call.mutable_framework_id() = info.id();
    return call;
}

inline v1::TaskInfo command_task(const std::string& id, const std::string& agent, double cpus = 1,
                                 double mem = 32) {
    v1::TaskInfo task;
    task.set_name("task " + id);
    task.mutable_task_id()->set_value(id);
    task.mutable_agent_id()->set_value(agent);
    *task.add_resources() = scalar("cpus", cpus);
    *task.add_resources() = scalar("mem", mem);
    task.mutable_command()->set_value("true");
    return task;
}

inline v1::scheduler::Call accept_call(const std::string& framework,
                                       const std::vector<std::string>& offers,
                                       const std::vector<v1::TaskInfo>& tasks) {
    auto call = call_of(framework, v1::scheduler::Call::ACCEPT);
    for (const auto& id : offers) call.mutable_accept()->add_offer_ids()->set_value(id);
    if (offers.empty()) call.mutable_accept();
    auto& operation = *call.mutable_accept()->add_operations();
    operation.set_type(v1::Offer::Operation::LAUNCH);
    operation.mutable_launch();
    for (const auto& task : tasks) *operation.mutable_launch()->add_task_infos() = task;
    return call;
}

inline v1::AgentInfo agent_info(const std::string& hostname, double cpus = 4, double mem = 1024) {
    v1::AgentInfo info;
    info.set_hostname(hostname);
    *info.add_resources() = scalar("cpus", cpus);
    *info.add_resources() = scalar("mem", mem);
    *info.add_resources() = ports(31000, 31099);
    return info;
}

inline internal::FromAgent register_message(const v1::AgentInfo& info) {
    internal::FromAgent message;
    auto& registration = *message.mutable_register_();
    *registration.mutable_agent_info() = info;
    registration.set_version("0.1.0");
    registration.set_boot_id("boot");
    return message;
}

inline v1::Task task_on_agent(const std::string& framework, const std::string& id,
                              const std::string& agent, v1::TaskState state) {
    v1::Task task;
    task.set_name(id);
    task.mutable_task_id()->set_value(id);
    task.mutable_framework_id()->set_value(framework);
    task.mutable_agent_id()->set_value(agent);
    task.set_state(state);
    *task.add_resources() = scalar("cpus", 1);
    *task.add_resources() = scalar("mem", 32);
    return task;
}

inline internal::FromAgent status_update(const std::string& framework, const std::string& task,
                                         v1::TaskState state, const std::string& uuid) {
    internal::FromAgent message;
    auto& update = *message.mutable_status_update();
    update.mutable_framework_id()->set_value(framework);
    update.mutable_status()->mutable_task_id()->set_value(task);
    update.mutable_status()->set_state(state);
    update.mutable_status()->set_source(v1::TaskStatus::SOURCE_EXECUTOR);
    update.mutable_status()->set_uuid(uuid);
    update.set_latest_state(state);
    return message;
}

}  // namespace fairlead::tests
