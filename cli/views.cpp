#include "cli/views.hpp"

#include "cli/document.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

namespace fairlead::cli {

namespace json = boost::json;

namespace {

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_json(const json::value& value) {
    print(json::serialize(value) + "\n");
}

double seconds_since(double since) {
    return since > 0 ? base::seconds_since_1970(base::read_clocks().wall) - since : -1;
}

std::string used_of_total(double used, double total, std::string (*text)(double)) {
    return text(used) + "/" + text(total);
}

std::string roles_of(const json::value& framework) {
    std::string roles;
    for (const auto& role : list_of(framework, "roles"))
        if (role.is_string()) roles += (roles.empty() ? "" : ",") + std::string(role.as_string());
    return roles.empty() ? text_of(framework, "role") : roles;
}

bool is_over(std::string_view state) {
    return state != "TASK_STAGING" && state != "TASK_STARTING" && state != "TASK_RUNNING" &&
           state != "TASK_KILLING" && state != "TASK_UNREACHABLE";
}

std::map<std::string, std::string> host_names(const json::value& agents) {
    std::map<std::string, std::string> names;
    for (const auto& agent : list_of(agents, "slaves"))
        names[text_of(agent, "id")] = text_of(agent, "hostname");
    return names;
}

double last_change(const json::value& task) {
    double latest = 0;
    for (const auto& status : list_of(task, "statuses"))
        latest = std::max(latest, number_of(status, "timestamp"));
    return latest;
}

}  // namespace

int complain(const base::Error& error) {
    fmt::print(stderr, "fairctl: {}\n", error.message());
    return exit_status_of(error);
}

async::awaitable<int> show_status(Cluster cluster, Output output) {
    auto state = co_await cluster.get("/state");
    if (!state) co_return complain(state.error());
    double cpus = 0, cpus_used = 0, mem = 0, mem_used = 0;
    std::size_t active = 0, tasks = 0;
    for (const auto& agent : list_of(*state, "slaves")) {
        active += flag_of(agent, "active", true) ? 1 : 0;
        cpus += number_of(object_of(agent, "resources"), "cpus");
        mem += number_of(object_of(agent, "resources"), "mem");
        cpus_used += number_of(object_of(agent, "used_resources"), "cpus");
        mem_used += number_of(object_of(agent, "used_resources"), "mem");
    }
    for (const auto& framework : list_of(*state, "frameworks"))
        for (const auto& task : list_of(framework, "tasks"))
            tasks += is_over(text_of(task, "state")) ? 0 : 1;
    const auto agents = list_of(*state, "slaves").size();
    const auto frameworks = list_of(*state, "frameworks").size();

    if (output == Output::json) {
        print_json(json::object{{"master", text_of(*state, "hostname")},
                                {"id", text_of(*state, "id")},
                                {"version", text_of(*state, "version")},
                                {"agents", agents},
                                {"agents_active", active},
                                {"frameworks", frameworks},
                                {"tasks", tasks},
                                {"cpus", cpus},
                                {"cpus_used", cpus_used},
                                {"mem_mb", mem},
                                {"mem_used_mb", mem_used}});
        co_return success;
    }
    const double started = number_of(*state, "start_time");
    print(fmt::format("Master      {} ({}), up {}\n", text_of(*state, "hostname"),
                      text_of(*state, "version"), age_text(seconds_since(started))));
    print(fmt::format("Agents      {} ({} active)\n", agents, active));
    print(fmt::format("Frameworks  {}\n", frameworks));
    print(fmt::format("Tasks       {}\n", tasks));
    print(fmt::format("CPUs        {} of {} used\n", cpus_text(cpus_used), cpus_text(cpus)));
    print(
        fmt::format("Memory      {} of {} used\n", megabytes_text(mem_used), megabytes_text(mem)));
    co_return success;
}

async::awaitable<int> show_agents(Cluster cluster, Output output) {
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return complain(agents.error());
    if (output == Output::json) {
        print_json(list_of(*agents, "slaves"));
        co_return success;
    }
    Table table({{"HOST"},
                 {"STATE"},
                 {"CPUS", Align::right},
                 {"MEMORY", Align::right},
                 {"UP", Align::right},
                 {"ID"}});
    for (const auto& agent : list_of(*agents, "slaves")) {
        const auto& total = object_of(agent, "resources");
        const auto& used = object_of(agent, "used_resources");
        table.add({text_of(agent, "hostname"), flag_of(agent, "active", true) ? "active" : "away",
                   used_of_total(number_of(used, "cpus"), number_of(total, "cpus"), cpus_text),
                   used_of_total(number_of(used, "mem"), number_of(total, "mem"), megabytes_text),
                   age_text(seconds_since(number_of(agent, "registered_time"))),
                   text_of(agent, "id")});
    }
    print(table.empty() ? "No agents are registered.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_frameworks(Cluster cluster, Output output, Scope scope) {
    auto document = co_await cluster.get("/frameworks");
    if (!document) co_return complain(document.error());
    json::array all = list_of(*document, "frameworks");
    if (scope == Scope::everything)
        for (const auto& framework : list_of(*document, "completed_frameworks"))
            all.push_back(framework);
    if (output == Output::json) {
        print_json(all);
        co_return success;
    }
    Table table({{"NAME"},
                 {"ROLES"},
                 {"STATE"},
                 {"TASKS", Align::right},
                 {"CPUS", Align::right},
                 {"MEMORY", Align::right},
                 {"AGE", Align::right},
                 {"ID"}});
    for (const auto& framework : all) {
        const bool gone =
            number_of(framework, "unregistered_time") > 0 && !flag_of(framework, "active", false);
        const auto& used = object_of(framework, "used_resources");
        table.add({text_of(framework, "name"), roles_of(framework),
                   gone ? "ended" : (flag_of(framework, "connected", true) ? "connected" : "away"),
                   std::to_string(list_of(framework, "tasks").size()),
                   cpus_text(number_of(used, "cpus")), megabytes_text(number_of(used, "mem")),
                   age_text(seconds_since(number_of(framework, "registered_time"))),
                   text_of(framework, "id")});
    }
    print(table.empty() ? "No framework is subscribed.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_tasks(Cluster cluster, Output output, Scope scope) {
    auto document = co_await cluster.get("/tasks?limit=-1");
    if (!document) co_return complain(document.error());
    json::array tasks;
    for (const auto& task : list_of(*document, "tasks"))
        if (scope == Scope::everything || !is_over(text_of(task, "state"))) tasks.push_back(task);
    if (output == Output::json) {
        print_json(tasks);
        co_return success;
    }
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return complain(agents.error());
    const auto hosts = host_names(*agents);
    Table table({{"TASK"},
                 {"NAME"},
                 {"STATE"},
                 {"FOR", Align::right},
                 {"CPUS", Align::right},
                 {"MEMORY", Align::right},
                 {"HOST"},
                 {"FRAMEWORK"}});
    for (const auto& task : tasks) {
        const auto& held = object_of(task, "resources");
        const auto host = hosts.find(text_of(task, "slave_id"));
        table.add({text_of(task, "id"), text_of(task, "name"), state_text(text_of(task, "state")),
                   age_text(seconds_since(last_change(task))), cpus_text(number_of(held, "cpus")),
                   megabytes_text(number_of(held, "mem")),
                   host == hosts.end() ? text_of(task, "slave_id") : host->second,
                   text_of(task, "framework_id")});
    }
    const auto none = scope == Scope::everything
                          ? "No tasks.\n"
                          : "No tasks are running; --all shows those that ended.\n";
    print(table.empty() ? none : table.text());
    co_return success;
}

async::awaitable<int> show_version(Cluster cluster, Output output) {
    auto version = co_await cluster.get("/version");
    if (output == Output::json)
        print_json(json::object{{"fairctl", FAIRLEAD_VERSION},
                                {"master", version ? *version : json::value(nullptr)}});
    else
        print(fmt::format("fairctl {}\n", FAIRLEAD_VERSION));
    if (!version) {
        if (output == Output::table) fmt::print(stderr, "master: {}\n", version.error().message());
        co_return success;
    }
    if (output == Output::table)
        print(fmt::format("master API {}\n", text_of(*version, "version")));
    co_return success;
}

}  // namespace fairlead::cli
