#pragma once
// The owner of the master's core: one strand, one mailbox in, the core's effects carried out in their order. Anybody on
// any thread may post; what the driver knows of the world are the two small interfaces below, which the HTTP side
// implements, and the registry. When an input wanted offers to be made, the driver asks the core for them once the
// batch at hand is done.
//
// What has to be durable is written before anything is carried out that was decided with it or after it. The core does
// not wait: it goes on taking steps, their effects queue up behind the write, and what they add to be written goes in
// one transaction when the write has ended, so that a whole cluster's agents can join at the price of a few. The queue
// is bounded: when it is full no more inputs are taken, and the mailbox fills; a write that takes too long has failed.
// When a write fails, or leadership ends, what is in the queue is void: callers are told to try again, nobody is told
// anything else of it.

#include "common/async/asio.hpp"
#include "common/async/mailbox.hpp"
#include "masterd/core/core.hpp"
#include "masterd/driver/hearing.hpp"
#include "masterd/registry/registry.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <variant>

namespace fairlead::masterd::driver {

// Whoever made a call: gets either one reply, or a stream and then events until either side closes it. Called on the
// owner's strand; must not block.
class Caller {
  public:
    virtual ~Caller() = default;
    virtual void reply(unsigned status, std::string body) = 0;
    virtual void open_stream(core::RequestId stream, const std::string& stream_id) = 0;
    virtual void send(std::shared_ptr<const v1::scheduler::Event> event) = 0;
    virtual void close_stream() = 0;
};

// An agent's connection. Called on the owner's strand; must not block.
class AgentConnection {
  public:
    virtual ~AgentConnection() = default;
    virtual void send(std::shared_ptr<const internal::FromMaster> message) = 0;
    virtual void close() = 0;
};

class Driver {
  public:
    using ReportSink = std::function<void(const core::Report&)>;
    using Look = std::function<void(const core::State&)>;
    using FailureSink = std::function<void(const base::Error&)>;
    struct Limits {
        std::size_t waiting_effects_max = 500'000;  // behind a write
        std::size_t waiting_bytes_max = 256 * 1024 * 1024;  // of messages among them
        std::size_t changes_max = 100'000;  // to be written
        std::size_t input_bytes_max = 512 * 1024 * 1024;  // of what agents have said and nobody has taken in yet
        base::Duration write_max = std::chrono::seconds(60);
    };

    // `owner` is the strand that run() is spawned on; reports and failures are handed out there. When the registry
    // cannot be written, be it because somebody else has begun an epoch, leadership has ended when `on_failure` hears
    // of it.
    Driver(async::Executor owner, std::unique_ptr<core::Core> core, ReportSink on_report, FailureSink on_failure = {});
    Driver(async::Executor owner, std::unique_ptr<core::Core> core, ReportSink on_report, FailureSink on_failure,
           Limits limits);

    // Until stop(), and until the write at hand has ended. The core is touched by this coroutine, by the end of a write
    // on the same strand, and by nothing else.
    async::awaitable<void> run();
    void stop();

    // --- any thread: leadership. Taken in at once, before all that waits in the mailbox, also when that is full ---
    // Without a registry nothing outlives the process.
    void lead(core::LeadershipGained gained, std::shared_ptr<registry::Registry> registry = nullptr);
    void extend_lease(base::Instant until);
    void next_master_is(std::string address);
    void stop_leading(std::string reason);

    // --- any thread; false when the mailbox is full, or agents have filled it with too much, and nothing was done ---
    // The request's number is given by the driver.
    bool call(core::CallArrived call, std::shared_ptr<Caller> caller);
    bool kill_task(base::FrameworkId framework, base::TaskId task, std::shared_ptr<Caller> caller);
    bool mark_agent_gone(base::AgentId agent, std::shared_ptr<Caller> caller);
    bool order_roles(core::RolesOrdered ordered, std::shared_ptr<Caller> caller);
    bool order_reservation(core::ReservationOrdered ordered, std::shared_ptr<Caller> caller);
    // The two ends are taken in also when the mailbox is full: nobody would tell of them again.
    void stream_closed(core::RequestId stream, core::ConnectionEnd end = {});
    std::optional<core::LinkId> link_opened(std::string peer, std::shared_ptr<AgentConnection> connection);
    bool link_message(core::LinkId link, std::shared_ptr<const internal::FromAgent> message);
    void link_closed(core::LinkId link, core::ConnectionEnd end = {});
    // Runs `look` on the owner's strand between two steps. It must be quick.
    bool look(Look look);
    // As look(), but taken in at once, as leadership is: for whoever asks whether the owner's strand still takes steps,
    // which it does also with a full mailbox and behind a write. false: so many ask already that it hardly does.
    bool look_at_once(Look look);
    // The allocation module has a plan to be asked for. Taken in also when the mailbox is full: one for each plan at
    // most.
    void plan_ready();

    std::size_t inputs_waiting() const { return mailbox_.size(); }
    // Transactions that have been begun. Owner's strand.
    std::uint64_t writes() const { return writes_; }
    // Whether the core has taken up what lead() told it.
    bool leading() const { return leading_; }

  private:
    struct NewCall {
        core::Input input;
        core::RequestId request;
        std::shared_ptr<Caller> caller;
    };
    struct NewLink {
        core::LinkOpened input;
        std::shared_ptr<AgentConnection> connection;
    };
    struct NewTerm {
        core::LeadershipGained input;
        std::shared_ptr<registry::Registry> registry;
    };
    using Item = std::variant<core::Input, NewCall, NewLink, NewTerm, Look>;
    struct Arrived {
        Item item;
        std::size_t bytes = 0;  // of an agent's message
        base::Instant when = base::read_clocks().instant;
    };

    // What the core has decided, and the world has not been told.
    struct Waiting {
        core::Output output;
        std::uint64_t write = 0;  // the number of that which has to be over first
        std::size_t bytes = 0;    // known of those that have been left waiting
    };

    core::RequestId next_request() { return core::RequestId{++last_number_}; }
    void take_at_once(Item item);
    void wake_for_what_cannot_wait();
    void take_what_cannot_wait();
    void take(Item& item);
    void step(const core::Input& input);
    void take_note_of_stops(base::Moment now);
    void queue_up(core::Output output);
    bool is_behind() const;
    void carry_out_all();
    void weigh_those_left();
    void carry_out(core::Output& output);
    void carry_out(core::Effect& effect);
    void start_write();
    void written(std::uint64_t term, const base::Status& status);
    void void_queue();
    void call_off(core::Effect& effect);
    base::Duration until_deadline() const;

    const async::Executor owner_;
    const Limits limits_;
    async::Mailbox<Arrived> mailbox_;
    std::atomic<std::size_t> input_bytes_{0};
    Hearing hearing_;
    std::mutex at_once_mutex_;
    std::vector<Item> at_once_;
    std::atomic<bool> anything_at_once_{false};
    std::unique_ptr<core::Core> core_;
    ReportSink on_report_;
    FailureSink on_failure_;

    // --- of this term of leadership ---
    std::uint64_t term_ = 0;
    std::shared_ptr<registry::Registry> registry_;
    std::deque<Waiting> queue_;
    std::size_t weighed_ = 0;  // the first of the queue
    std::size_t waiting_effects_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::vector<core::Persist> changes_;  // of the next write
    bool write_wanted_ = false;  // of these; be it of nothing, to hear whether our epoch is the newest
    bool writing_ = false;
    std::uint64_t writes_over_ = 0;

    std::uint64_t writes_ = 0;        // begun since the start
    std::size_t writes_at_hand_ = 0;  // of earlier terms, too
    async::Wake moved_;               // what run() waits for when it takes no inputs
    std::atomic<bool> leading_{false};
    std::atomic<std::uint64_t> last_number_{0};
    bool allocation_wanted_ = false;
    base::Instant last_look_{};
    std::unordered_map<core::RequestId, std::shared_ptr<Caller>> callers_;
    std::unordered_map<core::LinkId, std::shared_ptr<AgentConnection>> links_;
};

}  // namespace fairlead::masterd::driver
