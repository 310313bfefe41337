#include "masterd/api/views.hpp"

#include "masterd/api/page_parts.hpp"

namespace fairlead::masterd::api {
namespace {

double seconds(base::WallTime time) { return base::seconds_since_1970(time); }

void write_frameworks(JsonText& json, const core::State& state, const base::FrameworkId& only) {
    const auto wanted = [&](const core::Framework& framework) { return only.empty() || framework.id == only; };
    json.key("frameworks").array();
    each_framework(state, [&](const auto& framework) {
        if (wanted(framework)) write_framework(json, state, framework);
    });
    json.end_array().key("completed_frameworks").array();
    for (const auto& framework : state.completed_frameworks)
        if (wanted(*framework)) write_framework(json, state, *framework);
    json.end_array().key("unregistered_frameworks").array().end_array();
}

void write_agents(JsonText& json, const core::State& state, const base::AgentId& only, Detail detail) {
    json.key("slaves").array();
    each_agent(state, [&](const auto& agent) {
        if (only.empty() || agent.id == only) write_agent(json, state, agent, detail);
    });
    json.end_array().key("recovered_slaves").array();
    state.absent_agents.each_recovering([&](const base::AgentId& id) {
        if (only.empty() || id == only) json.object().key("id").text(id.value()).key("hostname").text("").end_object();
    });
    json.end_array();
}

void write_flags(JsonText& json, const ViewContext& context) {
    json.key("flags").object();
    for (const auto& [name, value] : context.flags) json.key(name).text(value);
    json.end_object();
}

void write_leader(JsonText& json, const v1::MasterInfo& leader) {
    json.key("leader").text(leader.pid());
    json.key("leader_info").object().key("id").text(leader.id()).key("pid").text(leader.pid());
    json.key("port").count(leader.port()).key("hostname").text(leader.hostname());
    if (leader.has_domain()) json.key("domain").message(leader.domain());
    json.end_object();
}

struct AgentCounts {
    std::size_t connected = 0;
    std::size_t disconnected = 0;
    std::size_t unreachable = 0;
};

AgentCounts count_agents(const core::State& state) {
    AgentCounts counts;
    each_agent(state, [&](const auto& agent) { ++(agent.link ? counts.connected : counts.disconnected); });
    counts.unreachable = state.absent_agents.count(core::AbsentAgent::Why::unreachable);
    return counts;
}

}  // namespace

std::string render_version() {
    return JsonText().object().key("version").text(ViewContext{}.version).key("fairlead_version").text(FAIRLEAD_VERSION)
        .end_object().take();
}

std::string render_flags(const ViewContext& context) {
    JsonText json;
    json.object();
    write_flags(json, context);
    return json.end_object().take();
}

std::string render_state(const core::State& state, const ViewContext& context) {
    const AgentCounts counts = count_agents(state);
    JsonText json;
    json.object();
    json.key("version").text(context.version);
    json.key("fairlead_version").text(FAIRLEAD_VERSION);
    json.key("start_time").number(seconds(context.start_time));
    json.key("elected_time").number(seconds(state.elected_time));
    json.key("id").text(state.master_info.id());
    json.key("pid").text(state.master_info.pid());
    json.key("hostname").text(context.hostname);
    json.key("cluster").text(context.cluster_name);
    json.key("capabilities").array();
    for (const auto& capability : state.master_info.capabilities())
        json.text(v1::MasterInfo::Capability::Type_Name(capability.type()));
    json.end_array();
    if (state.master_info.has_domain()) json.key("domain").message(state.master_info.domain());
    write_leader(json, state.master_info);
    json.key("activated_slaves").count(counts.connected);
    json.key("deactivated_slaves").count(counts.disconnected);
    json.key("unreachable_slaves").count(counts.unreachable);
    write_flags(json, context);
    write_agents(json, state, {}, Detail::normal);
    write_frameworks(json, state, {});
    json.key("orphan_tasks").array().end_array();
    return json.end_object().take();
}

std::string render_frameworks(const core::State& state, const base::FrameworkId& only) {
    JsonText json;
    json.object();
    write_frameworks(json, state, only);
    return json.end_object().take();
}

std::string render_agents(const core::State& state, const base::AgentId& only) {
    JsonText json;
    json.object();
    write_agents(json, state, only, Detail::full);
    return json.end_object().take();
}

}  // namespace fairlead::masterd::api
