#pragma once
// The master's decisions as one state machine. A step takes one fact and returns what is to be done
// about it; nothing in here reads a clock, opens a socket, or draws chance from anywhere but its
// seed, so the same inputs give the same outputs. One strand owns it; cost per step follows what
// changed, never the size of the cluster.
//
// It leads, or it stands by. Leadership is told to it, for good or on a lease; where it is lost, or the lease is over,
// the core is a standby before it does anything else: it closes every stream and link, knows nothing of the cluster any
// more, and refuses everything but to lead again, under a later epoch.
//
// Silence is held against nobody for as long as this process could not hear: what is still on its way to the owner's
// strand counts as not heard yet, and after a stop (Awoke) whoever is waited for has his time again.
//
// Its parts by file: leadership (how it begins and ends), subscribe (streams and their frameworks), standbys
// (schedulers that wait for another one to go), calls (the checks on every call, and the small ones), accept (what
// becomes of offers), reservations (what is reserved where), tasks (kills, status updates), strays (whose id lives
// twice), reconciliation (what is said of a task or an operation), orders (what operators say of roles), new_links (who
// wants to register), registration (what agents bring), recovery (what an earlier master left), agents (their links and
// their silence), giving_up (of those who stay away), gone (what operators say of them), frameworks (end of), requests
// (what is asked for ahead of offers), allocation (offers), offer_answers (what becomes of them), revocation (what is
// taken back, and how). What they share, who holds what, is in books.hpp.

#include "masterd/core/absent_agents.hpp"
#include "masterd/core/books.hpp"
#include "masterd/core/completed_frameworks.hpp"
#include "masterd/core/ended_frameworks.hpp"
#include "masterd/core/io.hpp"
#include "masterd/core/late_agents.hpp"
#include "masterd/core/offer_filters.hpp"
#include "masterd/core/options.hpp"
#include "masterd/core/revocation_table.hpp"
#include "masterd/core/unread_acknowledgements.hpp"

#include "common/base/prng.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace fairlead::masterd::core {

// What may be looked at from outside: views, metrics, invariants.
struct State {
    bool leading = false;
    std::uint64_t epoch = 0;  // of the newest leadership, also when it is over; never goes back
    std::optional<base::Instant> lease_until;  // then it leads no more; none: it leads for good, or not at all
    v1::MasterInfo master_info;
    base::WallTime elected_time{};
    Books books;
    CompletedFrameworks completed_frameworks;
    AbsentAgents absent_agents;
    LateAgents late_agents;
    std::size_t agents_without_our_epoch = 0;
    bool recovery_window_is_over = false;
    // Agents of an earlier master that have had their time and are not given up yet.
    std::size_t late_from_before() const {
        return recovery_window_is_over ? absent_agents.count(AbsentAgent::Why::recovering) : 0;
    }
    RevocationTable revocations;
    UnreadAcknowledgements unread_acknowledgements;
    // Of the core whose state this is.
    const FilterTable* refusals = nullptr;
    const allocator::Policy* policy = nullptr;
    std::vector<allocator::HoldLine> holds;  // what the allocation module says that it keeps back
    std::size_t filters = 0;
    std::size_t timers = 0;
};

// Where agents are: the name of the host, and the address and port that it comes from. Only one at a time can be there.
class AgentPlaces {
  public:
    void add(const Agent& agent);
    void remove(const Agent& agent);
    Agent* find(Books& books, const v1::AgentInfo& info, const std::string& address) const;

  private:
    static std::size_t hash(const std::string& hostname, const std::string& address, std::int32_t port);
    static std::size_t hash(const Agent& agent);

    // Hashes, not the words that the agents' entries have already. Of two with the same one only the later is found,
    // and the other is missed when its link is over.
    boost::unordered_flat_map<std::size_t, AgentSlot> by_hash_;
};

// What a master knows because it leads. It ends with the leadership, as a whole: the next term begins with a new one.
struct Term {
    struct NewLink {
        std::string peer_address;
        base::Instant opened{};
        base::Instant asked{};  // for what is to come of it next
        Timers::Handle overdue;
        std::shared_ptr<internal::Register> registration;  // what has come of it
        std::size_t bytes = 0;
    };
    struct Question {
        base::TaskId task;
        base::AgentId agent;
        bool by_name = false;  // else only of interest while we have the task
    };
    struct OperationQuestion {
        std::string operation;
        base::AgentId agent;  // empty: not named
        std::optional<std::string> resource_provider;
    };
    struct Questions {
        std::deque<Question> waiting;
        std::deque<OperationQuestion> operations;  // answered after the tasks
        Timers::Handle next;
        // Tasks whose ends were told since: who has asked for them before has his answer.
        std::unordered_set<SharedId<base::TaskId>, SharedIdHash<base::TaskId>, std::equal_to<>> over;
        std::unordered_set<std::string> operations_over;  // likewise
    };

    State state_;
    Timers timers_;
    bool allocation_due_ = true;  // the module has not been shown anything yet, or has asked for it
    bool module_is_new_ = true;
    Timers::Handle allocation_awaited_;
    // Who wants offers and had none at that moment.
    std::vector<std::pair<FrameworkSlot, RoleSlot>> waiting_;
    std::optional<base::Instant> waiting_since_;
    std::size_t next_waiting_ = 0;
    std::unordered_map<RequestId, FrameworkSlot> streams_;
    std::unordered_map<RequestId, FrameworkSlot> standby_streams_;
    boost::unordered_flat_map<LinkId, AgentSlot> links_;  // of registered agents
    std::unordered_map<LinkId, NewLink> new_links_;
    std::size_t registering_bytes_ = 0;  // of all of them
    AgentPlaces places_;
    AgentKinds kinds_;
    EndedFrameworks ended_;  // those that linger are in the registry
    Timers::Handle recovery_over_;
    std::optional<base::Instant> awoke_;  // last, from a stop of this process
    Timers::Handle giving_up_;
    base::Instant next_giving_up_{};  // not before, at the rate that is configured
    std::unordered_map<FrameworkSlot, Questions> questions_;  // of frameworks that asked for many
};

class Core : private Term {
  public:
    Core(CoreOptions options, std::unique_ptr<allocator::Module> module, std::uint64_t seed);
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // With this input all has been taken in that had come to this process by `heard_until`; without: by now. Peers are
    // silent only as far as somebody has listened.
    Output step(base::Moment now, const Input& input, std::optional<base::Instant> heard_until = {});
    // When TimePassed is due at the latest.
    std::optional<base::Instant> next_deadline() const;
    const State& state() const { return state_; }

  private:
    // leadership.cpp
    void take(const LeadershipGained& gained);
    void take(const LeaseExtended& extended);
    void take(const NextMasterKnown& known);
    void take(const LeadershipLost& lost);
    void stop_leading(const std::string& why);
    void close_all();
    void begin_term(State state);
    void show_module_nothing();
    template <typename Fact>
    void refuse(const Fact& fact);

    // core.cpp
    void take(const CallArrived& arrived);
    void take(const StreamClosed& closed);
    void take(const LinkMessage& received);
    void take(const LinkClosed& closed);
    void take(const KillTaskRequested& wanted);
    void take(const RolesOrdered& ordered);
    void take(const ReservationOrdered& ordered);
    void take(const Awoke&) {}
    void take(const TimePassed&);
    base::Instant silent_since(base::Instant last_heard) const;
    std::optional<base::Instant> still_waits_for(base::Duration timeout) const;
    void take(const AllocationDue&);
    void fire(const HeartbeatDue& due);
    void fire(const FailoverExpired& due);
    void fire(const OfferExpired& due);
    void fire(const InverseOfferDue& due);
    void fire(const FilterExpired& due);
    void fire(const PingDue& due);
    void send_ping(Agent& agent);
    std::int64_t agents_return_within_ms() const;
    std::uint32_t history_of_one_agent() const;
    void fire(const AllocationAwaited& due);
    void fire(const WishesOver& due);
    void fire(const SchedulerSilent& due);
    void fire(const AnswersDue& due);
    base::Instant when_heard(base::Instant until) const;
    void reply(RequestId request, unsigned status, std::string body = {});
    void send(const Framework& framework, std::shared_ptr<const v1::scheduler::Event> event);
    void send(const Agent& agent, internal::FromMaster message);
    void send_on(LinkId link, internal::FromMaster message);
    Report& report(Report::Kind kind, std::string message);
    Report& report(Report::Kind kind, std::string message, const Framework& framework);
    Report& report(Report::Kind kind, std::string message, const Agent& agent);

    // subscribe.cpp
    void subscribe(const CallArrived& arrived);
    base::Result<Subscription> subscription_of(const CallArrived& arrived);
    void open_stream(const Subscription& subscription);
    void attach(Framework& framework, Subscription subscription);
    void resume(Framework& framework, Subscription subscription, const std::string& what);
    void refuse_subscription(const CallArrived& arrived, const std::string& why);
    void detach(Framework& framework);  // its stream is gone or being replaced
    void disconnect(Framework& framework, const ConnectionEnd& end);
    void fail_over(Framework& framework);  // its scheduler is told, and its stream closed
    void apply_suppressed(Framework& framework,
                          const google::protobuf::RepeatedPtrField<std::string>& roles);
    void tell_agents_about(const Framework& framework);
    void send_info(const Agent& agent, const Framework& framework);
    void update_framework(Framework& framework, const CallArrived& arrived);
    bool was_completed(const base::FrameworkId& id) const;
    std::size_t framework_count() const;

    // standbys.cpp
    void stand_by(Framework& framework, Subscription subscription);
    bool let_next_take_over(Framework& framework);
    void await_silence(Framework& framework);
    void standby_gone(const StreamClosed& closed);
    void dismiss_standbys(Framework& framework);

    // frameworks.cpp
    void remove_framework(Framework& framework, const std::string& why);
    Framework& add_framework(const base::FrameworkId& id);
    EndedFrameworks::Holders holders_of(const Framework& framework) const;
    void archive(Framework& framework, Task task);
    void tell_shutdown(const Agent& agent, const base::FrameworkId& id);
    void end_remains(const Agent& agent, const base::FrameworkId& id);

    // calls.cpp
    void handle(Framework& framework, const v1::scheduler::Call& call);
    void decline(Framework& framework, const v1::scheduler::Call::Decline& decline);
    void revive(Framework& framework, const v1::scheduler::Call::Revive& revive);
    void suppress(Framework& framework, const v1::scheduler::Call::Suppress& suppress);
    void shutdown_executor(Framework& framework, const v1::scheduler::Call::Shutdown& shutdown);
    void message(Framework& framework, const v1::scheduler::Call::Message& message);
    bool all_subscribed(const Framework& framework,
                        const google::protobuf::RepeatedPtrField<std::string>& roles) const;

    // accept.cpp
    void accept(Framework& framework, const v1::scheduler::Call::Accept& accept);
    void refuse_accept(Framework& framework, const v1::scheduler::Call::Accept& accept,
                       const std::vector<Offer*>& offers, v1::TaskStatus::Reason reason,
                       const std::string& why);
    void launch(Framework& framework, Agent& agent, const base::Role& role,
                const v1::Offer::Operation::Launch& launch, bool has_operation_id,
                std::optional<base::Duration> time_limit, resources::Resources& pool);
    void refuse_operation(Framework& framework, const Agent* agent,
                          const v1::Offer::Operation& operation, const std::string& why);
    void refuse_task(Framework& framework, const v1::TaskInfo& info, v1::TaskState state,
                     v1::TaskStatus::Reason reason, const std::string& why);
    enum class TimeLimit { own, of_offer };
    void book_task(Framework& framework, Agent& agent, const base::Role& role,
                   const v1::TaskInfo& info, resources::Resources resources, TimeLimit limit);

    // requests.cpp
    void request(Framework& framework, const CallArrived& arrived);
    void await_end_of_wishes(Framework& framework);

    // reservations.cpp
    bool reserve(Framework& framework, Agent& agent, const base::Role& role, const v1::Offer::Operation& operation,
                 resources::Resources& pool, resources::Resources& changed);
    base::Status check_reservations(const Agent& agent, const ReservationChange& change) const;
    base::Status check_limits_of(const ReservationChange& change) const;
    void change_reservations(Agent& agent, const ReservationChange& change);
    void make_room(const Agent& agent, const resources::Resources& wanted);
    void tell_reservations(Agent& agent);
    resources::Resources total_registered(Agent* known, resources::Resources total);
    std::set<std::string> unconfirmed_operations(const Framework& of, const base::AgentId& on) const;
    void confirm_changes(Agent& agent, std::uint64_t list);
    void answer(const UnconfirmedChange& change, v1::OperationState state, const std::string& why);
    void answer_unconfirmed(Agent& agent, v1::OperationState state, const std::string& why);
    void answer_waiting_operators(Agent& agent, const std::string& why);

    // tasks.cpp
    bool kill(Framework& framework, const base::TaskId& id, const v1::scheduler::Call::Kill* call);
    void send_kill(const Framework& framework, Task& task, internal::KillTask order);
    void acknowledge(Framework& framework, const v1::scheduler::Call::Acknowledge& acknowledge);
    void note_end_acknowledged(const Agent& agent, const Framework& framework);
    void take_update(Agent& agent, const internal::StatusUpdate& update);
    void apply_state(Framework& framework, Task& task, v1::TaskState state);
    void report_withheld();
    void send_status(const Framework& framework, const v1::TaskStatus& status);
    v1::TaskStatus status_by_master(const base::TaskId& task, const base::AgentId& agent,
                                    v1::TaskState state, v1::TaskStatus::Reason reason,
                                    std::string message) const;

    // strays.cpp
    bool is_stray(const Agent& agent, const Framework& framework, const base::TaskId& id);
    void take_stray(Agent& agent, const Framework& framework, Task task);
    void take_update_of_stray(Agent& agent, const Framework& framework, const internal::StatusUpdate& update);
    void drop_strays(const std::vector<Task*>& strays);

    // reconciliation.cpp
    void reconcile(Framework& framework, const v1::scheduler::Call::Reconcile& reconcile);
    void reconcile_one(Framework& framework, const base::TaskId& id, const base::AgentId& agent);
    void reconcile_operations(Framework& framework, const v1::scheduler::Call::ReconcileOperations& wanted);
    Questions* room_for_questions(const Framework& framework, std::size_t asked, const char* call);
    void answer_tasks(Framework& framework, Questions& questions, std::size_t& left);
    void answer_operations(const Framework& framework, Questions& questions, std::size_t& left);
    v1::OperationState state_of_operation(const base::AgentId& agent, bool is_pending) const;
    void answer_questions(FrameworkSlot slot);
    void drop_questions(const Framework& framework);

    // recovery.cpp
    void inherit(const Inheritance& inheritance);
    bool may_be_on_its_way_back(const base::AgentId& agent) const;
    void persist(const base::AgentId& id, AgentRecord::Standing standing);
    void remember_ended(const base::FrameworkId& id, const EndedFrameworks::Holders& holders);
    void is_off(const base::AgentId& agent, const base::FrameworkId& id);
    bool is_any_agent_away() const;
    void note_who_is_away();
    void forget_ends(const EndedFrameworks::Ids& ids);

    // orders.cpp
    base::Status check_orders(const RolesOrdered& ordered, const OrdersByRole& after) const;
    base::Status check_use(const base::Role& role, const allocator::Limits& limit) const;
    void set_orders(const base::Role& role, const RoleOrders& orders);
    resources::Quantities used_under(const base::Role& role) const;
    void rescind_beyond_limit(const base::Role& role);

    // new_links.cpp
    void take(const LinkOpened& opened);
    void fire(const RegistrationOverdue& due);
    base::Instant registration_deadline(const NewLink& link) const;
    void await_registration(LinkId id, NewLink& link);
    std::optional<NewLink> end_new_link(LinkId id);
    void take_registration(LinkId link, const internal::FromAgent& message);
    void hear_of_later_epoch(LinkId link, const internal::Register& claim);
    void refuse_agent(LinkId link, const std::string& why, bool final);

    // registration.cpp
    void register_agent(LinkId link, const internal::Register& message);
    bool has_epoch(const internal::Register& message) const;
    void remove_predecessor(Agent& predecessor, const base::AgentId& id);
    void take_registered_tasks(Agent& agent, const internal::Register& message);
    // By framework and task.
    using ToldTasks = std::map<std::pair<std::string, std::string>, const v1::Task*>;
    void restore_given_up(Agent& agent, const ToldTasks& told);
    void take_registered_task(Agent& agent, const v1::Task& task, resources::Resources resources);
    Task task_told(const Framework& framework, const Agent& agent, const v1::Task& wire) const;
    using Infos = google::protobuf::RepeatedPtrField<v1::FrameworkInfo>;
    void take_history(Agent& agent, const internal::History& message);
    void remember_over(const Agent& agent, const v1::Task& wire, const Infos& frameworks);
    Framework* framework_remembered(const base::FrameworkId& id, const Infos& frameworks);
    Framework* framework_for_registered(Agent& agent, const internal::Register& message,
                                        const base::FrameworkId& id);
    void answer_registration(Agent& agent, const std::vector<const Task*>& to_answer_for);
    void name_frameworks(const Agent& agent, const Infos& told);

    // agents.cpp
    void take_over(Agent& agent);
    void ask_for_epoch(Agent& agent);
    void link_lost(Agent& agent, const ConnectionEnd& end);
    Report& link_over(Agent& agent, const std::string& why);
    void agent_unreachable(Agent& agent);
    void remove_agent(Agent& agent, AbsentAgent::Why absence, const std::string& why);
    void forget(Agent& agent);
    void tell_failure(const base::AgentId& agent);
    void remember_absent(const base::AgentId& id, AbsentAgent absent);
    std::vector<std::pair<Framework*, base::TaskId>> given_up_with(const base::AgentId& agent);

    // giving_up.cpp
    void fire(const AgentOverdue& due);
    void fire(const RecoveryOver& over);
    void fire(const GivingUp&);
    void expect_no_more(Agent& agent);
    bool is_anybody_late() const;
    void give_up_soon();
    bool give_up_one();

    // gone.cpp
    static constexpr const char* gone_for_good = "An operator has said that this agent is gone for good";
    void take(const AgentGoneOrdered& ordered);
    void end_on(Agent& agent);
    void absent_is_gone(const base::AgentId& id);
    v1::TaskStatus status_of_gone(const Framework& framework, const Task& task) const;

    // allocation.cpp
    enum class Tell { rescind, nothing };
    void allocate();
    Offer* make_offer(const allocator::OfferLine& line);  // null where the line does not hold
    bool holds(const allocator::OfferLine& line) const;
    bool may_have(const allocator::OfferLine& line) const;
    bool is_there(const allocator::OfferLine& line) const;
    bool stays_within_limits(const allocator::OfferLine& line) const;
    enum class Split { by_size, never };
    void send_offers(const Framework& framework, std::span<Offer* const> offers, Split split);
    void end_offer(Offer& offer, Tell tell);
    void end_offers(std::vector<Offer*> offers, Tell tell);
    void await_allocation(std::optional<base::Instant> when);

    // offer_answers.cpp
    void await_answer(Offer& offer);
    bool is_waited_for(const Offer& offer);
    void find_waiting();
    // What a framework has given back at once under one role.
    struct Declined {
        bool any_asked_for = false;
        base::Duration longest_kept{};
        resources::Quantities largest;  // on one agent
        void add(const Core& core, const Offer& offer);
    };
    void note_declined(Framework& framework, const base::Role& role, const Declined& declined, const v1::Filters& filters);
    void note_expired(Framework& framework, const base::Role& role, base::Duration kept);
    bool is_asked_for(const Offer& offer) const;
    bool waits_for_something(const allocator::Claim& claim) const;
    void refuse_for(const Framework& framework, const base::Role& role, AgentSlot agent,
                    const resources::Resources& refused, const v1::Filters& filters);

    // revocation.cpp
    void take_back(const allocator::Plan& plan);
    bool rescind(const allocator::RescindLine& line);
    bool ask_back(const allocator::InverseOfferLine& line);
    void revoke(const allocator::Plan& plan);
    bool may_revoke(std::span<const allocator::RevocationLine* const> unit) const;
    bool is_revocable(const allocator::RevocationLine& line) const;
    void ask(std::span<const allocator::RevocationLine* const> lines);
    std::vector<Revocation*> unit_of(const Revocation& revocation);
    void carry_out(const std::vector<Revocation*>& unit);
    void call_off(const std::vector<Revocation*>& unit, const std::string& why);
    void call_off_on(const Agent& agent);
    bool call_off(const allocator::CallOffLine& line);
    void revocations_unheard_of(const Agent& agent);
    void revocation_over(const Task& task);  // it holds nothing any more
    void leave_out(InverseOffer& offer, const base::TaskId& task);
    void end_inverse_offer(InverseOffer& offer, Tell tell);
    void send_inverse_offer(const InverseOffer& offer);
    void repeat_inverse_offers(const Framework& framework);
    void drop_revocations(const Framework& framework);
    using OfferIds = google::protobuf::RepeatedPtrField<v1::OfferID>;
    void answer_inverse_offers(const Framework& framework, const OfferIds& ids, InverseOffer::Answer answer);

    CoreOptions options_;
    std::unique_ptr<allocator::Module> module_;
    base::Prng prng_;
    allocator::Policy policy_;
    Books& books_;
    FilterTable filters_;
    base::Moment now_{};
    base::Instant heard_until_{};  // not after now
    std::string next_master_;     // address:port; empty: nobody is known to stand by
    Output output_;
    // Go on over all terms, so that no id is handed out twice.
    std::uint64_t next_framework_ = 0;
    std::uint64_t next_agent_ = 0;
    std::uint64_t next_offer_ = 0;
    std::uint64_t next_inverse_offer_ = 0;
    std::uint64_t next_wish_ = 0;
};

}  // namespace fairlead::masterd::core
