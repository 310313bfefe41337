#pragma once
// A small stand-in for PID 1, for tests of the runtime where no systemd is: it answers the calls that
// the runtime makes, over a real bus connection, about scopes that hold real processes. It keeps to
// what systemd does with scopes (stop with grace, RuntimeMaxSec, results, failed units that stay) and
// has no control groups: a scope's processes are those it was given and their children. The real one
// is tested against in integration/TEST-10-RUNTIME-ON-SYSTEMD.

#include <systemd/sd-bus.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::test {

class FakeSystemd {
  public:
    explicit FakeSystemd(std::string socket);
    ~FakeSystemd();

    // As systemctl would; any thread.
    void stop(const std::string& unit);
    void kill(const std::string& unit, int signal);
    std::set<pid_t> processes(const std::string& unit);
    // Every connection is closed, as at daemon-reexec.
    void drop_connections() { drop_ = true; }

  private:
    struct Unit {
        std::set<pid_t> pids;
        std::string state = "active";
        std::string result = "success";
        std::uint64_t grace_us = 90'000'000;
        std::uint64_t runtime_max_us = UINT64_MAX;
        std::uint64_t entered_us = 0;
        std::uint64_t left_us = 0;
        std::uint64_t kill_at_us = 0;
        std::vector<std::uint32_t> jobs;  // that end when it does
    };

    void serve();
    void accept();
    void look_after_units();
    void begin_stop(Unit& unit);
    void send(Unit& unit, int signal);
    int answer(sd_bus_message* call);
    int start_unit(sd_bus_message* call);
    int stop_unit(sd_bus_message* call);
    int list_units(sd_bus_message* call);
    int properties(sd_bus_message* call);
    int unit_processes(sd_bus_message* call);
    void finish_job(std::uint32_t id, const std::string& unit, const char* result);
    static int on_message(sd_bus_message* call, void* self, sd_bus_error*);

    std::string socket_;
    int listener_ = -1;
    std::mutex mutex_;
    std::map<std::string, Unit> units_;
    std::vector<sd_bus*> connections_;
    std::uint32_t last_job_ = 0;
    std::atomic<bool> over_{false};
    std::atomic<bool> drop_{false};
    std::thread thread_;
};

}  // namespace fairlead::test
