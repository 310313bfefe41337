#pragma once
// A whole cluster in one thread: real master cores, real agent cores, scripted frameworks, ZooKeeper (zookeeper.hpp), a
// network that delays and breaks and is cut in one direction or both (network.hpp), hosts whose containers outlive
// their agent. Messages travel as protobuf bytes. Everything may crash and come back: links, streams, agents, whole
// hosts, schedulers (or another one takes over), masters; processes and hosts may be stopped and go on, disks stall and
// fill up, wall clocks jump (faults.hpp names them all). What must hold is checked from outside, by what the hosts
// really run and what the frameworks really see (checkers.hpp).
//
// A process writes before it tells: what it decides while its disk stalls waits behind the write, when a write fails it
// ends, and it may end between any two writes. The next one has what was written, and no more.
//
// One master leads from its start and writes its registry at once. Several are elected, lead under a lease and write
// over the network. In some runs their leases are wrong, as clocks might be, so that two lead at a time: then the
// epochs alone have to keep them from doing harm.

#include "common/base/prng.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/invariants.hpp"
#include "nodeagentd/core/core.hpp"
#include "tests/sim/answers.hpp"
#include "tests/sim/checkers.hpp"
#include "tests/sim/faults.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/records.hpp"
#include "tests/sim/terms.hpp"
#include "tests/sim/timeline.hpp"
#include "tests/sim/zookeeper.hpp"

#include <deque>
#include <functional>
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
    int masters = 1;
    bool masters_crash = false;
    bool modules_change = false;       // with each new master; some plan late, as a shared object's may
    double partition_chance = 0;       // at each of the fault's moments, for all of the network
    enum class Leases { right, too_long } leases = Leases::right;
    // What agents name in registrations: the newest epoch, or none, so that no master learns from them that it is deposed.
    enum class Epochs { named, left_out } epochs = Epochs::named;
    double reserve_chance = 0;         // at each offer, and at each of the operator's moments
    bool guarantees = false;           // for some roles, and revocation to keep them
    unsigned short_task_percent = 0;
    bool disks_fail = false;
    bool records_damaged = false;
    bool clocks_jump = false;          // and processes and hosts sleep for long
    unsigned standby_percent = 0;      // of the frameworks: they have several schedulers
    unsigned ending_percent = 0;       // of the frameworks: they end before their work is done
    // Nothing may stand still for longer once all faults are over. An agent that died without a word is found silent after
    // 75 s, at the next ping (15), or a new leader gives it up after 75; its framework may have its failover timeout still
    // before it (65, and 75 where it was heard of by agents alone). These two may follow each other: 165 s, and a task takes
    // 10. While one of them goes on, schedulers ask for what they miss (30), or for a gang (65).
    base::Duration settle_max = std::chrono::minutes(3);
    // Not drawn: for people, what masters and agents report and what strikes them, a line each.
    std::function<void(const std::string&)> trace;

    static Scenario draw(base::Prng& prng);
};

struct Outcome {
    std::vector<std::string> complaints;  // empty: all is well
    std::uint64_t fingerprint = 0;        // of every byte that travelled and when
    int tasks_finished = 0;
    int tasks_lost_and_repeated = 0;
    int tasks_revoked = 0;
    FaultCounts faults{};
    int takeovers = 0;            // a scheduler that stood by became the active one
    int updates_handed_over = 0;  // told to one scheduler and, as it had not acknowledged it, to the next one too
    int leaderships = 0;
    int rivalries = 0;        // a master came to lead while another one believed that it did
    int fenced_messages = 0;  // of a deposed master, at agents that knew better
    int deposed_by_agents = 0;  // a master heard from one that another epoch has begun, and so did its registry say
    int fenced_writes = 0;    // in the registry
    base::Duration stood_still{};  // for so long at most after the last fault was over
    int agents_repaired = 0;  // by a person, as they had lost what they knew of tasks
};

Outcome simulate(std::uint64_t seed);
// Another scenario than the seed draws.
using Adjust = std::function<void(Scenario&)>;
Outcome simulate(std::uint64_t seed, const Adjust& adjust);

// One process after the other on the same machine.
struct Master {
    int number = 0;
    std::unique_ptr<masterd::core::Core> core;  // null: crashed
    std::uint64_t life = 0;                     // counts its starts, and its ends
    v1::MasterInfo info;
    masterd::core::Invariants invariants;
    std::optional<base::Instant> deadline;
    std::set<Checkers::TaskKey> revoked;  // in this life
    struct Offered {
        base::Role role;
        resources::Quantities amount;
    };
    std::map<std::string, Offered> offers_before;  // before a step that only looks at the time
    base::Duration clock_ahead{};
    bool was_asleep = false;              // and its core has not been told yet
    std::optional<base::Instant> awoke;   // last
    base::Instant disk_stalled_until{};   // where its registry is on its own disk
    bool disk_full = false;

    // What it knows of its election.
    Zookeeper::SessionId session = 0;
    bool elected = false;
    std::uint64_t term = 0;  // how often it was elected, or not any more, or tried again to take over
    std::optional<base::Instant> lease;

    // Its driver: what was decided and has not been told, behind what has to be written first.
    struct Waiting {
        masterd::core::Output output;
        std::uint64_t write = 0;
        std::vector<std::string> over;  // frameworks whose offers end with it
    };
    std::deque<Waiting> queue;
    std::vector<masterd::core::Persist> changes;
    std::vector<masterd::core::Persist> being_written;  // to a disk of its own
    bool write_wanted = false;  // of these, or of nothing
    bool writing = false;
    bool doubted = false;  // an agent has named a later epoch, and the registry has not answered yet
    std::uint64_t writes_over = 0;
    std::uint64_t write_term = 0;

    bool leads() const { return core && core->state().leading; }
    std::uint64_t epoch() const { return core ? core->state().epoch : 0; }
};

// A process that started on a host. Not touched by anything that happens to the agent.
struct HostContainer {
    nodeagentd::core::StartContainer spec;
    enum class State { starting, running, ended } state = State::starting;
    nodeagentd::core::ContainerEnded end;
};

// What its agent has decided, and may only tell when all of it is written.
struct Decided {
    nodeagentd::core::Output output;
    std::uint64_t write = 0;        // of the agent's own record, which has to be over first
    std::uint64_t records = 0;      // so many of these had been decided by then
    resources::Resources reserved;  // as it was decided
};
struct OwnRecord {
    internal::AgentRecord record;
    std::uint64_t number = 0;  // of those that were decided
};

struct Host {
    int number = 0;
    double cpus = 0;
    double mem = 0;
    std::unique_ptr<nodeagentd::core::Core> agent;  // null: crashed
    std::uint64_t life = 0;                         // counts the agent's starts
    int boots = 0;
    std::optional<std::uint64_t> link;
    int link_master = 0;  // to whom
    bool connecting = false;
    std::map<base::ContainerId, HostContainer> containers;
    std::optional<internal::AgentRecord> agent_record;
    resources::Resources kept;  // what is written of what is reserved here
    RecordFiles files;  // gone with the boot
    LogFile log;
    // What was written or read last.
    std::map<base::FrameworkId, internal::FrameworkRecord> framework_records;
    std::map<base::ContainerId, internal::ContainerRecord> container_records;
    std::size_t unreadable = 0;      // records, when they were read last
    std::uint64_t losses_known = 0;  // to the agent that runs, of what was forgotten here

    // The driver of its agent: what waits for the agent's own record to be on the disk, which may be slow.
    std::deque<Decided> queue;
    std::optional<OwnRecord> next_record;
    std::optional<OwnRecord> being_written;
    std::uint64_t writes_over = 0;
    std::uint64_t records_decided = 0;
    std::uint64_t records_kept = 0;  // the newest on the disk
    base::Instant disk_stalled_until{};
    bool disk_full = false;
    bool memory_full = false;  // where the other records are
    int writes_to_crash = 0;  // that many and its agent ends; 0: it does not
    bool suspended = false;
    std::vector<std::function<void()>> frozen;  // what will happen in its containers when it goes on
    base::Duration clock_ahead{};
};

// Of every task.
inline constexpr Amount task_amount{500, 64};

struct SimTask {
    std::string agent;
    bool terminal = false;
};

// What all schedulers of a framework know, as if they kept it in one place.
struct Framework {
    int number = 0;
    std::string id;
    int wanted = 0;                       // tasks that still have to be launched
    int finished = 0;
    int lost = 0;
    int next_task = 0;
    // What it says ahead of offers, for as long as it has something to launch.
    enum class Asks { nothing, tasks, gangs } asks = Asks::nothing;
    bool takes_short = false;
    bool knows_partitions = true;
    bool has_standbys = false;
    bool asking = false;
    int next_gang = 0;
    bool reconciling = false;
    // Most end when all their tasks have finished; some before.
    enum class Ends { with_its_work, by_teardown, by_absence } ends = Ends::with_its_work;
    base::Duration failover_timeout{};
    bool is_ending = false;
    bool is_over = false;  // as its schedulers know, who do not come again
    std::map<std::string, SimTask> tasks;
    std::map<std::string, int> told;  // updates by uuid: to which scheduler
    std::optional<base::Instant> below_guarantee_since;
};

// One process of a framework.
struct Scheduler {
    int number = 0;
    Framework* framework = nullptr;
    std::string stream_id;
    std::optional<std::uint64_t> stream;  // open, as the scheduler knows it
    int stream_master = 0;  // of whom
    bool active = false;    // as it has heard on this stream
    base::Instant last_heard{};
};

// Of cpus and mem, as much as so many tasks of a simulated framework need.
struct Holding {
    double cpus = 0;
    double mem = 0;
};
inline constexpr Holding one_task{0.5, 64};
// Until a connection is given up whose other end has vanished.
inline constexpr base::Duration keepalive_max = std::chrono::seconds(60);

std::string role_of(const Framework& framework);

class Cluster {
  public:
    explicit Cluster(std::uint64_t seed, const Adjust& adjust = {});
    Outcome run();

  private:
    void complain(const std::string& what);
    void count(Fault fault) {
        ++outcome_.faults[static_cast<std::size_t>(fault)];
        if (scenario_.trace) trace(std::string(fault_names[static_cast<std::size_t>(fault)]));
    }
    void trace(const std::string& what);
    void note(std::string_view bytes);
    base::Duration network_delay();
    // Delivery in the order of sending, per channel.
    void deliver(std::uint64_t channel, Party from, Party to, std::function<void()> event);

    // masters.cpp
    void start_master(Master& master);
    std::unique_ptr<allocator::Module> draw_module(std::uint64_t seed);
    masterd::core::CoreOptions master_options() const;
    void take_note_of(Master& master, const internal::KillTask& kill);
    void crash_master(Master& master);
    void stop_master(Master& master, base::Duration time);
    base::Moment moment_of(const Master& master) const;
    void watch_schedulers(const Master& master);
    void take_note_of(Master& master, const masterd::core::Output& output);
    void write_to_own_disk(Master& master);
    void step_master(Master& master, const masterd::core::Input& input);
    void remember_offers(Master& master);
    void carry_out_all(Master& master);
    void carry_out(Master& master, const Master::Waiting& waiting);
    void start_write(Master& master);
    void send_write(Master& master, std::uint64_t number, std::vector<masterd::core::Persist> changes);
    void written(Master& master, bool made);
    void void_queue(Master& master);
    void carry_out(Master& master, const masterd::core::OpenStream& open);
    void carry_out(Master& master, const masterd::core::SendEvent& sent);
    void carry_out(Master& master, const masterd::core::CloseStream& closed);
    void carry_out(Master& master, const masterd::core::SendToAgent& sent);
    void carry_out(Master& master, const masterd::core::CloseLink& closed);
    void carry_out(Master& master, const masterd::core::Reply& reply);
    void take_note_of(Master& master, const v1::scheduler::Event& event);
    void take_note_of(const Master& master, const v1::scheduler::Event& event, std::uint64_t stream);
    void plan_master_deadline(Master& master);

    // elections.cpp
    void ask_zookeeper(Master& master, std::function<std::function<void()>()> request);
    void contend(Master& master);
    void keep_probing(Master& master);
    void probe(Master& master);
    void probed(Master& master, base::Instant sent, bool alive, bool is_first);
    void take_over(Master& master);
    void lose_leadership(Master& master, const std::string& reason);
    Master* leader_known_to(Party asker);
    Master* some_master(Party asker);
    const Master* leading_master() const;
    void plan_expiry();
    // Of the process that runs now, when it is not stopped.
    void later(Master& master, base::Duration delay, std::function<void()> event);
    base::Duration lease_time() const;
    void plan_look(Host& host);
    void plan_look(Scheduler& scheduler);
    void strike(Master& master);
    void strike_disk(Master& master);
    void cut_something();
    void cut_for(Party a, Party b, base::Duration time);
    bool is_deposed(const Master& master) const { return master.epoch() < zookeeper_.epoch(); }

    // operators.cpp
    void guarantee_something();
    void end_guarantee(const Framework& framework);
    void order_roles(std::vector<masterd::core::RoleOrder> orders);
    void send_next_order();
    void order_answered(std::uint64_t request, unsigned status);
    void check_orders();
    void watch_guarantees();

    // hosts.cpp
    void start_agent(Host& host);
    void crash_agent(Host& host, base::Duration pause);
    void stop_agent(Host& host);
    void end_agent(Host& host);
    void cut_power(Host& host);
    void connect(Host& host);
    void break_link(Host& host, bool told_master_later);
    void tell_link_closed(const Host& host, std::uint64_t link);
    base::Moment moment_of(const Host& host) const;
    void send(Host& host, const nodeagentd::core::SendToMaster& sent);
    void take_note_of(const Master& master, std::uint64_t link, const internal::FromAgent& message);
    // In its containers: when it is suspended, afterwards.
    void on_host(Host& host, base::Duration delay, std::function<void()> event);
    void suspend(Host& host, base::Duration time);
    enum class Acted { no, yes };
    Acted step_agent(Host& host, const nodeagentd::core::Input& input);
    void take_from_master(Host& host, std::shared_ptr<const internal::FromMaster> message);
    void act(Host& host, const nodeagentd::core::Action& action);
    enum class End { of_itself, by_its_limit, by_a_stop };
    void container_event(Host& host, const base::ContainerId& id, End end = End::of_itself);
    void forget_container(Host& host, const base::ContainerId& id);
    static bool has_run(const Host& host, const base::ContainerId& id);
    void settle_runtime(Host& host, const std::set<base::ContainerId>& known,
                        const nodeagentd::core::RecoverContainers& recover);
    void tell_agent(Host& host, nodeagentd::core::Input input);
    void plan_agent_deadline(Host& host);

    // disks.cpp
    void strike_disk(Host& host);
    void queue_up(Host& host, nodeagentd::core::Output output);
    void carry_out_all(Host& host);
    void carry_out(Host& host, const Decided& told);
    void start_write(Host& host);
    void write_is_over(Host& host);
    enum class Survived { no, yes };
    Survived write(Host& host, bool has_room, const std::function<void()>& write_down);
    void write_down(Host& host, const nodeagentd::core::Persist& persist);
    void write_down(Host& host, const OwnRecord& own);
    void check_claims(Host& host, const Decided& told);
    void check_claim(const Host& host, const internal::FromAgent& message, const Decided& told);

    // records.cpp
    nodeagentd::core::Recovered read_records(Host& host);
    std::optional<nodeagentd::checkpoint::Version> read(RecordFile& file, google::protobuf::Message& message);
    static std::set<Checkers::TaskKey> tasks_in_records(const Host& host);
    static void take_over_earlier_boot(Host& host);
    static std::string boot_of(const Host& host);
    void begin_log(Host& host, const nodeagentd::core::Recovered& recovered);
    void plan_log(Host& host, base::Duration pause);
    void write_log(Host& host);
    void end_log(Host& host);
    static std::set<Checkers::TaskKey> ends_in_log(const Host& host);
    std::string damaged(std::string bytes);
    void damage(std::optional<RecordFile::Bytes>& file);
    void strike_records(Host& host);
    void give_up(Host& host, const std::string& why);
    void plan_repair(Host& host, base::Duration pause);
    void repair(Host& host);

    // schedulers.cpp
    void subscribe(Scheduler& scheduler);
    void lose_stream(Scheduler& scheduler);
    void tell_stream_closed(const Scheduler& scheduler, std::uint64_t stream);
    void subscribe_later(Scheduler& scheduler);
    void take_over(Scheduler& scheduler);
    void stall(Scheduler& scheduler);
    void vanish(Scheduler& scheduler);
    void beat(Scheduler& scheduler);
    Scheduler* speaker_of(const Framework& framework);
    void kill_some_task(Scheduler& scheduler);
    void call(Scheduler& scheduler, v1::scheduler::Call call);
    void take_event(Scheduler& scheduler, const v1::scheduler::Event& event);
    void take_offers(Scheduler& scheduler, const v1::scheduler::Event::Offers& offers);
    void take_error(Scheduler& scheduler, const std::string& message);
    void take_status(Scheduler& scheduler, const v1::TaskStatus& status);
    bool remember_told(Scheduler& scheduler, const std::string& uuid);
    void take_inverse_offers(Scheduler& scheduler, const v1::scheduler::Event::InverseOffers& offers);
    void ask(Framework& framework);
    bool done() const;

    // questions.cpp
    void reconcile(Framework& framework);
    void ask_about_tasks(Scheduler& scheduler);
    void watch_answers(const Master& master, std::uint64_t epoch, const masterd::core::Input& input,
                       const masterd::core::Output& output);
    void take_note_of_link_message(std::uint64_t epoch, std::uint64_t link, const internal::FromAgent& message);
    void take_note_of_order(std::uint64_t epoch, std::uint64_t link, const internal::FromMaster& message);
    void judge(const Framework& framework, std::uint64_t epoch, const v1::TaskStatus& status,
               const masterd::core::Input& input);
    void judge_silence(std::uint64_t epoch, const masterd::core::Input& input, const masterd::core::Output& output,
                       const std::set<Checkers::TaskKey>& told);
    bool lives(const Checkers::TaskKey& task) const;

    // endings.cpp
    void draw_end(Framework& framework);
    bool runs_for_hours(const Checkers::TaskKey& task);
    const masterd::core::Framework* awaited_in_vain(const Framework& framework) const;
    bool is_kept_without_its_record(const Framework& framework) const;
    bool is_back_with_the_boot(const Host& host, const internal::ContainerRecord& record) const;
    void tear_down(Framework& framework);
    void strike_at_the_end(Master& master);
    void desert(Framework& framework);
    void stop_wanting(Framework& framework);
    void over(Framework& framework);
    void leave(Scheduler& scheduler);
    void watch_endings(const Master& master, std::uint64_t epoch, const masterd::core::Input& input,
                       const masterd::core::Output& output);
    void check_endings();

    // reservations.cpp
    void reserve_some(const Framework& framework, v1::scheduler::Call::Accept& accept, Holding& free,
                      Holding& reserved);
    void give_back_some(const Framework& framework, v1::scheduler::Call::Accept& accept, Holding& reserved);
    void plan_operator();
    void order_some_reservation();
    bool reservations_are_settled(const Host& host) const;

    // cluster.cpp
    void start_frameworks();
    void plan_faults();
    void strike(Host& host);
    void strike(Scheduler& scheduler);
    base::Duration draw_jump();
    void sleep_or_jump();
    // What is done to somebody is over after this time; until then, as long as anything is accomplished, nobody counts.
    void takes(base::Duration time) { moves_until_ = std::max(moves_until_, timeline_.now().instant + time); }
    void accomplished() {
        outcome_.stood_still = std::max(outcome_.stood_still, timeline_.now().instant - moves_until_);
        takes({});
    }
    bool may_strike() const { return timeline_.now().instant.time_since_epoch() <= scenario_.faults_until; }
    void explain_what_has_not_settled();

    base::Prng prng_;
    Scenario scenario_;
    Timeline timeline_;
    Outcome outcome_;
    Zookeeper zookeeper_{std::chrono::seconds(4)};
    Network network_;
    Checkers checkers_{[this](const std::string& what) { complain(what); }};
    Terms terms_{{masterd::core::CoreOptions().agent_reregister_timeout, masterd::core::CoreOptions().agent_return_time_min},
                 [this](const std::string& what) { complain(what); }};
    struct Brought {
        std::vector<Checkers::TaskKey> tasks;
        bool has_epoch = false;
    };
    std::map<std::uint64_t, Brought> brought_;  // by link, with registrations that are not answered yet
    Answers answers_{terms_, [this](const Checkers::TaskKey& task) { return lives(task); },
                     [this](const std::string& what) { complain(what); }};
    base::Instant moves_until_{};
    std::uint64_t last_number_ = 0;
    std::vector<Master> masters_;
    std::vector<Host> hosts_;
    std::vector<Framework> frameworks_;
    std::vector<Scheduler> schedulers_;
    struct Ends {
        std::size_t owner = 0;  // of schedulers or hosts
        int master = 0;
    };
    std::map<std::uint64_t, Ends> stream_ends_;  // by the request of a subscription
    std::map<std::uint64_t, Ends> link_ends_;
    std::set<std::uint64_t> streams_opened_;  // ever
    std::set<std::uint64_t> standing_by_;     // streams
    // What was plain of an agent when an offer of it was decided.
    std::map<std::string, Amount> plain_then_;
    std::map<std::uint64_t, int> hosts_of_links_;  // of all that were ever opened
    std::map<std::uint64_t, base::Instant> channel_free_;
    // Offers named by ACCEPT and DECLINE calls that the master has not answered yet.
    struct AboutOffers {
        int master = 0;
        std::vector<std::string> offers;
    };
    std::map<std::uint64_t, AboutOffers> calls_about_offers_;
    std::map<std::uint64_t, Scheduler*> teardowns_;  // whose calls are not answered yet, by request
    // One order after the other, each again and again until it is acknowledged; what the last of them said of each
    // role.
    std::deque<std::vector<masterd::core::RoleOrder>> orders_;
    std::uint64_t order_at_hand_ = 0;  // its request
    masterd::core::OrdersByRole acknowledged_orders_;
};

}  // namespace fairlead::sim
