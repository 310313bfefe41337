#include "nodeagentd/inventory/override.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace fairlead::nodeagentd::inventory {
namespace {

using resources::Resources;

struct Slip {
    std::string_view written, meant;
};
constexpr std::array<Slip, 11> slips{{{"cpu", "cpus"},
                                      {"cores", "cpus"},
                                      {"core", "cpus"},
                                      {"memory", "mem"},
                                      {"ram", "mem"},
                                      {"mems", "mem"},
                                      {"disks", "disk"},
                                      {"disc", "disk"},
                                      {"storage", "disk"},
                                      {"gpu", "gpus"},
                                      {"port", "ports"}}};

std::optional<std::string_view> meant_by(std::string_view name) {
    std::string lower(name);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const std::string_view known : {"cpus", "mem", "disk", "gpus", "ports"})
        if (lower == known && name != known) return known;
    for (const auto& slip : slips)
        if (lower == slip.written) return slip.meant;
    return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// "cpus", "disk" of "cpus:4;disk(role):10".
template <typename Visit>
void each_name(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const auto end = std::min(text.find(';'), text.size());
        const auto item = trimmed(text.substr(0, end));
        if (!item.empty()) visit(trimmed(item.substr(0, item.find_first_of("(:"))));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace

base::Result<Override> parse_override(std::string_view text) {
    Override override;
    base::Status names_good;
    each_name(text, [&](std::string_view name) {
        if (const auto meant = meant_by(name); meant && names_good)
            names_good = base::Error(base::ErrorCode::invalid_argument,
                                     fmt::format("unknown resource '{}': did you mean {}?", name, *meant));
        override.names.emplace(name);
    });
    if (!names_good) return names_good.error();
    auto parsed = Resources::parse(text);
    if (!parsed) return parsed.error();
    override.resources = std::move(*parsed);
    return override;
}

Resources apply(const Override& override, const Resources& found) {
    Resources all = override.resources;
    found.for_each([&](const resources::Resource& resource) {
        if (!override.names.contains(resource.name())) all.add(resource);
    });
    return all;
}

}  // namespace fairlead::nodeagentd::inventory
