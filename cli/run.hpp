#pragma once
// `fairctl run`: a framework that lives as long as one command. It launches the instances on the
// first offers that hold them, copies their output to ours while they run, and ends with their
// status. An interrupt kills the tasks and takes the framework down; a second one does not wait.

#include "cli/cluster.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <optional>
#include <string>
#include <vector>

namespace fairlead::cli {

struct RunOptions {
    double cpus = 1;
    double mem_mb = 128;
    unsigned instances = 1;
    std::string name;  // empty: the program's
    std::string role = "*";
    std::string user;                       // empty: whoever calls
    std::vector<std::string> environment;   // K=V
    std::optional<base::Duration> timeout;  // each instance is ended when it has run so long
    std::vector<std::string> command;       // argv
};

async::awaitable<int> run_command(Cluster cluster, RunOptions options);

// The exit status that a task's last status stands for: its own, 128 + n for a signal n, 0 for
// TASK_FINISHED, 124 when its time was up (as timeout(1) has it), 1 when nothing else is known.
// Pure.
int exit_status_of_task(const v1::TaskStatus& status);

}  // namespace fairlead::cli
