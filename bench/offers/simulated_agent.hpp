#pragma once
// The agent's end of a link to a real master, without a host behind it: a task that is launched is finished at once. So
// the time between "this agent has room" and the next launch on it belongs to master and frameworks alone.

#include "bench/samples.hpp"
#include "common/base/prng.hpp"
#include "common/http/client.hpp"
#include "common/http/link_stream.hpp"
#include "fairlead/internal/link.pb.h"

#include <functional>
#include <string>

namespace fairlead::bench {

class SimulatedAgent {
  public:
    struct Events {
        std::function<void(const std::string& host, const std::string& task, Clock::time_point)> launched;
        std::function<void(const std::string& host, Clock::time_point)> has_room;
    };

    // Has `slots` cpus and as many GB of memory.
    SimulatedAgent(http::Url master, std::string host, double slots, Events events)
        : master_(std::move(master)), host_(std::move(host)), slots_(slots), events_(std::move(events)) {}

    // Until the link ends, which is an error: throws std::runtime_error.
    async::awaitable<void> run();

  private:
    void register_with(http::LinkStream& link) const;
    void launch(http::LinkStream& link, const internal::LaunchTasks& launch);

    http::Url master_;
    std::string host_;
    double slots_;
    Events events_;
    base::Prng prng_{std::hash<std::string>{}(host_)};
    std::string agent_id_;
};

}  // namespace fairlead::bench
