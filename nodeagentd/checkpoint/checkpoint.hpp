#pragma once
// The files that outlive an agent process: agent.pb in the state directory, which another writes
// (disk.hpp), and one file per framework and container in the runtime directory, which is gone with a
// reboot as the tasks are. Each is a record as file.hpp has them. One that cannot be read, nor the one
// before it, is set aside under NAME.bad with a line in the journal; but that of a container stays in
// place until the core says that nothing on the host can belong to it. What an earlier boot left in its log
// (task_log.hpp) becomes files of this one when they are read. Owned by the driver's strand.

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
