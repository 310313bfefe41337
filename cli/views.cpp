#include "cli/views.hpp"

#include "cli/document.hpp"
#include "cli/print.hpp"
#include "cli/records.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>

namespace fairlead::cli {

namespace json = boost::json;

namespace {

std::string age_since(const json::value& record, std::string_view key) {
    const double since = number_of(record, key);
    return age_text(since > 0 ? base::seconds_since_1970(base::read_clocks().wall) - since : -1);
}

std::string cpus_in(const json::value& record, std::string_view key) {
    return cpus_text(number_of(record, key));
}
std::string megabytes_in(const json::value& record, std::string_view key) {
    return megabytes_text(number_of(record, key));
}

std::string roles_in(const json::value& framework) {
    std::string roles;
    for (const auto& role : list_of(framework, "roles"))
        if (role.is_string()) roles += (roles.empty() ? "" : ",") + std::string(role.as_string());
    return roles;
}

}  // namespace

int complain(const base::Error& error) {
    fmt::print(stderr, "fairctl: {}\n", error.message());
    return exit_status_of(error);
}

async::awaitable<int> show_status(Cluster cluster, Output output) {
    auto state = co_await cluster.get("/state");
    if (!state) co_return complain(state.error());
    const json::value record = cluster_record(*state);
    if (output == Output::json) {
        print_json(record);
        co_return success;
    }
    const auto count = [&](std::string_view key) { return text_of(record, key); };
    print(fmt::format("Master      {} ({}), up {}\n", count("master"), count("version"),
                      age_since(record, "started_at")));
    print(fmt::format("Agents      {} ({} active)\n", count("agents"), count("agents_active")));
    print(fmt::format("Frameworks  {}\n", count("frameworks")));
    print(fmt::format("Tasks       {}\n", count("tasks")));
    print(fmt::format("CPUs        {} of {} used\n", cpus_in(record, "cpus_used"),
                      cpus_in(record, "cpus")));
    print(fmt::format("Memory      {} of {} used\n", megabytes_in(record, "mem_used_mb"),
                      megabytes_in(record, "mem_mb")));
    co_return success;
}

async::awaitable<int> show_agents(Cluster cluster, Output output) {
    auto document = co_await cluster.get("/slaves");
    if (!document) co_return complain(document.error());
    const auto agents = agent_records(*document);
    if (output == Output::json) {
        print_json(agents);
        co_return success;
    }
    Table table({{"HOST"},
                 {"STATE"},
                 {"CPUS", Align::right},
                 {"MEMORY", Align::right},
                 {"UP", Align::right},
                 {"ID"}});
    for (const auto& agent : agents)
        table.add({text_of(agent, "hostname"), text_of(agent, "state"),
                   cpus_in(agent, "cpus_used") + "/" + cpus_in(agent, "cpus"),
                   megabytes_in(agent, "mem_used_mb") + "/" + megabytes_in(agent, "mem_mb"),
                   age_since(agent, "registered_at"), text_of(agent, "id")});
    print(table.empty() ? "No agents are registered.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_frameworks(Cluster cluster, Output output, Scope scope) {
    auto document = co_await cluster.get("/frameworks");
    if (!document) co_return complain(document.error());
    const auto frameworks = framework_records(*document, scope);
    if (output == Output::json) {
        print_json(frameworks);
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
    for (const auto& framework : frameworks)
        table.add({text_of(framework, "name"), roles_in(framework), text_of(framework, "state"),
                   text_of(framework, "tasks"), cpus_in(framework, "cpus_used"),
                   megabytes_in(framework, "mem_used_mb"), age_since(framework, "registered_at"),
                   text_of(framework, "id")});
    print(table.empty() ? "No framework is subscribed.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_tasks(Cluster cluster, Output output, Scope scope) {
    auto document = co_await cluster.get("/tasks?limit=-1");
    if (!document) co_return complain(document.error());
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return complain(agents.error());
    const auto tasks = task_records(*document, *agents, scope);
    if (output == Output::json) {
        print_json(tasks);
        co_return success;
    }
    Table table({{"TASK"},
                 {"NAME"},
                 {"STATE"},
                 {"FOR", Align::right},
                 {"CPUS", Align::right},
                 {"MEMORY", Align::right},
                 {"HOST"},
                 {"FRAMEWORK"}});
    for (const auto& task : tasks) {
        const auto host = text_of(task, "hostname");
        table.add({text_of(task, "id"), text_of(task, "name"), text_of(task, "state"),
                   age_since(task, "changed_at"), cpus_in(task, "cpus"),
                   megabytes_in(task, "mem_mb"), host.empty() ? text_of(task, "agent_id") : host,
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
                                {"master", version ? text_of(*version, "fairlead_version") : ""},
                                {"api", version ? text_of(*version, "version") : ""}});
    else
        print(fmt::format("fairctl {}\n", FAIRLEAD_VERSION));
    if (!version) {
        if (output == Output::table) fmt::print(stderr, "master: {}\n", version.error().message());
        co_return success;
    }
    if (output == Output::table)
        print(fmt::format("master {} (API {})\n", text_of(*version, "fairlead_version"),
                          text_of(*version, "version")));
    co_return success;
}

}  // namespace fairlead::cli
