#pragma once
// The files that outlive an agent process: agent.pb in the state directory, which another writes
// (disk.hpp), and one file per framework and container in the runtime directory, which is gone with a
// reboot as the tasks are. Every file is replaced as a whole by a rename. What cannot be read is
// set aside under NAME.bad with a line in the journal. What an earlier boot left in its log (task_log.hpp)
// becomes files of this one when they are read. Owned by the driver's strand.

#include "common/base/error.hpp"
#include "nodeagentd/core/io.hpp"

#include <filesystem>
#include <string>

namespace fairlead::nodeagentd::checkpoint {

class Checkpoint {
  public:
    Checkpoint(std::filesystem::path state_directory, std::filesystem::path runtime_directory, std::string boot_id);

    base::Status prepare();  // makes the directories
    base::Result<core::Recovered> read() const;
    // All but the agent's own record, which is the disk's (disk.hpp).
    base::Status write(const core::Persist& persist) const;

  private:
    base::Status take_over_earlier_boot() const;

    const std::string boot_id_;
    std::filesystem::path agent_file_;
    std::filesystem::path log_file_;
    std::filesystem::path frameworks_;
    std::filesystem::path containers_;
};

}  // namespace fairlead::nodeagentd::checkpoint
