#pragma once
// The slices of frameworks on this host: one appears with the first container of its framework, has
// a description and a weight, and goes a while after the last one (a framework that runs one short
// task after the other should not cost a slice for each). Decisions only; runtime.cpp makes the
// calls.
//
// Stopping a slice stops whatever is in it, so a container that comes while its slice is being
// stopped waits until it stands again.
//
// The weight of a slice is the weight of what its containers were given together. With equal
// weights, a framework with one task would take as much of a busy host as one with twenty.

#include "common/base/id.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::runtime {

class SliceBook {
  public:
    enum class What {
        start,   // StartTransientUnit; then started()
        linger,  // wait a while; then linger_over()
        stop,    // StopUnit; then stopped()
    };
    struct Do {
        What what;
        std::string slice;
        bool operator==(const Do&) const = default;
    };
    struct Member {
        std::string slice;
        base::FrameworkId framework;
        std::string framework_name;
        double cpus = 0;
    };

    // A container comes. Where nothing is to be done and the slice stands, it can be placed at once.
    std::optional<Do> join(const Member& member);
    // It is gone, its scope with it.
    std::optional<Do> leave(const std::string& slice, double cpus);
    // A slice was on the host before this agent process.
    std::optional<Do> found(const std::string& slice);

    // Well or not: systemd makes a slice that is missing by itself, only less well described.
    std::optional<Do> started(const std::string& slice);
    std::optional<Do> linger_over(const std::string& slice);
    std::optional<Do> stopped(const std::string& slice);

    bool stands(const std::string& slice) const;

    struct Standing {
        base::FrameworkId framework;
        std::string framework_name;
        double cpus = 0;
    };
    // What a slice that is to be started should look like.
    Standing standing(const std::string& slice) const;
    // Slices whose containers have changed since the last call, as far as they stand.
    std::vector<std::string> take_changed();

  private:
    enum class Phase { starting, stands, stopping };
    struct Slice {
        Phase phase = Phase::starting;
        Standing standing;
        std::size_t members = 0;
        bool lingers = false;
        bool changed = false;
    };

    std::optional<Do> linger(const std::string& name, Slice& slice);

    std::map<std::string, Slice> slices_;
};

}  // namespace fairlead::nodeagentd::runtime
