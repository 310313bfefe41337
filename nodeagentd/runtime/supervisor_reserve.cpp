#include "nodeagentd/runtime/supervisor_reserve.hpp"

#include <sys/wait.h>

namespace fairlead::nodeagentd::runtime {

namespace {

// Whoever may kill processes of this host may kill one that waits.
bool has_ended(pid_t child) {
    return ::waitpid(child, nullptr, WNOHANG) != 0;
}

}  // namespace

SupervisorReserve::SupervisorReserve(const async::Executor& executor, std::string program)
    : executor_(executor),
      program_(std::move(program)),
      alive_(std::make_shared<SupervisorReserve*>(this)) {}

base::Result<SupervisorProcess> SupervisorReserve::take() {
    SupervisorProcess process = std::exchange(waiting_, {});
    fill_soon();
    if (process.channel && !has_ended(process.pid)) return process;
    if (process.channel) process.channel->close();
    return spawn_supervisor(executor_, program_);
}

void SupervisorReserve::fill_soon() {
    if (waiting_.channel || std::exchange(filling_, true)) return;
    async::asio::post(executor_, [alive = alive_] {
        if (*alive != nullptr) (*alive)->fill();
    });
}

// Where none can be had now, the next start says so.
void SupervisorReserve::fill() {
    filling_ = false;
    if (auto spawned = spawn_supervisor(executor_, program_)) waiting_ = std::move(*spawned);
}

void SupervisorReserve::close() {
    *alive_ = nullptr;
    if (!waiting_.channel) return;
    waiting_.channel->close();
    bury(executor_, waiting_.pid);
    waiting_ = {};
}

}  // namespace fairlead::nodeagentd::runtime
