#include "common/resources/reserving.hpp"
#include "common/resources/resource_sums.hpp"
#include "common/resources/wire.hpp"
#include "common/wire/json_text.hpp"
#include "nodeagentd/api/views.hpp"

namespace fairlead::nodeagentd::api {
namespace {

using core::Container;
using Record = internal::ContainerRecord;
using resources::Resources;
using wire::JsonText;

void write_resources(JsonText& json, const Resources& resources) { resources::ResourceSums(resources).write(json); }

// As the wire has them, with all that they are reserved for.
void write_in_full(JsonText& json, const Resources& resources) {
    resources::WireResources wire;
    resources::to_wire(resources, resources::ReservationFormat::stack, nullptr, wire);
    json.array();
    for (const auto& one : wire) json.message(one);
    json.end_array();
}

template <typename Write>
void write_by_role(JsonText& json, const Resources& resources, Write write) {
    json.object();
    for (const auto& [role, reserved] : resources::reserved_by_role(resources)) {
        json.key(role.value());
        write(json, reserved);
    }
    json.end_object();
}

void write_what_there_is(JsonText& json, const core::State& state) {
    json.key("resources");
    write_resources(json, state.total);
    json.key("reserved_resources");
    write_by_role(json, state.total, write_resources);
    json.key("unreserved_resources");
    write_resources(json, state.total.unreserved());
    json.key("reserved_resources_full");
    write_by_role(json, state.total, write_in_full);
    json.key("unreserved_resources_full");
    write_in_full(json, state.total.unreserved());
    json.key("reserved_resources_allocated");
    write_by_role(json, state.used, write_resources);
    json.key("unreserved_resources_allocated");
    write_resources(json, state.used.unreserved());
    json.key("used_resources");
    write_resources(json, state.used);
}

void write_labels(JsonText& json, const v1::Labels& labels) {
    json.key("labels").array();
    for (const auto& label : labels.labels()) json.message(label);
    json.end_array();
}

std::string role_of(const v1::TaskInfo& task, const v1::FrameworkInfo& framework) {
    for (const auto& resource : task.resources())
        if (resource.allocation_info().has_role()) return resource.allocation_info().role();
    return framework.roles().empty() ? framework.role() : framework.roles(0);
}

void write_task(JsonText& json, const Container& container, const v1::FrameworkInfo& framework) {
    const auto& task = container.task();
    const bool told = container.record.has_latest_status();
    json.object();
    json.key("id").text(task.task_id().value()).key("name").text(task.name());
    json.key("framework_id").text(container.record.framework_id().value());
    json.key("executor_id").text("");
    json.key("slave_id").text(task.agent_id().value());
    json.key("state").text(v1::TaskState_Name(told ? container.record.latest_status().state() : v1::TASK_STAGING));
    json.key("resources");
    write_resources(json, container.resources);
    json.key("role").text(role_of(task, framework));
    json.key("statuses").array();
    if (told) {
        const auto& status = container.record.latest_status();
        json.object().key("state").text(v1::TaskState_Name(status.state()));
        json.key("timestamp").number(status.timestamp());
        if (status.has_container_status()) json.key("container_status").message(status.container_status());
        if (status.has_message()) json.key("message").text(status.message());
        json.end_object();
    }
    json.end_array();
    if (task.has_discovery()) json.key("discovery").message(task.discovery());
    if (task.has_container()) json.key("container").message(task.container());
    if (task.has_health_check()) json.key("health_check").message(task.health_check());
    if (task.command().has_user()) json.key("user").text(task.command().user());
    write_labels(json, task.labels());
    json.end_object();
}

std::string executor_name(const v1::TaskInfo& task) {
    constexpr std::size_t shown = 12;
    const auto& command = task.command();
    std::string text;
    if (command.shell()) {
        text = "sh -c '" + command.value().substr(0, shown) + (command.value().size() > shown ? "...'" : "'");
    } else {
        text = "[" + command.value();
        for (int i = 1; i < command.arguments_size(); ++i) text += ", " + command.arguments(i);
        text += "]";
    }
    return "Command Executor (Task: " + task.task_id().value() + ") (Command: " + text + ")";
}

void write_executor(JsonText& json, const Container& container, const v1::FrameworkInfo& framework) {
    const auto& task = container.task();
    const auto list = [&](const char* key, bool has) {
        json.key(key).array();
        if (has) write_task(json, container, framework);
        json.end_array();
    };
    json.object();
    json.key("id").text(task.task_id().value()).key("name").text(executor_name(task));
    json.key("source").text(task.task_id().value());
    json.key("container").text(container.record.container_id().value());
    json.key("directory").text(container.record.sandbox());
    json.key("unit").text(container.record.unit());
    json.key("resources");
    write_resources(json, container.resources);
    json.key("role").text(role_of(task, framework)).key("type").text("DEFAULT");
    write_labels(json, task.labels());
    list("tasks", container.holds_resources());
    list("queued_tasks", container.phase() == Record::WAITING);
    list("completed_tasks", container.phase() == Record::ENDED);
    json.end_object();
}

template <typename Visit>
void each_container(const core::State& state, const base::FrameworkId& framework, Visit visit) {
    const auto first = state.tasks.lower_bound({framework, base::TaskId()});
    for (auto task = first; task != state.tasks.end() && task->first.first == framework; ++task)
        if (const auto found = state.containers.find(task->second); found != state.containers.end())
            visit(found->second);
}

void write_framework(JsonText& json, const core::State& state, const base::FrameworkId& id,
                     const v1::FrameworkInfo& info) {
    const auto executors = [&](const char* key, bool ended) {
        json.key(key).array();
        each_container(state, id, [&](const Container& container) {
            if ((container.phase() == Record::ENDED) == ended) write_executor(json, container, info);
        });
        json.end_array();
    };
    json.object();
    json.key("id").text(id.value()).key("name").text(info.name()).key("user").text(info.user());
    json.key("hostname").text(info.hostname()).key("principal").text(info.principal());
    json.key("failover_timeout").number(info.failover_timeout()).key("checkpoint").truth(info.checkpoint());
    if (info.roles().empty()) {
        json.key("role").text(info.role());
    } else {
        json.key("roles").array();
        for (const auto& role : info.roles()) json.text(role);
        json.end_array();
    }
    executors("executors", false);
    executors("completed_executors", true);
    json.end_object();
}

void write_attributes(JsonText& json, const v1::AgentInfo& info) {
    json.key("attributes").object();
    for (const auto& attribute : info.attributes()) {
        json.key(attribute.name());
        if (attribute.has_scalar()) {
            json.number(attribute.scalar().value());
        } else if (attribute.has_ranges()) {
            std::string text;
            for (const auto& range : attribute.ranges().range())
                text += (text.empty() ? "" : ", ") + std::to_string(range.begin()) + "-" + std::to_string(range.end());
            json.text("[" + text + "]");
        } else {
            json.text(attribute.text().value());
        }
    }
    json.end_object();
}

void write_flags(JsonText& json, const Identity& identity) {
    json.key("flags").object();
    for (const auto& [name, value] : identity.flags) json.key(name).text(value);
    json.end_object();
}

}  // namespace

std::string render_flags(const Identity& identity) {
    JsonText json;
    json.object();
    write_flags(json, identity);
    return json.end_object().take();
}

std::string render_version(const Identity& identity) {
    JsonText json;
    json.object().key("version").text(identity.version).key("fairlead_version").text(FAIRLEAD_VERSION);
    return json.end_object().take();
}

std::string render_state(const core::State& state, const Identity& identity) {
    JsonText json;
    json.object();
    json.key("version").text(identity.version).key("fairlead_version").text(FAIRLEAD_VERSION);
    json.key("start_time").number(base::seconds_since_1970(identity.start_time));
    json.key("id").text(state.agent_id.value()).key("pid").text("slave(1)@" + identity.address);
    json.key("hostname").text(identity.info.hostname());
    if (state.link) json.key("master_hostname").text(state.master.substr(0, state.master.rfind(':')));
    json.key("capabilities").array().text("MULTI_ROLE").text("RESERVATION_REFINEMENT").end_array();
    write_what_there_is(json, state);
    json.key("resource_providers").array().end_array();
    write_attributes(json, identity.info);
    write_flags(json, identity);
    json.key("frameworks").array();
    for (const auto& [id, info] : state.frameworks) write_framework(json, state, id, info);
    json.end_array().key("completed_frameworks").array().end_array();
    return json.end_object().take();
}

}  // namespace fairlead::nodeagentd::api
