#pragma once
// The files that outlive an agent process: agent.pb in the state directory, written through to the
// disk, and one file per framework and container in the runtime directory, which is gone with a
// reboot as the tasks are. What is told of a task that has ended has to outlive the reboot too: its
// file moves to `ended` in the state directory until somebody has acknowledged it.
//
// Every file is replaced as a whole by a rename, carries a hash of what it says, and leaves its last
// version beside it as NAME.old, which is used when it cannot be read. What cannot be read either is
// set aside under NAME.bad with a line in the journal; but the record of a container stays in place
// until the core says that nothing on the host can belong to it. Owned by the driver's strand.

#include "common/base/error.hpp"
#include "nodeagentd/core/io.hpp"

#include <filesystem>

namespace fairlead::nodeagentd::checkpoint {

class Checkpoint {
  public:
    Checkpoint(std::filesystem::path state_directory, std::filesystem::path runtime_directory);

    base::Status prepare();  // makes the directories
    core::Recovered read() const;
    base::Status write(const core::Persist& persist) const;

  private:
    void read_containers(core::Recovered& recovered) const;
    base::Status write_container(const internal::ContainerRecord& record) const;

    std::filesystem::path agent_file_;
    std::filesystem::path ended_;
    std::filesystem::path frameworks_;
    std::filesystem::path containers_;
};

}  // namespace fairlead::nodeagentd::checkpoint
