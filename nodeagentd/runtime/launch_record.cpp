#include "nodeagentd/runtime/launch_record.hpp"

#include "nodeagentd/supervisor/protocol.hpp"

namespace fairlead::nodeagentd::runtime {

namespace {

// A field's value ends with its line.
std::string field(const char* name, std::string value) {
    for (char& c : value)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    constexpr std::size_t value_bytes_max = 400;
    if (value.size() > value_bytes_max) value.resize(value_bytes_max);
    return std::string(name) + "=" + value + "\n";
}

// OBJECT_SYSTEMD_UNIT= lets `journalctl -u SCOPE` find an entry also when journald got to it after
// the supervisor had ended.
std::string journal_fields(const ports::ContainerSpec& spec, const std::string& unit) {
    return field("SYSLOG_IDENTIFIER", spec.task_name.empty() ? spec.task.value() : spec.task_name) +
           field("FRAMEWORK_ID", spec.framework.value()) + field("TASK_ID", spec.task.value()) +
           field("OBJECT_SYSTEMD_UNIT", unit);
}

}  // namespace

std::string launch_record(const ports::ContainerSpec& spec, const Credentials& credentials,
                          const std::string& unit, const std::string& agent_socket, const std::string& report_path) {
    supervisor::LaunchHead head;
    head.change_credentials = credentials.change ? 1 : 0;
    head.arguments = static_cast<std::uint32_t>(spec.argv.size());
    head.environment = static_cast<std::uint32_t>(spec.environment.size());
    head.groups = static_cast<std::uint32_t>(credentials.groups.size());
    head.uid = credentials.uid;
    head.gid = credentials.gid;
    std::string record(sizeof head, '\0');
    const auto add = [&record](const std::string& text) {
        record.append(text.c_str(), text.size() + 1);
    };
    add(spec.id.value());
    add(spec.sandbox);
    add(spec.sandbox + "/stdout");
    add(spec.sandbox + "/stderr");
    add(journal_fields(spec, unit));
    add(agent_socket);
    add(report_path);
    for (const auto& argument : spec.argv) add(argument);
    for (const auto& [name, value] : spec.environment) add(name + "=" + value);
    record.append(reinterpret_cast<const char*>(credentials.groups.data()),
                  credentials.groups.size() * 4);
    head.record_bytes = static_cast<std::uint32_t>(record.size());
    std::memcpy(record.data(), &head, sizeof head);
    return record;
}

}  // namespace fairlead::nodeagentd::runtime
