#include "nodeagentd/runtime/supervisor_words.hpp"

#include <fmt/format.h>

#include <cstring>

namespace fairlead::nodeagentd::runtime {

using ports::StartFailure;
using supervisor::Message;
using supervisor::StartStage;
using supervisor::TaskState;

namespace {

CommandFailed start_failure(const Message& message, const std::string& command) {
    const char* const text = ::strerror(message.error);
    switch (message.stage) {
        case StartStage::execute:
            return {StartFailure::command,
                    fmt::format("Cannot execute {}: {}",
                                command.empty() ? std::string("the command") : command, text)};
        case StartStage::credentials:
            return {StartFailure::environment,
                    fmt::format("Cannot become the task's user: {}", text)};
        case StartStage::sandbox:
            return {StartFailure::environment, fmt::format("The sandbox cannot be made: {}", text)};
        case StartStage::directory:
            return {StartFailure::environment,
                    fmt::format("Cannot enter the sandbox: {}", text)};
        case StartStage::output_file:
            return {StartFailure::environment,
                    fmt::format("Cannot open stdout or stderr in the sandbox: {}", text)};
        case StartStage::fork:
            return {StartFailure::environment, fmt::format("Cannot make a process: {}", text)};
        default:
            return {StartFailure::environment,
                    fmt::format("Cannot start the command (stage {}): {}",
                                static_cast<unsigned>(message.stage), text)};
    }
}

EndReport end_report(const Message& message) {
    EndReport report;
    report.wait_status = message.wait_status;
    report.oom_kills = message.oom_kills;
    report.leftovers = message.leftovers != 0;
    if (message.sigterm_seen != 0)
        report.sigterm_after = std::chrono::microseconds(message.sigterm_after_us);
    report.usage = {std::chrono::microseconds(message.cpu_user_us),
                    std::chrono::microseconds(message.cpu_system_us), message.memory_peak_bytes};
    return report;
}

}  // namespace

std::optional<Happening> understand(const Message& message, const std::string& command) {
    switch (message.state) {
        case TaskState::running:
            return CommandRuns{message.pid};
        case TaskState::exited:
            return end_report(message);
        case TaskState::start_failed:
            return start_failure(message, command);
        case TaskState::waiting:
            break;
    }
    return std::nullopt;
}

}  // namespace fairlead::nodeagentd::runtime
