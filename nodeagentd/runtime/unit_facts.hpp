#pragma once
// What systemd knows of a unit, as plain values: what the decisions about containers are made from.

#include "common/base/instant.hpp"

#include <optional>
#include <string>

namespace fairlead::nodeagentd::runtime {

enum class UnitState { absent, inactive, activating, active, deactivating, failed };

// From systemd's words for ActiveState; what is not known is `absent`.
inline UnitState unit_state(const std::string& word) {
    if (word == "active" || word == "reloading") return UnitState::active;
    if (word == "inactive") return UnitState::inactive;
    if (word == "activating") return UnitState::activating;
    if (word == "deactivating") return UnitState::deactivating;
    if (word == "failed") return UnitState::failed;
    return UnitState::absent;
}

inline bool is_over(UnitState state) {
    return state == UnitState::absent || state == UnitState::inactive || state == UnitState::failed;
}

struct UnitFacts {
    UnitState state = UnitState::absent;
    std::string result;  // of a scope: "success", "timeout", "oom-kill", "resources"
    // From its start until it began to end; unset while it is active or where it never was.
    std::optional<base::Duration> active_time;
    bool operator==(const UnitFacts&) const = default;
};

struct ListedUnit {
    std::string name;
    UnitState state = UnitState::absent;
    bool operator==(const ListedUnit&) const = default;
};

}  // namespace fairlead::nodeagentd::runtime
