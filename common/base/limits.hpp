#pragma once
// The bounds on everything a peer can make grow, in one place. Names carry their unit; whoever refuses something for a
// bound names it in the message.

#include <chrono>
#include <cstddef>

namespace fairlead::base::limits {

inline constexpr std::size_t id_bytes_max = 255;
inline constexpr std::size_t request_header_bytes_max = 64 * 1024;
inline constexpr std::size_t request_body_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t link_frame_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t event_record_bytes_max = 4 * 1024 * 1024;   // mesos-go's reader gives up beyond it
inline constexpr std::size_t stream_queue_bytes_max = 64 * 1024 * 1024;  // a slower reader is disconnected
inline constexpr std::size_t stream_queue_records_max = 100'000;
inline constexpr std::size_t http_connections_max = 20'000;
inline constexpr std::size_t http_connections_per_address_max = 10'000;  // a proxy may stand for very many
inline constexpr std::size_t unregistered_links_max = 100'000;  // a whole cluster may come at once
inline constexpr std::size_t completed_frameworks_max = 50;
inline constexpr std::size_t completed_tasks_per_framework_max = 1000;
inline constexpr std::size_t unreachable_tasks_per_framework_max = 1000;
// Ends that nobody has acknowledged; see ends_bound.hpp. An agent ends some 500 tasks a second and repeats an update after
// ten seconds: whoever acknowledges at all is far from the first, and at 10,000 tasks a second from the third.
inline constexpr std::size_t unacknowledged_ends_on_agent_per_framework_max = 5'000;
inline constexpr std::size_t unacknowledged_ends_on_agent_max = 20'000;
inline constexpr std::size_t unacknowledged_ends_per_framework_max = 200'000;
inline constexpr std::size_t unacknowledged_ends_max = 1'000'000;
inline constexpr std::size_t task_info_bytes_max = 1024 * 1024;
// What an agent repeats of each task when it registers (labels, discovery, container, health check): a thousand tasks
// have to fit into one frame.
inline constexpr std::size_t task_description_bytes_max = 64 * 1024;
inline constexpr std::size_t framework_info_bytes_max = 256 * 1024;
inline constexpr std::size_t frameworks_max = 20'000;
inline constexpr std::size_t standby_schedulers_max = 8;  // of one framework
inline constexpr std::uint32_t batched_calls_max = 200;
inline constexpr std::size_t roles_per_framework_max = 256;
inline constexpr std::size_t min_allocatable_per_role_max = 100;  // alternatives that a framework names
inline constexpr std::size_t wishes_per_framework_max = 100;  // asked for by REQUEST and not answered yet
inline constexpr std::size_t wish_count_max = 100'000;        // tasks of one shape
inline constexpr std::size_t gang_count_max = 1000;           // of which all are offered in one event
inline constexpr std::size_t ended_framework_ids_max = 10'000;    // remembered so that they are not used again
inline constexpr std::chrono::seconds request_deadline{30};

}  // namespace fairlead::base::limits
