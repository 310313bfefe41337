#pragma once
// A framework's connection to its master over the v1 scheduler API. run() subscribes and stays
// subscribed until stop(): it goes to the next master and waits a growing, jittered time after a
// failure, follows redirects to the leader, keeps the framework id, and takes five missed
// heartbeats for a dead master. Calls are queued and sent one after another in their order; they
// wait while the connection is away. Statuses are acknowledged after the handler returned, unless
// the options say that the framework does it.
//
// Owned by one strand: construct, call and run on it; handlers run on it too. The object must live
// until run() has returned.

#include "common/async/asio.hpp"
#include "common/async/backoff.hpp"
#include "common/base/error.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"
#include "sdk/events.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::sdk {

enum class Acknowledge { automatically, by_framework };
enum class Ending {
    teardown,       // the framework ends and its tasks with it
    keep_framework  // only this connection ends; tasks live on for FrameworkInfo.failover_timeout
};

struct SchedulerOptions {
    // Each has a default, so that -Wextra of a framework takes {.masters = ...} as it is meant.
    std::vector<std::string> masters = {};  // "host:5050", "http://host:5050"; tried in turn
    v1::FrameworkInfo framework = {};       // with `id` set: take that framework over
    Acknowledge acknowledge = Acknowledge::automatically;
    async::Backoff::Bounds backoff = {};
    std::size_t queued_calls_max = 100'000;
    // One of several schedulers of the framework, whose id must be set then: one is active, the others wait in `standing_by`.
    // When the active one's connection breaks, or its strand hangs, the next one hears `subscribed` within a second.
    bool standby = false;
    // Give up when no subscription stood for so long; zero tries for ever.
    base::Duration give_up_after = base::Duration::zero();
};

class Scheduler {
  public:
    Scheduler(async::Executor strand, SchedulerOptions options, SchedulerEvents& events);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // Once. Ends without error after stop(); invalid_argument for a master's address that is none,
    // permission_denied when the master refused the framework for good, unavailable when
    // `give_up_after` is over (the message lists the masters and what each one said).
    async::awaitable<base::Status> run();
    // Calls that are queued are still sent (for a few seconds at most) when a connection stands.
    void stop(Ending ending);

    // Each gives limit_exceeded when the queue is full. That a call went out well is not told: what
    // it did comes as events.
    base::Status accept(const std::vector<v1::OfferID>& offers,
                        std::vector<v1::Offer::Operation> operations, double refuse_seconds = 5.0);
    // LAUNCH of these tasks on one offer.
    base::Status launch(const v1::Offer& offer, std::vector<v1::TaskInfo> tasks,
                        double refuse_seconds = 5.0);
    base::Status decline(const std::vector<v1::OfferID>& offers, double refuse_seconds = 5.0);
    base::Status revive(std::vector<std::string> roles = {});
    base::Status suppress(std::vector<std::string> roles = {});
    // What is wanted, ahead of offers. Forgotten by the master with the subscription: say it again in `subscribed`.
    base::Status request(std::vector<v1::Request> requests);
    base::Status kill(const v1::TaskID& task);
    base::Status kill(const v1::TaskID& task, const v1::AgentID& agent);
    base::Status shutdown(const v1::ExecutorID& executor, const v1::AgentID& agent);
    // All tasks when none is named.
    base::Status reconcile(std::vector<v1::scheduler::Call::Reconcile::Task> tasks = {});
    // Nothing to do for a status without uuid.
    base::Status acknowledge(const v1::TaskStatus& status);
    base::Status message(const v1::AgentID& agent, const v1::ExecutorID& executor,
                         std::string data);
    base::Status update_framework(v1::FrameworkInfo framework);
    // From which agents offers are wanted, from now on and in later subscriptions; nothing in it: from all. No role is
    // suppressed afterwards. Sent as an update of the framework.
    base::Status constrain_offers(v1::scheduler::OfferConstraints constraints);
    // Any other call; framework_id is filled in.
    base::Status send(v1::scheduler::Call call);

    bool subscribed() const;
    // Empty before the first subscription.
    const std::string& framework_id() const;
    std::size_t queued_calls() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fairlead::sdk
