#include "nodeagentd/runtime/launch_record.hpp"

#include "nodeagentd/supervisor/protocol.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>

namespace fairlead::nodeagentd::runtime {

base::Result<Credentials> find_credentials(const std::string& user) {
    Credentials found;
    if (user.empty()) return found;
    passwd entry{};
    passwd* result = nullptr;
    char buffer[8192];
    ::getpwnam_r(user.c_str(), &entry, buffer, sizeof buffer, &result);
    unsigned number = 0;
    const auto parsed = std::from_chars(user.data(), user.data() + user.size(), number);
    if (result == nullptr && parsed.ec == std::errc() && parsed.ptr == user.data() + user.size()) {
        ::getpwuid_r(number, &entry, buffer, sizeof buffer, &result);
    }
    if (result == nullptr)
        return base::Error(base::ErrorCode::not_found, "no such user on this host: " + user);
    found.uid = entry.pw_uid;
    found.gid = entry.pw_gid;
    if (::geteuid() != 0) {
        if (found.uid == ::geteuid()) return found;
        return base::Error(base::ErrorCode::permission_denied,
                           "only an agent that runs as root can start tasks of " + user);
    }
    found.change = true;
    gid_t groups[256];
    int count = 256;
    if (::getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) >= 0)
        found.groups.assign(groups, groups + count);
    return found;
}

std::string launch_record(const ports::ContainerSpec& spec, const Credentials& credentials,
                          const std::string& agent_socket, const std::string& report_path) {
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
    std::string identifier = spec.task_name.empty() ? spec.task.value() : spec.task_name;
    for (char& c : identifier) {
        if (c == '\n') c = ' ';
    }
    add(identifier);
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
