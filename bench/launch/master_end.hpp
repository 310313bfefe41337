#pragma once
// The master's end of one agent's link, as a load: it lets the agent register, sends it tasks, acknowledges every update
// at once, and keeps the time at which each task was sent, was said to run and was said to be finished. What is measured
// is the agent from task message in to update out; no master and no framework is in the way. A task that ends in any
// other way than well is the end of the measurement.

#include "bench/samples.hpp"
#include "common/http/link_stream.hpp"
#include "fairlead/internal/link.pb.h"

#include <functional>
#include <string>
#include <unordered_map>

namespace fairlead::bench {

struct Crowd {
    double running_per_second = 0;   // first message out to last RUNNING in
    double finished_per_second = 0;  // first message out to last FINISHED in
};

// Owned by the link's strand. Members throw std::runtime_error, with a sentence, when the agent fails.
class MasterEnd {
  public:
    explicit MasterEnd(http::LinkStream link) : link_(std::move(link)) {}

    // First, once.
    async::awaitable<void> let_register();

    struct Serial {
        Samples running;   // task message out to RUNNING in
        Samples finished;  // task message out to FINISHED in
    };
    // One after another.
    async::awaitable<Serial> serial(unsigned tasks);
    // All at once.
    async::awaitable<Crowd> crowd(unsigned tasks);
    // `in_flight` at a time until `tasks` are done.
    async::awaitable<Crowd> stream(unsigned tasks, unsigned in_flight);

  private:
    void send(internal::FromMaster message);
    void launch();
    async::awaitable<void> receive_until(std::function<bool()> reached);
    void take(const internal::StatusUpdate& update);
    void reset_counts();

    http::LinkStream link_;
    std::uint64_t epoch_ = 1;
    std::string agent_id_;
    unsigned names_ = 0;
    std::unordered_map<std::string, Clock::time_point> sent_;  // of tasks that are not finished
    Samples running_times_;
    Samples finished_times_;
    Clock::time_point last_running_;
    Clock::time_point last_finished_;
};

}  // namespace fairlead::bench
