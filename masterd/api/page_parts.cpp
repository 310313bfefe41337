#include "masterd/api/page_parts.hpp"

#include "masterd/core/offer_constraints.hpp"
#include "common/resources/reserving.hpp"
#include "common/resources/resource_sums.hpp"
#include "common/resources/wire.hpp"

namespace fairlead::masterd::api {
namespace {

using resources::Resources;
using resources::ResourceSums;

double seconds(base::WallTime time) { return base::seconds_since_1970(time); }

void write_labels(JsonText& json, const v1::Labels& labels) {
    json.array();
    for (const auto& label : labels.labels()) json.message(label);
    json.end_array();
}

void write_status(JsonText& json, const v1::TaskStatus& status) {
    json.object();
    json.key("state").text(v1::TaskState_Name(status.state()));
    json.key("timestamp").number(status.timestamp());
    if (status.has_labels()) {
        json.key("labels");
        write_labels(json, status.labels());
    }
    if (status.has_container_status()) json.key("container_status").message(status.container_status());
    if (status.has_healthy()) json.key("healthy").truth(status.healthy());
    if (status.has_message()) json.key("message").text(status.message());
    json.end_object();
}

// Infinity is what a task without a limit asks for; JSON has no number for it.
void write_limits(JsonText& json, const v1::Task& task) {
    if (task.limits().empty()) return;
    const std::map<std::string, v1::Value::Scalar> sorted(task.limits().begin(), task.limits().end());
    json.key("limits").object();
    for (const auto& [name, limit] : sorted) json.key(name).number(limit.value());
    json.end_object();
}

void write_attributes(JsonText& json, const v1::AgentInfo& info) {
    json.key("attributes").object();
    for (const auto& attribute : info.attributes()) {
        json.key(attribute.name());
        if (attribute.has_scalar()) {
            json.number(attribute.scalar().value());
        } else if (attribute.has_ranges()) {
            std::string text = "[";
            for (const auto& range : attribute.ranges().range())
                text += (text.size() > 1 ? ", " : "") + std::to_string(range.begin()) + "-" + std::to_string(range.end());
            json.text(text + "]");
        } else {
            json.text(attribute.text().value());
        }
    }
    json.end_object();
}

void write_wire(JsonText& json, const Resources& all) {
    google::protobuf::RepeatedPtrField<v1::Resource> wire;
    resources::to_wire(all, resources::ReservationFormat::stack, nullptr, wire);
    json.array();
    for (const auto& one : wire) json.message(one);
    json.end_array();
}

ResourceSums used_by(const core::Framework& framework) {
    ResourceSums sums;
    for (const auto& [id, task] : framework.tasks)
        if (task.holds_resources) sums.add(task.resources);
    return sums;
}

ResourceSums offered_to(const core::Framework& framework) {
    ResourceSums sums;
    for (const core::Offer* offer : framework.offers) sums.add(offer->resources);
    return sums;
}

void write_offer(JsonText& json, const core::Offer& offer, const core::Framework& framework,
                 const base::AgentId& agent) {
    json.object().key("id").text(offer.id.value());
    json.key("framework_id").text(framework.id.value());
    json.key("allocation_info").object().key("role").text(offer.role.value()).end_object();
    json.key("slave_id").text(agent.value()).key("resources");
    ResourceSums(offer.resources).write(json);
    json.end_object();
}

}  // namespace

std::string agent_pid(const core::Agent& agent) {
    return "slave(1)@" + agent.peer_address + ":" + std::to_string(agent.kind->info.port());
}

void write_task(JsonText& json, const core::Task& task, const core::Framework& framework) {
    const v1::Task info = task.info.message();
    json.object();
    json.key("id").text(task.id.value());
    json.key("name").text(info.name());
    json.key("framework_id").text(framework.id.value());
    json.key("executor_id").text(info.executor_id().value());
    json.key("slave_id").text(task.agent_id.value());
    json.key("state").text(v1::TaskState_Name(task.state));
    json.key("resources");
    ResourceSums(task.resources).write(json);
    write_limits(json, info);
    json.key("role").text(task.role.value());
    json.key("statuses").array();
    if (task.last_status) write_status(json, task.last_status.message());
    json.end_array();
    if (info.has_user()) json.key("user").text(info.user());
    if (info.has_discovery()) json.key("discovery").message(info.discovery());
    if (info.has_container()) json.key("container").message(info.container());
    if (info.has_health_check()) json.key("health_check").message(info.health_check());
    json.key("labels");
    write_labels(json, info.labels());
    json.end_object();
}

void begin_framework(JsonText& json, const core::Framework& framework) {
    const v1::FrameworkInfo& info = *framework.info;
    json.object();
    json.key("id").text(framework.id.value());
    json.key("name").text(info.name());
    json.key("user").text(info.user());
    json.key("hostname").text(info.hostname());
    json.key("webui_url").text(info.webui_url());
    json.key("principal").text(info.principal());
    json.key("failover_timeout").number(info.failover_timeout());
    json.key("checkpoint").truth(info.checkpoint());
    json.key("active").truth(framework.is_connected());
    json.key("connected").truth(framework.is_connected());
    json.key("recovered").truth(framework.connection == core::Framework::Connection::recovered);
    json.key("registered_time").number(seconds(framework.registered_time));
    json.key("reregistered_time").number(seconds(framework.reregistered_time));
    json.key("unregistered_time").number(seconds(framework.unregistered_time));
    json.key("capabilities").array();
    for (const auto& capability : info.capabilities())
        json.text(v1::FrameworkInfo::Capability::Type_Name(capability.type()));
    json.end_array();
    if (framework.capabilities.multi_role) {
        json.key("roles").array();
        for (const auto& role : framework.roles) json.text(role.value());
        json.end_array();
    } else {
        json.key("role").text(info.role());
    }
    const ResourceSums used = used_by(framework), offered = offered_to(framework);
    ResourceSums both = used;
    both.add(offered);
    json.key("used_resources");
    used.write(json);
    json.key("offered_resources");
    offered.write(json);
    json.key("resources");
    both.write(json);
}

void write_framework(JsonText& json, const core::State& state, const core::Framework& framework) {
    begin_framework(json, framework);
    json.key("tasks").array();
    for (const auto& [id, task] : framework.tasks) write_task(json, task, framework);
    json.end_array().key("unreachable_tasks").array();
    for (const auto& [id, task] : framework.unreachable_tasks) write_task(json, task, framework);
    json.end_array().key("completed_tasks").array();
    for (const auto& task : framework.completed_tasks) write_task(json, task, framework);
    json.end_array().key("offers").array();
    for (const core::Offer* offer : framework.offers)
        write_offer(json, *offer, framework, state.books.agent(offer->agent).id);
    json.end_array().key("executors").array().end_array();
    json.key("labels");
    write_labels(json, framework.info->labels());
    if (framework.constraints && !framework.constraints->wire().role_constraints().empty())
        json.key("offer_constraints").message(framework.constraints->wire());
    json.end_object();
}

void begin_agent(JsonText& json, const core::State& state, const core::Agent& agent) {
    const Resources& total = state.books.agent_entries()[agent.slot].total;
    json.object();
    json.key("id").text(agent.id.value());
    json.key("hostname").text(agent.hostname);
    json.key("port").count(static_cast<std::uint64_t>(agent.kind->info.port()));
    json.key("pid").text(agent_pid(agent));
    write_attributes(json, agent.kind->info);
    if (agent.kind->info.has_domain()) json.key("domain").message(agent.kind->info.domain());
    json.key("registered_time").number(seconds(agent.registered_time));
    json.key("reregistered_time").number(seconds(agent.reregistered_time));
    json.key("resources");
    ResourceSums(total).write(json);
    json.key("used_resources");
    ResourceSums(agent.used).write(json);
    json.key("offered_resources");
    ResourceSums(agent.offered).write(json);
    json.key("reserved_resources").object();
    for (const auto& [role, reserved] : resources::reserved_by_role(total)) {
        json.key(role.value());
        ResourceSums(reserved).write(json);
    }
    json.end_object().key("unreserved_resources");
    ResourceSums(total.unreserved()).write(json);
    json.key("active").truth(agent.link.has_value());
    json.key("deactivated").truth(false);
    json.key("version").text(agent.kind->version);
    json.key("capabilities").array();
    for (const auto capability : agent_capabilities) json.text(v1::AgentInfo::Capability::Type_Name(capability));
    json.end_array();
}

void write_agent(JsonText& json, const core::State& state, const core::Agent& agent, Detail detail) {
    begin_agent(json, state, agent);
    if (detail == Detail::full) {
        const Resources& total = state.books.agent_entries()[agent.slot].total;
        json.key("reserved_resources_full").object();
        for (const auto& [role, reserved] : resources::reserved_by_role(total)) {
            json.key(role.value());
            write_wire(json, reserved);
        }
        json.end_object().key("unreserved_resources_full");
        write_wire(json, total.unreserved());
        json.key("used_resources_full");
        write_wire(json, agent.used);
        json.key("offered_resources_full");
        write_wire(json, agent.offered);
    }
    json.end_object();
}

}  // namespace fairlead::masterd::api
