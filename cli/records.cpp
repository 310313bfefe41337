#include "cli/records.hpp"

#include "cli/document.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <cmath>

namespace fairlead::cli {

namespace json = boost::json;

namespace {

json::array roles_of(const json::value& framework) {
    if (const auto& roles = list_of(framework, "roles"); !roles.empty()) return roles;
    return {text_of(framework, "role")};
}

}  // namespace

json::value amount(double value) {
    if (value == std::floor(value) && std::abs(value) < 1e15)
        return static_cast<std::int64_t>(value);
    return value;
}

std::map<std::string, std::string> host_names(const json::value& agents) {
    std::map<std::string, std::string> names;
    for (const auto& agent : list_of(agents, "slaves"))
        names[text_of(agent, "id")] = text_of(agent, "hostname");
    return names;
}

bool is_over(std::string_view state) {
    return state != "TASK_STAGING" && state != "TASK_STARTING" && state != "TASK_RUNNING" &&
           state != "TASK_KILLING" && state != "TASK_UNREACHABLE";
}

std::string address_of(const json::value& agent) {
    // The master names an agent as Mesos does: "slave(1)@ip:port".
    const auto pid = text_of(agent, "pid");
    const auto at = pid.find('@');
    return at == std::string::npos ? text_of(agent, "hostname") + ":5051" : pid.substr(at + 1);
}

json::object cluster_record(const json::value& state) {
    double totals[std::size(kinds)] = {}, used[std::size(kinds)] = {};
    std::int64_t active = 0, tasks = 0;
    for (const auto& agent : list_of(state, "slaves")) {
        active += flag_of(agent, "active", true) ? 1 : 0;
        for (std::size_t i = 0; i < std::size(kinds); ++i) {
            totals[i] += number_of(object_of(agent, "resources"), kinds[i].wire);
            used[i] += number_of(object_of(agent, "used_resources"), kinds[i].wire);
        }
    }
    for (const auto& framework : list_of(state, "frameworks"))
        for (const auto& task : list_of(framework, "tasks"))
            tasks += is_over(text_of(task, "state")) ? 0 : 1;
    json::object record{{"master", text_of(state, "hostname")},
                        {"cluster", text_of(state, "cluster")},
                        {"id", text_of(state, "id")},
                        {"version", text_of(state, "fairlead_version")},
                        {"api_version", text_of(state, "version")},
                        {"started_at", amount(number_of(state, "start_time"))},
                        {"agents", list_of(state, "slaves").size()},
                        {"agents_active", active},
                        {"frameworks", list_of(state, "frameworks").size()},
                        {"tasks", tasks}};
    for (std::size_t i = 0; i < std::size(kinds); ++i) {
        record[kinds[i].total] = amount(totals[i]);
        record[kinds[i].used] = amount(used[i]);
    }
    return record;
}

json::array agent_records(const json::value& agents) {
    json::array records;
    for (const auto& agent : list_of(agents, "slaves")) {
        json::object record{{"id", text_of(agent, "id")},
                            {"hostname", text_of(agent, "hostname")},
                            {"address", address_of(agent)},
                            {"state", flag_of(agent, "active", true) ? "active" : "away"},
                            {"version", text_of(agent, "version")},
                            {"registered_at", amount(number_of(agent, "registered_time"))}};
        for (const auto& kind : kinds) {
            record[kind.total] = amount(number_of(object_of(agent, "resources"), kind.wire));
            record[kind.used] = amount(number_of(object_of(agent, "used_resources"), kind.wire));
        }
        records.push_back(std::move(record));
    }
    return records;
}

json::array framework_records(const json::value& frameworks, Scope scope) {
    json::array records;
    const auto add = [&](const json::value& framework, const char* state) {
        const auto& used = object_of(framework, "used_resources");
        json::object record{{"id", text_of(framework, "id")},
                            {"name", text_of(framework, "name")},
                            {"user", text_of(framework, "user")},
                            {"roles", roles_of(framework)},
                            {"state", state},
                            {"tasks", list_of(framework, "tasks").size()},
                            {"registered_at", amount(number_of(framework, "registered_time"))}};
        for (const auto& kind : kinds) record[kind.used] = amount(number_of(used, kind.wire));
        records.push_back(std::move(record));
    };
    for (const auto& framework : list_of(frameworks, "frameworks"))
        add(framework, flag_of(framework, "connected", true) ? "connected" : "away");
    if (scope == Scope::everything)
        for (const auto& framework : list_of(frameworks, "completed_frameworks"))
            add(framework, "ended");
    return records;
}

json::array task_records(const json::value& tasks, const json::value& agents, Scope scope) {
    const auto hosts = host_names(agents);
    json::array records;
    for (const auto& task : list_of(tasks, "tasks")) {
        const auto state = text_of(task, "state");
        if (scope == Scope::running && is_over(state)) continue;
        double changed = 0;
        std::string message;
        for (const auto& status : list_of(task, "statuses")) {
            if (number_of(status, "timestamp") < changed) continue;
            changed = number_of(status, "timestamp");
            message = text_of(status, "message");
        }
        const auto host = hosts.find(text_of(task, "slave_id"));
        json::object record{{"id", text_of(task, "id")},
                            {"name", text_of(task, "name")},
                            {"framework_id", text_of(task, "framework_id")},
                            {"role", text_of(task, "role")},
                            {"agent_id", text_of(task, "slave_id")},
                            {"hostname", host == hosts.end() ? std::string() : host->second},
                            {"state", state_text(state)},
                            {"message", message},
                            {"changed_at", amount(changed)}};
        for (const auto& kind : kinds)
            record[kind.total] = amount(number_of(object_of(task, "resources"), kind.wire));
        records.push_back(std::move(record));
    }
    return records;
}

}  // namespace fairlead::cli
