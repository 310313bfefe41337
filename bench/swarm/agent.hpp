#pragma once
// One agent of the swarm, without a host, a socket or a clock: messages of its master in, messages to its master out.
// It says what the real agent says: registers with all that it has, starts tasks at once (STARTING, and RUNNING when
// that is acknowledged), ends them after the time that their command sleeps, repeats what is not acknowledged, keeps
// the newest epoch and turns older ones away.

#include "bench/swarm/ledger.hpp"
#include "common/async/backoff.hpp"
#include "common/base/instant.hpp"
#include "common/base/prng.hpp"
#include "fairlead/internal/link.pb.h"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::bench {

// What the agents of one thread share.
struct AgentsBoard {
    explicit AgentsBoard(std::uint64_t seed) : prng(seed) {}

    double slots = 2;
    base::Prng prng;
    Ledger ledger;
    std::unordered_map<std::string, v1::FrameworkInfo> frameworks;  // of tasks, by id
    std::uint64_t launched = 0;
    std::uint64_t ended = 0;
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;
    std::uint64_t resent = 0;
    std::uint64_t stale_epochs = 0;
    std::uint64_t refused = 0;
    std::string refusal;
    std::size_t held = 0;  // tasks that are running, or whose end is not acknowledged
};

class Agent {
  public:
    Agent(std::uint32_t number, AgentsBoard& board) : number_(number), board_(board) {}

    // Where its frames go while it is linked; what is sent with it must not come back into the agent.
    struct Link {
        virtual ~Link() = default;
        virtual void send(const internal::FromAgent& message) = 0;
    };

    void link_opened(base::Moment now, Link& link);
    void link_closed();
    // False: the link is to be dropped.
    bool received(base::Moment now, const internal::FromMaster& message, Link& link);
    // What the time has brought. Without a link tasks end all the same, and what they have to say waits. False: as
    // above.
    bool due(base::Moment now, Link* link);
    base::Instant due_at() const;

    bool registered() const { return registered_; }
    base::Instant registered_at() const { return registered_at_; }
    std::uint32_t number() const { return number_; }
    std::uint64_t epoch() const { return epoch_; }
    base::Duration return_within() const { return return_within_; }
    async::Backoff backoff() const;

  private:
    struct Task {
        std::string framework;
        v1::TaskInfo info;
        TaskKey key;
        v1::TaskStatus latest;
        std::vector<v1::TaskStatus> pending;  // not acknowledged, oldest first
        base::Instant ends_at{};
        base::Instant repeat_at = base::Instant::max();  // of the first one, when it has been sent
        base::Duration repeat_delay{};
        bool ended = false;
    };

    bool take_order(base::Moment now, const internal::FromMaster& message, Link& link);
    void registered(base::Moment now, const internal::FromMaster& message, Link& link);
    void update_framework(base::Moment now, const v1::FrameworkInfo& info, Link& link);
    void launch(base::Moment now, const internal::LaunchTasks& launch, Link& link);
    void acknowledged(base::Moment now, const internal::AcknowledgeStatus& message, Link& link);
    void kill(base::Moment now, const internal::KillTask& kill, Link& link);
    void keep(const internal::KeepReservations& keep, Link& link);
    void end(base::Moment now, Task& task, v1::TaskState state, Link* link);
    void update(base::Moment now, Task& task, v1::TaskState state, Link* link);
    void send_first_pending(base::Moment now, Task& task, Link& link);
    void answer_unknown(base::Moment now, const v1::FrameworkID& framework, const v1::TaskID& task, Link& link);
    void send(internal::FromAgent& message, Link& link);
    void describe_resources(v1::AgentInfo& info) const;
    v1::Task describe(const Task& task) const;
    Task* find(const std::string& framework, const std::string& task);

    const std::uint32_t number_;
    AgentsBoard& board_;
    std::string id_;
    std::string cluster_id_;
    std::uint64_t epoch_ = 0;
    bool registered_ = false;
    base::Instant registered_at_{};
    base::Instant silence_at_ = base::Instant::max();  // the link is dead then
    base::Duration silence_max_{};
    base::Duration return_within_ = std::chrono::milliseconds(500);  // to the next leader
    std::vector<std::unique_ptr<Task>> tasks_;
    std::unique_ptr<internal::KeepReservations> kept_;
};

}  // namespace fairlead::bench
