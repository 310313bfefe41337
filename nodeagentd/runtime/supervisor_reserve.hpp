#pragma once
// Supervisors before they have a task. To load a program takes longer than all else that an agent
// does for a start, so one supervisor waits, loaded, for the next start; of many starts at once
// each further one has its own loaded when its turn has come.

#include "nodeagentd/runtime/supervisor_process.hpp"

namespace fairlead::nodeagentd::runtime {

class SupervisorReserve {
  public:
    SupervisorReserve(const async::Executor& executor, std::string program);
    ~SupervisorReserve() { close(); }

    // The one that waits, or else a new one. The next is loaded when the caller has returned and systemd is at work.
    // Errors: no process can be made, no such program.
    base::Result<SupervisorProcess> take();
    // Has one wait, when the caller has returned.
    void fill_soon();
    // The one that waits ends.
    void close();

  private:
    void fill();

    async::Executor executor_;
    std::string program_;
    SupervisorProcess waiting_;  // without a channel: none
    bool filling_ = false;
    std::shared_ptr<SupervisorReserve*> alive_;  // holds null once it is closed
};

}  // namespace fairlead::nodeagentd::runtime
