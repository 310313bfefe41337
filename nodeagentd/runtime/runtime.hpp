#pragma once
// The runtime port on systemd: each container is a transient scope with a supervisor in it. See
// ports/runtime.hpp for what is promised. Everything runs on the strand of `executor`; the sink is
// called there, never from inside a call.

#include "common/systemd/bus.hpp"
#include "nodeagentd/ports/runtime.hpp"
#include "nodeagentd/runtime/launch_record.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::runtime {

struct Options {
    std::string supervisor = "/usr/libexec/fairlead/fairlead-supervisor";
    std::string run_directory =
        "/run/fairlead/agent";  // the socket for supervisors and unread reports; 0700
    base::Duration call_deadline = std::chrono::seconds(30);
    base::Duration hello_wait =
        std::chrono::seconds(5);  // for supervisors to come back after an agent restart
};

class SystemdRuntime : public ports::Runtime {
  public:
    SystemdRuntime(async::Executor executor, Options options);
    ~SystemdRuntime() override;

    void set_sink(ports::RuntimeSink sink) override;
    void recover(std::vector<ports::KnownContainer> known) override;
    void start(ports::ContainerSpec spec) override;
    void stop(base::ContainerId container, std::optional<base::Duration> grace) override;
    void release(base::ContainerId container) override;
    void set_framework_weight(base::FrameworkId framework, std::uint32_t cpu_weight) override;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace fairlead::nodeagentd::runtime
