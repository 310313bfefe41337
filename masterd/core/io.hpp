#pragma once
// Everything that goes into the master's core and comes out of it. A core takes one Input at a time and answers with an
// Output; the driver carries the Output's effects out in their order. Nothing here owns a socket, a clock or a thread.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "fairlead/internal/link.pb.h"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"
#include "masterd/core/durable.hpp"
#include "masterd/core/reservation_change.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::masterd::core {

// Numbers that the driver hands out, unique over the life of the process.
enum class RequestId : std::uint64_t {};  // one HTTP request; a SUBSCRIBE's is also the name of the stream it opens
enum class LinkId : std::uint64_t {};     // one connection of an agent; a later one has a higher number

// --- in
// ---------------------------------------------------------------------------------------------------------------

// This process leads from now on, under this epoch, which is later than any it has led under before.
struct LeadershipGained {
    std::uint64_t epoch = 0;
    v1::MasterInfo master_info;
    Inheritance inheritance;
    std::optional<base::Instant> lease_until = {};  // none: nobody else can come to lead, so it leads for good
    std::string cluster_id = {};                    // empty: as the options say
};

// Nobody else leads before then, and no later than then this process stops of itself. Means nothing to a core that has
// no lease.
struct LeaseExtended {
    base::Instant until;
};

// Who would lead if this process ended, "address:port"; empty: nobody is known to stand by. Holds until it is said anew,
// whoever leads.
struct NextMasterKnown {
    std::string address;
};

// Somebody else may lead from now on. The reason ends a sentence about it.
struct LeadershipLost {
    std::string reason;
};

// A call that has passed the edge: authenticated, parsed, complete as proto2 sees it.
struct CallArrived {
    RequestId request;
    std::shared_ptr<const v1::scheduler::Call> call;
    std::optional<std::string> stream_id;  // the Mesos-Stream-Id header
    std::string principal;                 // empty: none
    bool events_acceptable = true;         // Accept allows a media type that events can be written in
};

// How a peer's connection has ended that this master would have kept.
struct ConnectionEnd {
    enum class Kind {
        lost,       // the peer has gone, or what is between us
        too_slow,   // it did not take what it was sent, and was cut off
        too_fast,   // it said more than could be queued, and was cut off
        malformed,  // it does not speak our protocol, and was cut off
        silent,     // it did not say anything for too long
    };
    Kind kind = Kind::lost;
    std::string why = "its connection was closed";  // ends a sentence about it
};

struct StreamClosed {
    RequestId stream;
    ConnectionEnd end = {};
};

struct LinkOpened {
    LinkId link;
    std::string peer_address;
};
struct LinkMessage {
    LinkId link;
    std::shared_ptr<const internal::FromAgent> message;
};
struct LinkClosed {
    LinkId link;
    ConnectionEnd end = {};
};

// An operator ends one task of whatever framework.
struct KillTaskRequested {
    RequestId request;
    base::FrameworkId framework_id;
    base::TaskId task_id;
};

// An operator knows that an agent will not come back.
struct AgentGoneOrdered {
    RequestId request;
    base::AgentId agent_id;
};

// An operator says something of roles: all of it holds afterwards, or nothing.
struct RolesOrdered {
    // The older two calls about quota know one role at a time, and expect it to have none or to have one.
    enum class Manner { update, set_quota, remove_quota };

    RequestId request;
    std::vector<RoleOrder> orders;
    bool force = false;  // also limits below what is used, and guarantees that the cluster cannot meet
    Manner manner = Manner::update;
};

// An operator reserves something of an agent, or gives it back.
struct ReservationOrdered {
    RequestId request;
    base::AgentId agent_id;
    ReservationChange change;
};

// This process, or its whole host, was stopped for some time until now: whoever has not been heard of meanwhile could
// not be. Comes before whatever is due.
struct Awoke {};

// A deadline that Core::next_deadline named has come (or simply some time has passed).
struct TimePassed {};

// Sent by the driver when an Output asked for it and no other input is waiting: offers follow events, and a burst of
// events is followed by one allocation.
struct AllocationDue {};

using Input = std::variant<LeadershipGained, LeaseExtended, NextMasterKnown, LeadershipLost, CallArrived, StreamClosed,
                           LinkOpened, LinkMessage, LinkClosed, KillTaskRequested, AgentGoneOrdered, RolesOrdered,
                           ReservationOrdered, Awoke, TimePassed, AllocationDue>;

// --- out
// --------------------------------------------------------------------------------------------------------------

// Ends a request with this status and text (text/plain; empty with 202).
struct Reply {
    RequestId request;
    unsigned status = 202;
    std::string body;
};

// Answers a SUBSCRIBE: 200 with this Mesos-Stream-Id; events to `request` follow.
struct OpenStream {
    RequestId request;
    std::string stream_id;
};

struct SendEvent {
    RequestId stream;
    std::shared_ptr<const v1::scheduler::Event> event;
};

// Ends a stream after what has been sent to it. No StreamClosed follows for it.
struct CloseStream {
    RequestId stream;
};

struct SendToAgent {
    LinkId link;
    std::shared_ptr<const internal::FromMaster> message;
};

// Ends a link after what has been sent to it. No LinkClosed follows for it.
struct CloseLink {
    LinkId link;
};

using Effect = std::variant<Reply, OpenStream, SendEvent, CloseStream, SendToAgent, CloseLink>;

// What happened, for the journal, the metrics and the operators' event stream. `fields` are journal fields
// (FRAMEWORK_ID, TASK_ID, AGENT_ID, ...); `message` is a sentence for people.
struct Report {
    enum class Kind {
        leadership_lost,
        framework_subscribed, framework_resubscribed, framework_standby, framework_standby_gone,
        framework_disconnected, framework_removed, framework_refused,
        agent_registered, agent_reregistered, agent_disconnected, agent_unreachable, agent_removed, agent_refused,
        later_epoch_claimed,  // by an agent
        task_added, task_updated, task_removed, task_refused,
        task_stray,  // an agent runs it though it lives elsewhere
        offer_sent, offer_accepted, offer_declined, offer_rescinded,
        offers_withheld,  // from a framework that does not acknowledge how its tasks ended
        inverse_offer_sent, inverse_offer_accepted, inverse_offer_declined, inverse_offer_rescinded,
        revocation_asked, revocation_called_off, revocation_killed,
        roles_ordered,
        reservations_changed, reservations_lost,
        plan_refused,  // lines that the allocation module should not have written; it is the message's
        call_dropped,  // a call that was answered 202 and then had nothing to act on; the message says why
    };
    Kind kind;
    std::string message;
    base::FrameworkId framework_id;  // empty where it does not apply, as the next three
    base::AgentId agent_id;
    base::TaskId task_id;
    base::OfferId offer_id;
    std::optional<v1::TaskState> task_state;
    std::optional<ConnectionEnd::Kind> connection_end;
};

struct Output {
    std::vector<Persist> persist;  // to be durable before the first effect
    std::vector<Effect> effects;
    std::vector<Report> reports;
    bool allocation_wanted = false;
    // Leadership has ended in this step. Earlier outputs that were not carried out yet are void: nobody must be told
    // any more what they say; and these effects come at once, though what was to be durable before them is not.
    bool term_ended = false;
    // Somebody says that a later epoch has begun. Whether that is so has to be asked of the registry before the first
    // effect, by a write of whatever there is to persist, be it nothing. This is told at once, whatever comes of it.
    std::optional<Report> doubt = {};
};

}  // namespace fairlead::masterd::core
