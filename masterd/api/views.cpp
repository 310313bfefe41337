#include "masterd/api/views.hpp"

#include "common/wire/json.hpp"
#include "common/wire/json_scalars.hpp"

#include <algorithm>
#include <set>

namespace fairlead::masterd::api {
namespace {

using resources::Resources;

// Writes one JSON text front to back; knows only where a comma is due.
class Writer {
  public:
    Writer& object() { return open('{'); }
    Writer& array() { return open('['); }
    Writer& end_object() { return close('}'); }
    Writer& end_array() { return close(']'); }
    Writer& key(std::string_view name) {
        comma();
        wire::append_json_text(name, out_);
        out_ += ':';
        comma_due_ = false;
        return *this;
    }
    Writer& text(std::string_view value) {
        comma();
        wire::append_json_text(value, out_);
        return *this;
    }
    Writer& number(double value) {
        comma();
        wire::append_json_number(value, out_);
        return *this;
    }
    Writer& count(std::uint64_t value) { return raw(std::to_string(value)); }
    Writer& truth(bool value) { return raw(value ? "true" : "false"); }
    Writer& message(const google::protobuf::Message& value) { return raw(wire::to_json(value)); }
    std::string take() { return std::move(out_); }

  private:
    Writer& raw(std::string_view value) {
        comma();
        out_ += value;
        return *this;
    }
    Writer& open(char bracket) {
        comma();
        out_ += bracket;
        comma_due_ = false;
        return *this;
    }
    Writer& close(char bracket) {
        out_ += bracket;
        comma_due_ = true;
        return *this;
    }
    void comma() {
        if (comma_due_) out_ += ',';
        comma_due_ = true;
    }

    std::string out_;
    bool comma_due_ = false;
};

double seconds(base::WallTime time) { return base::seconds_since_1970(time); }

void write_resources(Writer& writer, const Resources& resources) {
    writer.object();
    for (const auto name : resources::predefined_names)
        writer.key(name).number(resources.scalar(name).to_double());
    if (const auto ports = resources.ports(); !ports.empty()) writer.key("ports").text(ports.to_string());
    writer.end_object();
}

void write_task(Writer& writer, const core::Task& task, const core::Framework& framework) {
    writer.object();
    writer.key("id").text(task.id.value());
    writer.key("name").text(task.info ? task.info->name() : "");
    writer.key("framework_id").text(framework.id.value());
    writer.key("executor_id").text("");
    writer.key("slave_id").text(task.agent_id.value());
    writer.key("state").text(v1::TaskState_Name(task.state));
    writer.key("resources");
    write_resources(writer, task.resources);
    writer.key("role").text(task.role.value());
    writer.key("statuses").array();
    if (task.last_status) {
        writer.object();
        writer.key("state").text(v1::TaskState_Name(task.last_status->state()));
        writer.key("timestamp").number(task.last_status->timestamp());
        if (task.last_status->has_container_status())
            writer.key("container_status").message(task.last_status->container_status());
        if (task.last_status->has_message()) writer.key("message").text(task.last_status->message());
        writer.end_object();
    }
    writer.end_array();
    if (task.info && task.info->has_user()) writer.key("user").text(task.info->user());
    if (task.info && task.info->has_discovery()) writer.key("discovery").message(task.info->discovery());
    if (task.info && task.info->has_container()) writer.key("container").message(task.info->container());
    if (task.info && task.info->has_health_check()) writer.key("health_check").message(task.info->health_check());
    writer.key("labels").array();
    if (task.info)
        for (const auto& label : task.info->labels().labels()) writer.message(label);
    writer.end_array().end_object();
}



// Ports of different agents may be the same numbers: what cannot be added is left out of a framework's sum.
void write_sum(Writer& writer, const char* name, const resources::Quantities& quantities) {
    writer.key(name).object();
    for (const auto predefined : resources::predefined_names)
        writer.key(predefined).number(quantities.of(predefined).to_double());
    writer.end_object();
}

resources::Quantities quantities_used(const core::Framework& framework) {
    resources::Quantities total;
    for (const auto& [id, task] : framework.tasks)
        if (task.holds_resources) total.add(task.resources.quantities());
    return total;
}

resources::Quantities quantities_offered(const core::Framework& framework) {
    resources::Quantities total;
    for (const core::Offer* offer : framework.offers) total.add(offer->resources.quantities());
    return total;
}

void write_framework(Writer& writer, const core::Framework& framework) {
    const v1::FrameworkInfo& info = *framework.info;
    writer.object();
    writer.key("id").text(framework.id.value());
    writer.key("name").text(info.name());
    writer.key("user").text(info.user());
    writer.key("hostname").text(info.hostname());
    writer.key("webui_url").text(info.webui_url());
    writer.key("principal").text(info.principal());
    writer.key("failover_timeout").number(info.failover_timeout());
    writer.key("checkpoint").truth(info.checkpoint());
    writer.key("active").truth(framework.is_connected());
    writer.key("connected").truth(framework.is_connected());
    writer.key("recovered").truth(framework.connection == core::Framework::Connection::recovered);
    writer.key("registered_time").number(seconds(framework.registered_time));
    writer.key("reregistered_time").number(seconds(framework.reregistered_time));
    writer.key("unregistered_time").number(seconds(framework.unregistered_time));
    writer.key("capabilities").array();
    for (const auto& capability : info.capabilities())
        writer.text(v1::FrameworkInfo::Capability::Type_Name(capability.type()));
    writer.end_array();
    if (framework.capabilities.multi_role) {
        writer.key("roles").array();
        for (const auto& role : framework.roles) writer.text(role.value());
        writer.end_array();
    } else {
        writer.key("role").text(info.role());
    }
    const auto used = quantities_used(framework), offered = quantities_offered(framework);
    auto both = used;
    both.add(offered);
    write_sum(writer, "used_resources", used);
    write_sum(writer, "offered_resources", offered);
    write_sum(writer, "resources", both);
    writer.key("tasks").array();
    for (const auto& [id, task] : framework.tasks) write_task(writer, task, framework);
    writer.end_array();
    writer.key("unreachable_tasks").array();
    for (const auto& [id, task] : framework.unreachable_tasks) write_task(writer, task, framework);
    writer.end_array();
    writer.key("completed_tasks").array();
    for (const auto& task : framework.completed_tasks) write_task(writer, task, framework);
    writer.end_array();
    writer.key("offers").array();
    for (const core::Offer* offer : framework.offers) {
        writer.object().key("id").text(offer->id.value());
        writer.key("framework_id").text(framework.id.value()).key("resources");
        write_resources(writer, offer->resources);
        writer.end_object();
    }
    writer.end_array();
    writer.key("executors").array().end_array();
    writer.key("labels").array();
    for (const auto& label : info.labels().labels()) writer.message(label);
    writer.end_array().end_object();
}

void write_attributes(Writer& writer, const v1::AgentInfo& info) {
    writer.key("attributes").object();
    for (const auto& attribute : info.attributes()) {
        writer.key(attribute.name());
        if (attribute.has_scalar()) writer.number(attribute.scalar().value());
        else writer.text(attribute.text().value());
    }
    writer.end_object();
}

void write_agent(Writer& writer, const core::State& state, const core::Agent& agent) {
    const auto& entry = state.books.agent_entries()[agent.slot];
    writer.object();
    writer.key("id").text(agent.id.value());
    writer.key("hostname").text(agent.info->hostname());
    writer.key("port").count(static_cast<std::uint64_t>(agent.info->port()));
    writer.key("pid").text("slave(1)@" + agent.peer_address + ":" + std::to_string(agent.info->port()));
    write_attributes(writer, *agent.info);
    writer.key("registered_time").number(seconds(agent.registered_time));
    writer.key("reregistered_time").number(seconds(agent.reregistered_time));
    writer.key("resources");
    write_resources(writer, entry.total);
    writer.key("used_resources");
    write_resources(writer, agent.used);
    writer.key("offered_resources");
    write_resources(writer, agent.offered);
    writer.key("reserved_resources").object().end_object();
    writer.key("unreserved_resources");
    write_resources(writer, entry.total.unreserved());
    writer.key("active").truth(agent.link.has_value());
    writer.key("deactivated").truth(false);
    writer.key("version").text(agent.version);
    writer.key("capabilities").array().text("MULTI_ROLE").text("RESERVATION_REFINEMENT").end_array();
    writer.end_object();
}

template <typename Visit>
void each_framework(const core::State& state, Visit visit) {
    for (const auto& framework : state.books.frameworks())
        if (framework) visit(*framework);
}

template <typename Visit>
void each_agent(const core::State& state, Visit visit) {
    for (const auto& agent : state.books.agents())
        if (agent) visit(*agent);
}

void write_frameworks(Writer& writer, const core::State& state) {
    writer.key("frameworks").array();
    each_framework(state, [&](const auto& framework) { write_framework(writer, framework); });
    writer.end_array().key("completed_frameworks").array();
    for (const auto& framework : state.completed_frameworks) write_framework(writer, *framework);
    writer.end_array().key("unregistered_frameworks").array().end_array();
}

void write_agents(Writer& writer, const core::State& state) {
    writer.key("slaves").array();
    each_agent(state, [&](const auto& agent) { write_agent(writer, state, agent); });
    writer.end_array().key("recovered_slaves").array().end_array();
}

std::size_t connected_agents(const core::State& state) {
    std::size_t count = 0;
    each_agent(state, [&](const auto& agent) { count += agent.link.has_value(); });
    return count;
}

}  // namespace

std::string render_version() {
    return Writer().object().key("version").text(ViewContext{}.version).key("fairlead_version").text(FAIRLEAD_VERSION)
        .end_object().take();
}

std::string render_state(const core::State& state, const ViewContext& context) {
    std::size_t agents = 0;
    each_agent(state, [&](const auto&) { ++agents; });
    Writer writer;
    writer.object();
    writer.key("version").text(context.version);
    writer.key("fairlead_version").text(FAIRLEAD_VERSION);
    writer.key("start_time").number(seconds(context.start_time));
    writer.key("elected_time").number(seconds(state.elected_time));
    writer.key("id").text(state.master_info.id());
    writer.key("pid").text(state.master_info.pid());
    writer.key("hostname").text(context.hostname);
    writer.key("cluster").text(context.cluster_name);
    writer.key("leader").text(state.master_info.pid());
    writer.key("leader_info").object().key("id").text(state.master_info.id()).key("pid").text(state.master_info.pid())
        .key("port").count(state.master_info.port()).key("hostname").text(context.hostname).end_object();
    writer.key("activated_slaves").count(connected_agents(state));
    writer.key("deactivated_slaves").count(agents - connected_agents(state));
    writer.key("unreachable_slaves").count(state.absent_agents.size());
    writer.key("flags").object().end_object();
    write_agents(writer, state);
    write_frameworks(writer, state);
    writer.key("orphan_tasks").array().end_array();
    return writer.end_object().take();
}

std::string render_state_summary(const core::State& state, const ViewContext& context) {
    Writer writer;
    writer.object().key("hostname").text(context.hostname).key("cluster").text(context.cluster_name);
    write_agents(writer, state);
    write_frameworks(writer, state);
    return writer.end_object().take();
}

std::string render_frameworks(const core::State& state, const ViewContext&) {
    Writer writer;
    writer.object();
    write_frameworks(writer, state);
    return writer.end_object().take();
}

std::string render_agents(const core::State& state, const ViewContext&) {
    Writer writer;
    writer.object();
    write_agents(writer, state);
    return writer.end_object().take();
}

std::string render_roles(const core::State& state, const ViewContext&) {
    std::set<std::string> roles;
    each_framework(state, [&](const auto& framework) {
        for (const auto& role : framework.roles) roles.insert(role.value());
    });
    Writer writer;
    writer.object().key("roles").array();
    for (const std::string& role : roles) {
        writer.object().key("name").text(role).key("weight").number(1).key("frameworks").array();
        each_framework(state, [&](const auto& framework) {
            for (const auto& one : framework.roles)
                if (one.value() == role) writer.text(framework.id.value());
        });
        writer.end_array().end_object();
    }
    return writer.end_array().end_object().take();
}

std::string render_tasks(const core::State& state, const TaskQuery& query) {
    struct Found {
        const core::Task* task;
        const core::Framework* framework;
        double timestamp;
    };
    std::vector<Found> found;
    const auto consider = [&](const core::Task& task, const core::Framework& framework) {
        if (!query.task_id.empty() && task.id != query.task_id) return;
        found.push_back({&task, &framework, task.last_status ? task.last_status->timestamp() : 0});
    };
    const auto collect = [&](const core::Framework& framework) {
        if (!query.framework_id.empty() && framework.id != query.framework_id) return;
        for (const auto& [id, task] : framework.tasks) consider(task, framework);
        for (const auto& [id, task] : framework.unreachable_tasks) consider(task, framework);
        for (const auto& task : framework.completed_tasks) consider(task, framework);
    };
    each_framework(state, collect);
    for (const auto& framework : state.completed_frameworks) collect(*framework);
    std::stable_sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
        return query.ascending ? a.timestamp < b.timestamp : a.timestamp > b.timestamp;
    });
    Writer writer;
    writer.object().key("tasks").array();
    const auto first = static_cast<std::size_t>(std::max<std::int64_t>(query.offset, 0));
    for (std::size_t i = first; i < found.size(); ++i) {
        if (query.limit >= 0 && i - first >= static_cast<std::size_t>(query.limit)) break;
        write_task(writer, *found[i].task, *found[i].framework);
    }
    return writer.end_array().end_object().take();
}

std::string render_metrics(const core::State& state, const ViewContext& context) {
    std::map<std::string, double> metrics = context.counters;
    metrics["master/elected"] = state.leading ? 1 : 0;
    metrics["master/uptime_secs"] = seconds(context.now) - seconds(context.start_time);
    metrics["master/outstanding_offers"] = static_cast<double>(state.books.offers().size());
    each_agent(state, [&](const auto& agent) {
        ++metrics[agent.link ? "master/slaves_connected" : "master/slaves_disconnected"];
        metrics["master/cpus_used"] += agent.used.cpus().to_double();
        metrics["master/mem_used"] += agent.used.mem().to_double();
    });
    each_framework(state, [&](const auto& framework) {
        ++metrics[framework.is_connected() ? "master/frameworks_connected" : "master/frameworks_disconnected"];
        for (const auto& [id, task] : framework.tasks) {
            if (task.state == v1::TASK_RUNNING) ++metrics["master/tasks_running"];
            if (task.state == v1::TASK_STAGING) ++metrics["master/tasks_staging"];
            if (task.state == v1::TASK_STARTING) ++metrics["master/tasks_starting"];
        }
    });
    metrics["master/cpus_total"] = state.books.total().cpus().to_double();
    metrics["master/mem_total"] = state.books.total().mem().to_double();
    metrics["master/disk_total"] = state.books.total().disk().to_double();
    Writer writer;
    writer.object();
    for (const auto& [name, value] : metrics) writer.key(name).number(value);
    return writer.end_object().take();
}

}  // namespace fairlead::masterd::api
