#pragma once
// The runtime port on systemd: each container is a transient scope with a supervisor in it, in the
// slice of its framework. See ports/runtime.hpp for what is promised. Everything runs on the strand
// of `executor`; the sink is called there, never from inside a call.
//
//   container_machine   what happens to a container, decided          end_cause   why it ended
//   carry_out           ... and done: timers, bus, supervisors        recovery    what a restart finds
//   unit_calls          calls to systemd, bounded and measured        slice_book  slices of frameworks

#include "nodeagentd/ports/runtime.hpp"
#include "nodeagentd/runtime/unit_calls.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::runtime {

struct Options {
    std::string supervisor = "/usr/libexec/fairlead/fairlead-supervisor";
    // The socket for supervisors and the reports that nobody has read; 0700.
    std::string run_directory = "/run/fairlead/agent";
    UnitCalls::Options unit_calls;
    // For supervisors to come back after an agent restart.
    base::Duration hello_wait = std::chrono::seconds(5);
    // How long a slice stays that has no container.
    base::Duration slice_linger = std::chrono::seconds(10);
};

class SystemdRuntime : public ports::Runtime {
  public:
    SystemdRuntime(async::Executor executor, Options options);
    ~SystemdRuntime() override;

    // At start, before anything else: the socket for supervisors and the connection to systemd. The
    // error is a sentence for whoever starts the agent.
    base::Status open();

    void set_sink(ports::RuntimeSink sink) override;
    using ports::Runtime::recover;
    void recover(std::vector<ports::KnownContainer> known, std::vector<ports::EndedContainer> ended,
                 ports::StrangersSink strangers) override;
    void start(ports::ContainerSpec spec) override;
    void stop(base::ContainerId container, std::optional<base::Duration> grace) override;
    void release(base::ContainerId container) override;
    ports::RuntimeMetrics metrics() const override;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace fairlead::nodeagentd::runtime
