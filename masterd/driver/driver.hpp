#pragma once
// The owner of the master's core: one strand, one mailbox in, the core's effects carried out in their order. Anybody on
// any thread may post; what the driver knows of the world are the two small interfaces below, which the HTTP side
// implements, and the registry, which it writes before it carries out what depends on it: once for all inputs that were
// waiting, so that a whole cluster's agents can join at the price of a few transactions. When an input wanted offers to
// be made, the driver asks the core for them once the batch at hand is done.

#include "common/async/asio.hpp"
#include "common/async/mailbox.hpp"
#include "masterd/core/core.hpp"

#include <atomic>
#include <functional>
#include <memory>
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
    struct Durable {
        std::function<base::Status(const std::vector<core::Persist>&)> write;  // none: nothing outlives the process
        std::function<void(const base::Error&)> on_failure;  // the driver does nothing any more after it
    };

    // `owner` is the strand that run() is spawned on; reports are handed out and the registry is written there.
    Driver(async::Executor owner, std::unique_ptr<core::Core> core, ReportSink on_report, Durable durable = {});

    // Until stop(), or until the registry cannot be written. The core is touched by this coroutine and by nothing else.
    async::awaitable<void> run();
    void stop() { mailbox_.close(); }

    // --- any thread; false when the mailbox is full, and nothing was done ---
    bool lead(std::uint64_t epoch, v1::MasterInfo master_info, core::Inheritance inheritance = {});
    // The request's number is given by the driver.
    bool call(core::CallArrived call, std::shared_ptr<Caller> caller);
    bool kill_task(base::FrameworkId framework, base::TaskId task, std::shared_ptr<Caller> caller);
    bool order_roles(core::RolesOrdered ordered, std::shared_ptr<Caller> caller);
    bool order_reservation(core::ReservationOrdered ordered, std::shared_ptr<Caller> caller);
    // The two ends are taken in also when the mailbox is full: nobody would tell of them again.
    void stream_closed(core::RequestId stream);
    std::optional<core::LinkId> link_opened(std::string peer, std::shared_ptr<AgentConnection> connection);
    bool link_message(core::LinkId link, std::shared_ptr<const internal::FromAgent> message);
    void link_closed(core::LinkId link);
    // Runs `look` on the owner's strand between two steps. It must be quick.
    bool look(Look look);
    // The allocation module has a plan to be asked for. Taken in also when the mailbox is full: one for each plan at most.
    void plan_ready();

    std::size_t inputs_waiting() const { return mailbox_.size(); }
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
    using Item = std::variant<core::Input, NewCall, NewLink, Look>;

    core::RequestId next_request() { return core::RequestId{++last_number_}; }
    void take(Item& item);
    void step(const core::Input& input);
    void carry_out_all();
    void carry_out(core::Effect& effect);
    base::Duration until_deadline() const;

    async::Mailbox<Item> mailbox_;
    std::unique_ptr<core::Core> core_;
    ReportSink on_report_;
    Durable durable_;
    std::vector<core::Output> outputs_;  // of the batch at hand, to be carried out at its end
    std::atomic<bool> leading_{false};
    std::atomic<std::uint64_t> last_number_{0};
    bool allocation_wanted_ = false;
    std::unordered_map<core::RequestId, std::shared_ptr<Caller>> callers_;
    std::unordered_map<core::LinkId, std::shared_ptr<AgentConnection>> links_;
};

}  // namespace fairlead::masterd::driver
