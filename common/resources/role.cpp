#include "common/resources/role.hpp"

#include "common/base/limits.hpp"

#include <fmt/format.h>

namespace fairlead::resources {

const base::Role& default_role() {
    static const base::Role role("*");
    return role;
}

base::Status check_role(std::string_view name) {
    const auto refuse = [&](std::string_view why) {
        return base::Error(base::ErrorCode::invalid_argument,
                           fmt::format("role name '{}' {}", name, why));
    };
    if (name == "*") return {};
    if (name.empty()) return refuse("is empty");
    if (name.size() > base::limits::id_bytes_max)
        return base::Error(base::ErrorCode::invalid_argument, "role name is longer than 255 bytes");
    if (name.find_first_of(" \t\n\v\f\r\b") != name.npos)
        return refuse("holds whitespace or a backspace");
    if (name.find('\0') != name.npos) return refuse("holds a zero byte");
    if (name.front() == '/' || name.back() == '/') return refuse("starts or ends with '/'");
    for (std::string_view rest = name;;) {
        const auto slash = rest.find('/');
        const auto part = rest.substr(0, slash);
        if (part.empty()) return refuse("holds '//'");
        if (part == "." || part == "..") return refuse("holds '.' or '..' as a part");
        if (part == "*") return refuse("holds '*' as a part");
        if (part.front() == '-') return refuse("has a part that starts with '-'");
        if (slash == rest.npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

bool covers(const base::Role& ancestor, const base::Role& role) {
    const std::string_view above = ancestor.value();
    const std::string_view name = role.value();
    return name.starts_with(above) && (name.size() == above.size() || name[above.size()] == '/');
}

}  // namespace fairlead::resources
