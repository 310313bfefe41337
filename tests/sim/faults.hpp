#pragma once
// What can go wrong in a simulated cluster, by name, so that a run can tell how often each of it was tried.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::sim {

enum class Fault : std::uint8_t {
    power_cut,
    agent_crash,
    agent_away,  // for longer than a master waits, now and then
    agent_link_broken,
    agent_crash_at_a_write,
    agent_disk_stalled,
    agent_disk_full,
    agent_memory_full,  // where it keeps the records of tasks
    record_damaged,  // of a task or a framework: the newest version
    record_lost,     // and the one before it
    task_log_damaged,
    host_suspended,
    host_clock_jump,
    scheduler_replaced,
    scheduler_stream_broken,
    scheduler_stalled,
    scheduler_gone,  // and nobody closes its connection
    task_killed,
    master_crash,
    master_stopped,
    master_suspended,
    master_restart,  // as planned
    master_clock_jump,
    master_disk_stalled,
    master_disk_full,
    master_cut_from_zookeeper,
    zookeeper_stopped,
    cut_both_ways,
    cut_one_way,
    message_overtaken,
    message_repeated,
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(Fault::message_repeated) + 1;

inline constexpr std::array<std::string_view, fault_kinds> fault_names = {
    "power cut", "agent crash", "agent away for long", "agent's link broken", "agent crash at a write",
    "agent's disk stalled", "agent's disk full", "agent's /run full",
    "record damaged", "record lost", "log for the next boot damaged", "host suspended", "host's clock jumped", "scheduler replaced",
    "scheduler's stream broken", "scheduler stalled", "scheduler gone without a word", "task killed", "master crash",
    "master stopped", "master suspended for long", "master restarted as planned", "master's clock jumped",
    "master's disk stalled", "master's disk full", "master cut from ZooKeeper", "ZooKeeper stopped", "cut both ways",
    "cut one way", "call overtook another", "call repeated"};

using FaultCounts = std::array<std::uint64_t, fault_kinds>;

}  // namespace fairlead::sim
