#pragma once
// The thread that writes to the host's disk, so that nobody who decides waits for one: the agent's own record,
// agent.pb, and the log of what a later boot has to tell (task_log.hpp). What is noted for it is written together, a
// little later, and synced once for all; when that goes wrong the log is removed, as one that is out of date would
// tell of tasks that are long over, and begun anew as soon as it can be. Meanwhile a master's questions are answered
// without it, less exactly.

#include "nodeagentd/checkpoint/task_log.hpp"

#include <functional>
#include <memory>
#include <thread>

namespace fairlead::nodeagentd::checkpoint {

class Disk {
  public:
    struct Limits {
        base::Duration pause_min = std::chrono::milliseconds(50);  // between two syncs
        base::Duration retry = std::chrono::seconds(10);
        std::size_t log_slack_bytes = 1024 * 1024;  // that the log may have more than twice what it has to hold
        base::Duration stop_max = std::chrono::seconds(5);
    };

    Disk(const std::filesystem::path& state_directory, const std::string& boot_id);
    Disk(const std::filesystem::path& state_directory, const std::string& boot_id, Limits limits);
    ~Disk() { stop(); }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    // First: a log of this boot in place of an older one, which is read by then. Waits for the disk. An error: the
    // old one cannot be put away.
    base::Status begin(const core::Recovered& recovered);

    // --- one thread, which does not wait ---
    void note(const core::Persist& persist);
    // `done` is called on another thread when the record is on the disk, or cannot be. One at a time.
    using Done = std::function<void(base::Status)>;
    void write(internal::AgentRecord record, Done done);
    // Writes what has been noted; no `done` is called any more when it returns. A disk that takes too long is left
    // behind with its thread.
    void stop();

  private:
    struct Desk;
    static void work(const std::shared_ptr<Desk>& desk);

    const Limits limits_;
    std::shared_ptr<Desk> desk_;  // the thread's, too
    std::thread thread_;
};

// Where they are.
std::filesystem::path agent_file(const std::filesystem::path& state_directory);
std::filesystem::path task_log_file(const std::filesystem::path& state_directory);

}  // namespace fairlead::nodeagentd::checkpoint
