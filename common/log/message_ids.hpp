#pragma once
// What is worth finding in a journal, each under its own id; `journalctl MESSAGE_ID=...` lists every occurrence and
// `journalctl -x` explains it from fairlead.catalog, which has an entry for each line below.

#include <string_view>

namespace fairlead::log::message_ids {

inline constexpr std::string_view leadership_gained = "5e0f9a4b7c3d4e1f8a6b2c9d0e1f3a57";
inline constexpr std::string_view leadership_lost = "6c4d0f52e7f94b0c9a3e85d1b7260e94";
inline constexpr std::string_view framework_subscribed = "8d1c2b3a4f5e4d6c9b8a7f6e5d4c3b21";
inline constexpr std::string_view framework_disconnected = "1f2e3d4c5b6a4978a0b1c2d3e4f50617";
inline constexpr std::string_view framework_removed = "c4d5e6f708194a2bb3c4d5e6f7081929";
inline constexpr std::string_view framework_refused = "2a6d0c7be95f4c3f8f1e7a40b3d95c12";
inline constexpr std::string_view agent_registered = "3b7e9d2c61f84a05b2d4c6e8f0a1b3c5";
inline constexpr std::string_view agent_disconnected = "9a8b7c6d5e4f4031a2b3c4d5e6f70819";
inline constexpr std::string_view agent_unreachable = "e7d6c5b4a3924f81b0c1d2e3f4a5b6c7";
inline constexpr std::string_view agent_removed = "f3b04d9c6a1847e2a5c8e1d70b6f2934";
inline constexpr std::string_view agent_refused = "74c1e8a2d05b4f96b83a6f0e9d2c5b17";
inline constexpr std::string_view later_epoch_claimed = "374788cc56424ae2a0e1f33756ffcd5f";
inline constexpr std::string_view roles_ordered = "9c2e71b0d5a34f689e0b4d7a13f8c625";
inline constexpr std::string_view reservations_changed = "73154a76ff0543d685de43ab2088738e";
inline constexpr std::string_view reservations_lost = "f0d69a2c2b674dcbb58373de0c7dd859";
inline constexpr std::string_view revocation_asked = "19584736bfec84087a06e0c7740fae21";
inline constexpr std::string_view revocation_called_off = "5ba541fe649a8ca32bde75372d33705c";
inline constexpr std::string_view revocation_killed = "114ab23c3cfd44bf0dec5b6e63a206d6";
inline constexpr std::string_view call_dropped = "0d5c9b3e7f1a4826936e4a8b2c7d1f60";
inline constexpr std::string_view task_started = "27c1d9e8f3b64a50a9c8b7d6e5f40312";
inline constexpr std::string_view task_ended = "6f5e4d3c2b1a4908b7c6d5e4f3a2b1c0";
inline constexpr std::string_view task_refused = "b1a2c3d4e5f64708a9b0c1d2e3f4a5b6";
inline constexpr std::string_view ends_unacknowledged = "ee46ccd8b27a49e982c174d09bd39f5f";
inline constexpr std::string_view task_stray = "fdc31698fb1a4e54859992af2cee46d3";
inline constexpr std::string_view lines_held_back = "5d8e13f7a90c4b62867f2be4d1c09a35";
inline constexpr std::string_view stale_epoch = "d0e1f2a3b4c54d6e87f8091a2b3c4d5e";
inline constexpr std::string_view allocation_module_wrong = "8e27b1d06c5f4a19b3e0d47f92a6c58d";
inline constexpr std::string_view allocation_module_given_up = "30507bd66bab4ebcb9f8ea283ffa306d";
inline constexpr std::string_view configuration_refused = "4a3b2c1d0e9f4786b5c4d3e2f1a0b9c8";
inline constexpr std::string_view registry_made = "ab24167c65694048acdd7a56408bf561";
inline constexpr std::string_view registry_unusable = "4269b11f7e1a40e4bcf3bee013ec1ab1";
inline constexpr std::string_view master_cannot_go_on = "4a0386f61aab494b985713eaf4061a7c";
inline constexpr std::string_view standing_by = "8f84d27ae9914529bf6c9bed24e635ed";
inline constexpr std::string_view cannot_take_over = "b74f0d1c9e2a4a6fb3d85c07e6214f9d";

// Of both daemons.
inline constexpr std::string_view lines_lost = "e1c83f5a0b6d47d29f14a87b35d06c9e";
inline constexpr std::string_view connections_short = "152fc9ad39b54d769a7558c65189bd52";

// Of all that elect or look for a leader in ZooKeeper.
inline constexpr std::string_view zookeeper_unreachable = "d84fe083854546f78ba2a970fa43488c";
inline constexpr std::string_view zookeeper_refused = "2c6761d73cb342e0a5c01858f71c140e";
inline constexpr std::string_view odd_znode = "f55b4035c4d7415fa809e5a05ae9780b";

// Of agents.
inline constexpr std::string_view registered_with_master = "a546a548a9624818b6b06c812bdaf54a";
inline constexpr std::string_view refused_by_master = "db7088481acb47269e43109346f4213c";
inline constexpr std::string_view task_log_not_written = "9fb1a8d3f6d54a0ea6a1c27a5f0e4b38";
inline constexpr std::string_view no_link_to_master = "8ff4d47f99ac4c7e809644a744125022";
inline constexpr std::string_view task_launched = "764bb906302b4f8a982be244fd822ef8";
inline constexpr std::string_view task_killing = "2c55b2c7567849d8a2d38b5f5e5ed4ef";
inline constexpr std::string_view framework_shut_down = "065608db05934aa2982fa5d4fa19ea3a";
inline constexpr std::string_view checkpoints_read = "f7628f52f2b34f3e9616c2925f73d8e6";
inline constexpr std::string_view checkpoint_unreadable = "add6482afec0489b8d0c4df3fb81ebc7";
inline constexpr std::string_view tasks_taken_back = "b116951ed4804e0585cc6689e27c9d8f";
inline constexpr std::string_view cannot_go_on = "2d4185783279435e9aeea02ea3f302e4";
inline constexpr std::string_view hostname_unknown = "053b2ad780e148319a1f9094037ff1b4";

}  // namespace fairlead::log::message_ids
