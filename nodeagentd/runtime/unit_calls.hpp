#pragma once
// Calls to systemd: bounded in number, each with a deadline that counts from the moment it is asked
// for, measured. call_queue.hpp decides which one goes next; here they are made.
//
// What ends or looks at a unit may be said twice without harm, so a call whose outcome got lost with
// the connection (daemon-reexec) is made again by itself. A start is not: its caller gets
// outcome_unknown and looks at the unit first.
//
// Answers come on the strand, never from inside a call here. Errors: limit_exceeded (queue full),
// timed_out (the deadline passed in the queue), and what systemd::Bus tells.

#include "common/systemd/bus.hpp"
#include "nodeagentd/ports/runtime.hpp"
#include "nodeagentd/runtime/call_queue.hpp"
#include "nodeagentd/runtime/latency.hpp"
#include "nodeagentd/runtime/unit_facts.hpp"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::nodeagentd::runtime {

class UnitCalls {
  public:
    using Fill = systemd::Bus::Fill;
    using Done = std::function<void(base::Status)>;

    struct Options {
        CallQueue::Bounds bounds{32, 20'000};
        base::Duration deadline = std::chrono::seconds(30);
        std::string socket = "/run/systemd/private";
    };

    UnitCalls(async::Executor executor, Options options);
    ~UnitCalls();

    // Before anything else, at start; the error is for whoever starts the program.
    base::Status open();
    // From here on nothing is answered any more.
    void close();
    // The connection had been lost and serves again.
    void on_restored(std::function<void()> restored) { restored_ = std::move(restored); }

    // StartTransientUnit. `when_due` runs when the call's turn has come, just before it is made, and
    // may still say no. Success: the job is done, the unit stands.
    void start_unit(std::function<base::Status()> when_due, Fill fill, Done done);
    // StopUnit: success when nothing of the unit is left, also when there was no such unit. It is in
    // flight until systemd has taken the job: the end may be as far away as the unit's grace.
    void stop_unit(std::string unit, Done done);
    void kill_unit(std::string unit, int signal, Done done);
    // ResetFailedUnit: whatever comes of it, the unit is no concern any more.
    void forget_unit(std::string unit, Done done);
    void set_properties(Fill fill, Done done);
    void look_at_unit(std::string unit,
                      std::function<void(base::Result<UnitFacts>)> done);
    // Whether processes are left in it.
    void look_for_processes(std::string unit, std::function<void(base::Result<bool>)> done);
    // Units whose names match one of the patterns.
    void list_units(std::vector<std::string> patterns,
                    std::function<void(base::Result<std::vector<ListedUnit>>)> done);

    // Fills in the part about unit calls.
    void measure(ports::RuntimeMetrics& metrics) const;

  private:
    enum class Repeat { never, when_outcome_unknown };
    // Makes the call with the time that is left for it; `over` is called once, later.
    using Over = std::function<void(base::Status)>;
    using Make = std::function<void(base::Duration left, Over over)>;
    struct Call {
        Lane lane;
        Repeat repeat;
        base::Instant deadline;
        Make make;
        Done done;
    };

    struct Stop {
        std::string unit;
        Done done;
        bool taken = false;  // systemd has the job, and tells of its end
    };

    void stop_again(const std::shared_ptr<Stop>& stop);
    void stop_ended(const std::shared_ptr<Stop>& stop, const base::Status& outcome);
    void submit(Lane lane, Repeat repeat, Make make, Done done);
    void go_on();
    void go_on_soon();
    void make(CallQueue::Ticket ticket);
    void over(CallQueue::Ticket ticket, base::Instant began, base::Status outcome);
    void finish(CallQueue::Ticket ticket, base::Status outcome);
    void watch_deadlines();

    async::Executor executor_;
    Options options_;
    std::unique_ptr<systemd::Bus> bus_;  // until close()
    CallQueue queue_;
    std::unordered_map<CallQueue::Ticket, Call> calls_;
    async::asio::steady_timer deadline_timer_;
    bool watching_ = false;
    std::function<void()> restored_;
    std::shared_ptr<UnitCalls*> alive_;  // handlers that come late see null

    Latency latency_;
    std::uint64_t failed_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t expired_ = 0;
    std::uint64_t reconnects_ = 0;
};

}  // namespace fairlead::nodeagentd::runtime
