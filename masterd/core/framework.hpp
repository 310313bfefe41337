#pragma once
// A framework as the master knows it: its scheduler and those that stand by, its tasks and its offers.

#include "masterd/core/capabilities.hpp"
#include "masterd/core/completed_tasks.hpp"
#include "masterd/core/io.hpp"
#include "masterd/core/offer.hpp"
#include "masterd/core/task.hpp"
#include "masterd/core/unreachable_tasks.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::masterd::core {

class OfferConstraints;

// What a scheduler has asked for with its SUBSCRIBE, once it has been found valid.
struct Subscription {
    RequestId stream{};
    std::string stream_id;
    std::shared_ptr<const v1::scheduler::Call> call;
    std::shared_ptr<v1::FrameworkInfo> info;  // with id
    std::shared_ptr<const OfferConstraints> constraints;
};

struct Framework {
    // `recovered` is known from agents only: its scheduler has not subscribed to this master yet.
    enum class Connection { recovered, disconnected, connected };

    base::FrameworkId id;
    FrameworkSlot slot = 0;
    std::shared_ptr<const v1::FrameworkInfo> info;  // with id
    Capabilities capabilities;
    std::vector<base::Role> roles;
    std::shared_ptr<const OfferConstraints> constraints;  // null: none
    Connection connection = Connection::recovered;
    RequestId stream{};
    std::string stream_id;
    Timers::Handle heartbeat;
    Timers::Handle failover;
    Timers::Handle wishes_over;
    std::deque<Subscription> standbys;  // in the order in which they take over
    // While there are any, its scheduler has to be heard of so often.
    std::optional<base::Duration> heartbeat_timeout;
    base::Instant last_heard{};
    Timers::Handle silence;
    base::WallTime registered_time{};
    base::WallTime reregistered_time{};
    base::WallTime unregistered_time{};
    TaskTable tasks;
    UnreachableTasks unreachable_tasks;
    CompletedTasks completed_tasks;
    // Agents that are away may have something of it that is not in these tables: of an earlier master, or forgotten.
    bool has_more_on_absent = true;
    std::vector<Offer*> offers;
    // Those of its tasks that stand and fall together, by the word that they have in common.
    std::unordered_map<std::string, std::map<base::TaskId, Task*>> gangs;

    bool is_connected() const { return connection == Connection::connected; }
    // Known by its tasks alone, of an agent that has lost its record (registration.cpp).
    bool is_nameless() const {
        return connection == Connection::recovered && info->name().empty() && info->user().empty();
    }
};

}  // namespace fairlead::masterd::core
