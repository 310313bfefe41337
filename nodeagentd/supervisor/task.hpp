#pragma once
// Starting the task's main process: new session, everything of the supervisor's closed, signals and
// OOM score as a fresh process expects them, its own user, the sandbox as directory, and then
// execve. Either the program runs when start_task returns, or the reason why not is known.

#include "nodeagentd/supervisor/protocol.hpp"

#include <sys/types.h>

namespace fairlead::nodeagentd::supervisor {

struct StartOutcome {
    pid_t pid = -1;
    StartStage stage = StartStage::none;  // none: it runs
    int error = 0;
};

// `out` and `err` become the task's stdout and stderr; the caller closes its copies.
StartOutcome start_task(const LaunchReader& launch, int out, int err);

// For the supervisor itself, before it starts anything; without the right to it nothing changes.
void spare_from_oom_killer();

// The task's directory, with those above it that are missing, given to the task's user. False with errno.
bool make_sandbox(const char* path, const LaunchHead& head);

// Creates or opens for appending, owned by the task's user; a symbolic link in its place is
// refused. -1 with errno.
int open_output_file(const char* path, const LaunchHead& head);

}  // namespace fairlead::nodeagentd::supervisor
