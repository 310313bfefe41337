#pragma once
// What a framework hears of its master. All members run on the scheduler's strand, one at a time,
// in the order of the wire; they must not block. Override what matters to you; the rest does
// nothing.

#include "common/base/error.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#include <string>
#include <vector>

namespace fairlead::sdk {

class SchedulerEvents {
  public:
    virtual ~SchedulerEvents() = default;

    // After the first subscription and after every later one. Offers of an earlier subscription are
    // void then, and updates may have been missed: a framework with tasks calls reconcile().
    virtual void subscribed(const v1::scheduler::Event::Subscribed&) {}
    // Another scheduler of the framework is active (SchedulerOptions::standby). `subscribed` comes when it is gone, and
    // this again when this one has been replaced meanwhile.
    virtual void standing_by() {}
    // Each offer is to be accepted or declined, once.
    virtual void offers(const std::vector<v1::Offer>&) {}
    virtual void rescinded(const v1::OfferID&) {}
    // The same status may come more than once.
    virtual void update(const v1::TaskStatus&) {}
    virtual void message(const v1::scheduler::Event::Message&) {}
    virtual void failure(const v1::scheduler::Event::Failure&) {}
    // Inverse offers, operation statuses: whatever has no member of its own.
    virtual void other(const v1::scheduler::Event&) {}

    // The connection broke; it is being made again.
    virtual void disconnected(const base::Error&) {}
    // A call that was queued has not been accepted by the master: refused (invalid_argument,
    // permission_denied), never sent because another scheduler has become the active one (conflict), or perhaps done,
    // perhaps not (outcome_unknown, timed_out: reconcile).
    virtual void call_failed(const v1::scheduler::Call&, const base::Error&) {}
};

}  // namespace fairlead::sdk
