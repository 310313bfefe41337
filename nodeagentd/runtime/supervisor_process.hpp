#pragma once
// Supervisors as processes: started with one end of a socketpair as their only inheritance, and
// buried when they have ended.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "nodeagentd/runtime/supervisor_channel.hpp"

#include <sys/types.h>

#include <memory>
#include <string>

namespace fairlead::nodeagentd::runtime {

struct SupervisorProcess {
    pid_t pid = -1;
    std::shared_ptr<SupervisorChannel> channel;
};

// It does nothing until it is told what to launch, and ends when the channel is closed before.
base::Result<SupervisorProcess> spawn_supervisor(const async::Executor& executor,
                                                 const std::string& program);

// Takes the exit status of a child as soon as there is one; without a thread, a signal handler or
// polling. For a child that is on its way out.
void bury(const async::Executor& executor, pid_t pid);

}  // namespace fairlead::nodeagentd::runtime
