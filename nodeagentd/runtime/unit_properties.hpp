#pragma once
// What a task's resources are as properties of its scope, and a framework's as properties of its
// slice: a list of names and values that tests compare, and the few lines that put one on the wire.
// Nothing is ever written past systemd: a daemon-reload would take it back.

#include "nodeagentd/ports/runtime.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::nodeagentd::runtime {

struct UnitProperty {
    std::string name;
    std::variant<bool, std::uint64_t, std::string, std::vector<std::string>> value;
    bool operator==(const UnitProperty&) const = default;
};
using UnitProperties = std::vector<UnitProperty>;

// CPUWeight for so many CPUs: 100 for one, as systemd's default, less on hosts with more than 100
// CPUs, so that the whole host still fits below systemd's bound of 10000.
std::uint64_t cpu_weight(double cpus, unsigned host_cpus);

// `agent_unit`: the unit that this agent runs in, or empty. At shutdown a scope then ends before
// the agent, which can still tell of it.
UnitProperties scope_properties(const ports::ContainerSpec& spec, const std::string& slice,
                                const std::string& agent_unit, unsigned host_cpus);

UnitProperties slice_properties(const std::string& framework_name,
                                const base::FrameworkId& framework, std::uint64_t weight);

// a(sv); sd-bus' error or 0.
int append(sd_bus_message* message, const UnitProperties& properties);
// The same with the scope's first process in front.
int append_with_process(sd_bus_message* message, pid_t process, const UnitProperties& properties);

}  // namespace fairlead::nodeagentd::runtime
