#pragma once
// The agent as systemd sees it: READY=1 once, a STATUS= line that is worth reading in `systemctl status`, and
// WATCHDOG=1 as long as the owner's strand takes a question and answers it. Runs on any strand.

#include "common/async/asio.hpp"
#include "nodeagentd/driver/driver.hpp"

#include <string>

namespace fairlead::nodeagentd {

// "registered with master1:5050 as ...-S1: 3 tasks running, 1 starting; cpus 2 of 4, mem 512 of 7000 MB taken"
std::string status_line(const core::State& state);

class Service {
  public:
    explicit Service(driver::Driver& driver) : driver_(driver) {}

    // For ever.
    async::awaitable<void> watch();

    // Called on the owner's strand with every report.
    void take(const core::Report& report);

    static void stopping();

  private:
    // Asks the owner; what it answers is told to systemd from there.
    void ask(bool watched);

    driver::Driver& driver_;
    std::string last_;  // owner's strand
};

}  // namespace fairlead::nodeagentd
