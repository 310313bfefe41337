#pragma once
// The numbers by which a master's core behaves. The driver fills them from the configuration; the
// defaults are what a cluster wants that says nothing.

#include "allocator/allocator.hpp"
#include "common/base/ends_bound.hpp"
#include "common/base/instant.hpp"
#include "common/base/limits.hpp"
#include "common/resources/resources.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::masterd::core {

// Both are above zero.
struct AgentRemovalRate {
    std::int64_t agents = 500;
    base::Duration per = std::chrono::seconds(1);
};

struct CoreOptions {
    base::Duration heartbeat_interval = std::chrono::seconds(5);
    std::optional<base::Duration> offer_timeout = std::chrono::minutes(10);  // none: an offer stands until it is used
    // Where somebody else could use it, an offer stands for so long only. None: as where nobody could.
    std::optional<base::Duration> offer_patience = std::chrono::seconds(5);
    base::Duration agent_reregister_timeout = std::chrono::seconds(75);  // from when an agent was heard of last
    base::Duration agent_return_time_min = std::chrono::seconds(5);      // from when its link was found to be dead
    base::Duration ping_interval = std::chrono::seconds(15);
    base::Duration ping_timeout = std::chrono::seconds(75);
    base::Duration register_timeout = std::chrono::seconds(30);  // from an opened link to the whole of a small Register
    // Agents come to another leader spread so that this many come in a second, over these times at least and at most.
    std::size_t agents_return_per_second = 20'000;
    base::Duration return_within_min = std::chrono::milliseconds(20);
    base::Duration return_within_max = std::chrono::seconds(10);
    // A slice of an agent below all of these is not worth an offer.
    std::vector<resources::Quantities> min_allocatable = {
        resources::Resources::scalars(resources::Milli(10), {}).quantities(),
        resources::Resources::scalars({}, resources::Milli::units(32)).quantities()};
    // This part of every agent's plain scalars is only for tasks that end within the time (gpus: whole ones).
    unsigned short_task_percent = 0;
    base::Duration short_task_duration = allocator::Policy().short_task_duration;
    // What a REQUEST asks for is forgotten after this time where it names none; it may not name more than the second.
    base::Duration wish_lifetime = std::chrono::minutes(5);
    base::Duration wish_lifetime_max = std::chrono::hours(24);
    std::string cluster_id;
    std::string allocation_module = "drf";  // what people call it
    allocator::Policy policy{.patience = std::chrono::seconds(30)};
    base::Duration revocation_grace = std::chrono::seconds(30);  // from the ask to the kill
    std::size_t revocations_max = 1000;  // tasks asked for and not ended yet; more are not asked for
    std::size_t inverse_offers_max = 1000;  // of those by which nothing is taken by force

    std::size_t frameworks_max = base::limits::frameworks_max;
    std::size_t completed_frameworks_max = base::limits::completed_frameworks_max;
    std::size_t completed_tasks_max = base::limits::completed_tasks_per_framework_max;
    std::size_t history_max = 100'000;  // tasks that ended under earlier masters: so many all agents together are asked for
    std::size_t unreachable_tasks_max = base::limits::unreachable_tasks_per_framework_max;
    // Ended tasks that frameworks have not acknowledged: on one agent, which refuses launches at its bound, and in all.
    base::EndsBound unacknowledged_ends_on_agent{base::limits::unacknowledged_ends_on_agent_per_framework_max,
                                                 base::limits::unacknowledged_ends_on_agent_max};
    base::EndsBound unacknowledged_ends{base::limits::unacknowledged_ends_per_framework_max,
                                        base::limits::unacknowledged_ends_max};
    std::size_t ended_framework_ids_max = base::limits::ended_framework_ids_max;
    std::size_t registration_bytes_max = 256 * 1024 * 1024;  // of one agent, in all its parts
    std::size_t registering_bytes_max = 512 * 1024 * 1024;   // of all agents whose further parts are waited for
    std::int64_t registration_bytes_per_second_min = 1024 * 1024;  // beyond what register_timeout allows for
    std::size_t new_links_max = base::limits::unregistered_links_max;
    std::size_t ordered_roles_max = 10'000;  // with a weight, a guarantee or a limit
    // Different reservations of one agent (of role, principal or labels), what they take as a message, and how often
    // one call may change them.
    std::size_t reservations_per_agent_max = 256;
    std::size_t reservation_bytes_per_agent_max = 128 * 1024;
    std::size_t reservation_changes_per_call_max = 1000;
    std::size_t unconfirmed_changes_max = 2000;  // of one agent, that somebody waits for
    std::size_t absent_agents_max = 100'000;  // remembered as unreachable or removed
    // Those that a scheduler asks for are answered in parts of this size with this pause after each: other work goes
    // between, and no stream is given more than it can carry away.
    std::size_t part_max = 1000;
    base::Duration part_pause = std::chrono::milliseconds(100);
    // So are agents that stay away given up, at this rate, and no further in one part when so much is to be told of
    // them.
    AgentRemovalRate agent_removal_rate;
    std::size_t part_effects_max = 20'000;
    std::size_t questions_waiting_max = 200'000;  // of one framework, before more are refused
    std::size_t offers_event_bytes_max = base::limits::event_record_bytes_max / 4;
};

}  // namespace fairlead::masterd::core
