#include "nodeagentd/runtime/unit_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fairlead::nodeagentd::runtime {

namespace {

constexpr double weight_of_a_cpu = 100;
constexpr double weight_max = 10'000;
constexpr std::uint64_t processes_default_max = 32'768;
constexpr std::size_t description_bytes_max = 400;

std::uint64_t microseconds(base::Duration time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

// A description is one line. What does not print is shown as `?`, and so is what is not UTF-8: the
// bus would drop the whole connection for it.
std::string one_line(std::string_view text) {
    std::string line;
    for (std::size_t at = 0; at < text.size() && line.size() < description_bytes_max;) {
        const auto lead = static_cast<unsigned char>(text[at]);
        std::size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        bool fits = lead < 0x80 || (lead >= 0xc2 && lead <= 0xf4);
        fits = fits && at + size <= text.size();
        std::uint32_t point = lead & (0x7fU >> (size == 1 ? 0 : size));
        for (std::size_t next = 1; fits && next < size; ++next) {
            const auto byte = static_cast<unsigned char>(text[at + next]);
            fits = (byte & 0xc0) == 0x80;
            point = point << 6 | (byte & 0x3fU);
        }
        const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
        const bool surrogate = point >= 0xd800 && point < 0xe000;
        if (!fits || overlong || surrogate || point > 0x10ffff || lead < 0x20 || lead == 0x7f) {
            line += '?';
            ++at;
            continue;
        }
        line.append(text.substr(at, size));
        at += size;
    }
    return line;
}

std::string or_else(const std::string& name, const std::string& id) {
    return name.empty() ? id : name;
}

int append_one(sd_bus_message* m, const UnitProperty& property) {
    const char* const name = property.name.c_str();
    if (const auto* flag = std::get_if<bool>(&property.value))
        return sd_bus_message_append(m, "(sv)", name, "b", static_cast<int>(*flag));
    if (const auto* number = std::get_if<std::uint64_t>(&property.value))
        return sd_bus_message_append(m, "(sv)", name, "t", *number);
    if (const auto* text = std::get_if<std::string>(&property.value))
        return sd_bus_message_append(m, "(sv)", name, "s", text->c_str());
    const auto& list = std::get<std::vector<std::string>>(property.value);
    int r = sd_bus_message_open_container(m, 'r', "sv");
    if (r >= 0) r = sd_bus_message_append(m, "s", name);
    if (r >= 0) r = sd_bus_message_open_container(m, 'v', "as");
    if (r >= 0) r = sd_bus_message_open_container(m, 'a', "s");
    for (const auto& one : list)
        if (r >= 0) r = sd_bus_message_append(m, "s", one.c_str());
    for (int open = 0; open < 3; ++open)
        if (r >= 0) r = sd_bus_message_close_container(m);
    return r;
}

int append_all(sd_bus_message* m, const UnitProperties& properties) {
    int r = 0;
    for (const auto& one : properties)
        if (r >= 0) r = append_one(m, one);
    return r;
}

}  // namespace

std::uint64_t cpu_weight(double cpus, unsigned host_cpus) {
    const double of_one = std::min(weight_of_a_cpu, weight_max / std::max(host_cpus, 1U));
    return static_cast<std::uint64_t>(std::clamp(std::round(cpus * of_one), 1.0, weight_max));
}

UnitProperties scope_properties(const ports::ContainerSpec& spec, const std::string& slice,
                                const std::string& agent_unit, unsigned host_cpus) {
    const auto& resources = spec.resources;
    UnitProperties properties{
        {"Description",
         one_line(fmt::format("Task {} of framework {}",
                              or_else(spec.task_name, spec.task.value()),
                              or_else(spec.framework_name, spec.framework.value())))},
        {"Slice", slice},
        {"TimeoutStopUSec", microseconds(spec.kill_grace)},
        {"CPUAccounting", true},
        {"MemoryAccounting", true},
        {"TasksAccounting", true},
        {"IOAccounting", true},
        {"CPUWeight", cpu_weight(resources.cpus, host_cpus)},
        {"IOWeight", cpu_weight(resources.cpus, host_cpus)},
        {"TasksMax", resources.processes_max.value_or(processes_default_max)},
    };
    if (resources.cpus_max)
        properties.push_back(
            {"CPUQuotaPerSecUSec",
             std::max<std::uint64_t>(1'000, static_cast<std::uint64_t>(*resources.cpus_max * 1e6))});
    if (resources.memory_bytes_max)
        properties.push_back({"MemoryMax", *resources.memory_bytes_max});
    if (resources.memory_bytes_low)
        properties.push_back({"MemoryLow", *resources.memory_bytes_low});
    if (spec.max_completion_time)
        properties.push_back({"RuntimeMaxUSec", microseconds(*spec.max_completion_time)});
    if (!agent_unit.empty()) properties.push_back({"After", std::vector<std::string>{agent_unit}});
    return properties;
}

UnitProperties slice_properties(const std::string& framework_name,
                                const base::FrameworkId& framework, std::uint64_t weight) {
    return {{"Description", one_line(framework_name.empty()
                                         ? fmt::format("Tasks of framework {}", framework.value())
                                         : fmt::format("Tasks of {} (framework {})",
                                                       framework_name, framework.value()))},
            {"CPUWeight", weight}};
}

int append(sd_bus_message* m, const UnitProperties& properties) {
    int r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0) r = append_all(m, properties);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int append_with_process(sd_bus_message* m, pid_t process, const UnitProperties& properties) {
    int r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, static_cast<std::uint32_t>(process));
    if (r >= 0) r = append_all(m, properties);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

}  // namespace fairlead::nodeagentd::runtime
