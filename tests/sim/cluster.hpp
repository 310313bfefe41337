#pragma once
// A whole cluster in one thread: the real master core, real agent cores, scripted frameworks, a network that delays and
// breaks, hosts whose containers outlive their agent. Messages travel as protobuf bytes. Everything may crash and come
// back: links, streams, agents, whole hosts, schedulers (or another one takes over), the master. What must hold is checked
// from outside, by what the hosts really run and what the frameworks really see (checkers.hpp).

#include "common/base/prng.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/invariants.hpp"
#include "nodeagentd/core/core.hpp"
#include "tests/sim/checkers.hpp"
#include "tests/sim/timeline.hpp"
#include "tests/support/master_registry.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fairlead::sim {

// Drawn from the seed.
struct Scenario {
    int agents = 3;
    int frameworks = 2;
    int tasks_per_framework = 20;
    double fault_chance = 0.02;        // at each of the fault's moments
    base::Duration faults_until{};     // then the cluster has to settle
    bool masters_crash = false;
    bool modules_change = false;       // with each new master; some plan late, as a shared object's may
    double reserve_chance = 0;         // at each offer, and at each of the operator's moments
    bool guarantees = false;           // for some roles, and revocation to keep them
    unsigned short_task_percent = 0;
    base::Duration settle_max = std::chrono::minutes(30);

    static Scenario draw(base::Prng& prng);
};

struct Outcome {
    std::vector<std::string> complaints;  // empty: all is well
    std::uint64_t fingerprint = 0;        // of every byte that travelled and when
    int tasks_finished = 0;
    int tasks_lost_and_repeated = 0;
    int tasks_revoked = 0;
    int faults = 0;
};

Outcome simulate(std::uint64_t seed);

// A process that started on a host. Not touched by anything that happens to the agent.
struct HostContainer {
    nodeagentd::core::StartContainer spec;
    enum class State { starting, running, ended } state = State::starting;
    nodeagentd::core::ContainerEnded end;
};

struct Host {
    int number = 0;
    double cpus = 0;
    double mem = 0;
    std::unique_ptr<nodeagentd::core::Core> agent;  // null: crashed
    std::uint64_t life = 0;                         // counts the agent's starts
    int boots = 0;
    std::optional<std::uint64_t> link;
    bool connecting = false;
    std::map<base::ContainerId, HostContainer> containers;
    std::optional<internal::AgentRecord> agent_record;
    resources::Resources kept;  // what its agent knew to be reserved
    std::map<base::FrameworkId, internal::FrameworkRecord> framework_records;
    std::map<base::ContainerId, internal::ContainerRecord> container_records;
};

// Of every task.
inline constexpr Amount task_amount{500, 64};

struct SimTask {
    std::string agent;
    bool terminal = false;
};

struct Scheduler {
    int number = 0;
    std::string id;
    std::string stream_id;
    std::optional<std::uint64_t> stream;  // open, as the scheduler knows it
    int wanted = 0;                       // tasks that still have to be launched
    int finished = 0;
    int lost = 0;
    int next_task = 0;
    // What it says ahead of offers, for as long as it has something to launch.
    enum class Asks { nothing, tasks, gangs } asks = Asks::nothing;
    bool takes_short = false;
    bool asking = false;
    int next_gang = 0;
    bool reconciling = false;
    std::map<std::string, SimTask> tasks;
};

// Of cpus and mem, as much as so many tasks of a simulated framework need.
struct Holding {
    double cpus = 0;
    double mem = 0;
};
inline constexpr Holding one_task{0.5, 64};

std::string role_of(const Scheduler& scheduler);

class Cluster {
  public:
    explicit Cluster(std::uint64_t seed);
    Outcome run();

  private:
    void complain(const std::string& what);
    void note(std::string_view bytes);
    base::Duration network_delay();
    // Delivery in the order of sending, per channel.
    void deliver(std::uint64_t channel, std::function<void()> event);

    // masters.cpp
    void start_master();
    std::unique_ptr<allocator::Module> draw_module(std::uint64_t seed);
    masterd::core::CoreOptions master_options() const;
    void guarantee_something();
    void end_guarantee(const Scheduler& scheduler);
    void take_note_of(const internal::KillTask& kill);
    void crash_master();
    void step_master(const masterd::core::Input& input);
    void carry_out(const masterd::core::Effect& effect);
    void carry_out(const masterd::core::OpenStream& open);
    void carry_out(const masterd::core::SendEvent& sent);
    void carry_out(const masterd::core::CloseStream& closed);
    void carry_out(const masterd::core::SendToAgent& sent);
    void carry_out(const masterd::core::CloseLink& closed);
    void carry_out(const masterd::core::Reply& reply);
    void take_note_of(const v1::scheduler::Event& event);
    void plan_master_deadline();

    // hosts.cpp
    void start_agent(Host& host);
    void crash_agent(Host& host, base::Duration pause);
    void cut_power(Host& host);
    void connect(Host& host);
    void break_link(Host& host, bool told_master_later);
    void step_agent(Host& host, const nodeagentd::core::Input& input);
    void write_down(Host& host, const nodeagentd::core::Persist& persist);
    void act(Host& host, const nodeagentd::core::Action& action);
    enum class End { of_itself, by_its_limit };
    void container_event(Host& host, const base::ContainerId& id, End end = End::of_itself);
    void forget_container(Host& host, const base::ContainerId& id);
    void tell_agent(Host& host, nodeagentd::core::Input input);
    void plan_agent_deadline(Host& host);

    // schedulers.cpp
    void subscribe(Scheduler& scheduler);
    void lose_stream(Scheduler& scheduler);
    void take_over(Scheduler& scheduler);
    void kill_some_task(Scheduler& scheduler);
    void call(Scheduler& scheduler, v1::scheduler::Call call);
    void take_event(Scheduler& scheduler, const v1::scheduler::Event& event);
    void take_offers(Scheduler& scheduler, const v1::scheduler::Event::Offers& offers);
    void take_status(Scheduler& scheduler, const v1::TaskStatus& status);
    void take_inverse_offers(Scheduler& scheduler, const v1::scheduler::Event::InverseOffers& offers);
    void reconcile(Scheduler& scheduler);
    void ask(Scheduler& scheduler);
    bool done() const;

    // reservations.cpp
    void reserve_some(const Scheduler& scheduler, v1::scheduler::Call::Accept& accept, Holding& free,
                      Holding& reserved);
    void give_back_some(const Scheduler& scheduler, v1::scheduler::Call::Accept& accept, Holding& reserved);
    void plan_operator();
    void order_some_reservation();
    bool reservations_are_settled(const Host& host) const;

    // cluster.cpp
    void plan_faults();
    void strike(Host& host);
    void strike(Scheduler& scheduler);
    void explain_what_has_not_settled();

    base::Prng prng_;
    Scenario scenario_;
    Timeline timeline_;
    Outcome outcome_;
    tests::MasterRegistry registry_;
    std::unique_ptr<masterd::core::Core> master_;
    Checkers checkers_{[this](const std::string& what) { complain(what); }};
    std::uint64_t epoch_ = 0;
    std::set<Checkers::TaskKey> revoked_;  // by this master
    masterd::core::Invariants master_invariants_;
    std::optional<base::Instant> master_deadline_;
    std::uint64_t last_number_ = 0;
    std::vector<Host> hosts_;
    std::vector<Scheduler> schedulers_;
    std::map<std::uint64_t, std::size_t> stream_owner_;  // request of a subscription to scheduler
    std::map<std::uint64_t, std::size_t> link_owner_;
    std::map<std::uint64_t, base::Instant> channel_free_;
    // Offers named by ACCEPT and DECLINE calls that the master has not answered yet.
    std::map<std::uint64_t, std::vector<std::string>> calls_about_offers_;
};

}  // namespace fairlead::sim
