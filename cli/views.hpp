#pragma once
// The commands that look at a cluster or end one task in it. Each gives the program's exit status.

#include "cli/cluster.hpp"
#include "cli/records.hpp"

#include <string>

namespace fairlead::cli {

enum class Output { table, json };

async::awaitable<int> show_status(Cluster cluster, Output output);
async::awaitable<int> show_agents(Cluster cluster, Output output);
async::awaitable<int> show_frameworks(Cluster cluster, Output output, Scope scope);
async::awaitable<int> show_tasks(Cluster cluster, Output output, Scope scope);
async::awaitable<int> show_version(Cluster cluster, Output output);

// `framework` may be empty as long as only one framework has a task of that id.
async::awaitable<int> kill_task(Cluster cluster, std::string task, std::string framework);

struct LogChoice {
    std::string task;
    std::string framework;
    bool follow = false;
    bool from_stderr = false;
};
async::awaitable<int> show_log(Cluster cluster, LogChoice choice);

// "fairctl: ..." on stderr; gives the status.
int complain(const base::Error& error);

}  // namespace fairlead::cli
