#include "masterd/registry/znode_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

namespace fairlead::masterd::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using Standing = core::AgentRecord::Standing;

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::uint64_t fnv_1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

// Nothing: escape() has not made it.
std::optional<std::string> unescape(std::string_view name) {
    std::string id;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '%') {
            id += name[i];
            continue;
        }
        unsigned char byte = 0;
        const std::string_view digits = name.substr(i + 1, 2);
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() != 2 || failure != std::errc() || end != digits.data() + 2) return std::nullopt;
        id += static_cast<char>(byte);
        i += 2;
    }
    return id;
}

Error malformed(const std::string& path, std::string_view why) {
    return Error(ErrorCode::malformed, fmt::format("znode {} {}", path, why));
}

internal::RegistryAgent::Standing on_wire(Standing standing) {
    switch (standing) {
        case Standing::admitted: return internal::RegistryAgent::ADMITTED;
        case Standing::unreachable: return internal::RegistryAgent::UNREACHABLE;
        case Standing::removed: return internal::RegistryAgent::REMOVED;
        case Standing::gone: return internal::RegistryAgent::GONE;
    }
    return internal::RegistryAgent::REMOVED;
}

Standing from_wire(internal::RegistryAgent::Standing standing) {
    switch (standing) {
        case internal::RegistryAgent::ADMITTED: return Standing::admitted;
        case internal::RegistryAgent::UNREACHABLE: return Standing::unreachable;
        case internal::RegistryAgent::REMOVED: return Standing::removed;
        case internal::RegistryAgent::GONE: return Standing::gone;
    }
    return Standing::removed;
}

}  // namespace

std::string name_of(Shelf shelf) {
    switch (shelf) {
        case Shelf::agents: return "agents";
        case Shelf::frameworks: return "frameworks";
        default: return "roles";
    }
}

std::string name_of_bucket(unsigned bucket) { return fmt::format("{:02x}", bucket); }

std::string escape(std::string_view id) {
    std::string name;
    for (const char c : id) {
        if (is_plain(c))
            name += c;
        else
            name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return name;
}

std::string path_of(Shelf shelf, std::string_view id) {
    return fmt::format("{}/{}/{}", name_of(shelf), name_of_bucket(fnv_1a(id) % buckets), escape(id));
}

bool may_be_item(Shelf shelf, const std::string& path) {
    const auto id = unescape(std::string_view(path).substr(path.rfind('/') + 1));
    return id && !id->empty() && path_of(shelf, *id) == path;
}

std::string header_value(const std::string& cluster_id, bool unfinished) {
    internal::RegistryHeader header;
    header.set_magic(std::string(znode_magic));
    header.set_format_version(znode_format_version);
    header.set_cluster_id(cluster_id);
    if (unfinished) header.set_unfinished(true);
    return header.SerializeAsString();
}

std::string value_of(const internal::RegistryEpoch& epoch) { return epoch.SerializeAsString(); }

std::string value_of(const core::AgentRecord& agent) {
    internal::RegistryAgent value;
    value.set_id(agent.id.value());
    value.set_standing(on_wire(agent.standing));
    value.set_since_ns(agent.since.time_since_epoch().count());
    return value.SerializeAsString();
}

std::string value_of(const base::FrameworkId& framework, std::uint64_t number) {
    internal::RegistryFramework value;
    value.set_id(framework.value());
    value.set_number(number);
    return value.SerializeAsString();
}

std::string value_of(const base::Role& role, const core::RoleOrders& orders) {
    internal::RegistryRole value;
    value.set_name(role.value());
    value.set_weight(orders.weight);
    const auto add_to = [](auto* amounts) {
        return [amounts](std::string_view resource, resources::Milli amount) {
            auto& one = *amounts->Add();
            one.set_resource(std::string(resource));
            one.set_thousandths(amount.thousandths());
        };
    };
    orders.guarantee.for_each(add_to(value.mutable_guarantee()));
    orders.limit.for_each(add_to(value.mutable_limit()));
    return value.SerializeAsString();
}

Result<internal::RegistryHeader> read_header(const std::string& path, const std::string& value) {
    internal::RegistryHeader header;
    if (!header.ParseFromString(value) || header.magic() != znode_magic)
        return Error(ErrorCode::invalid_config, fmt::format("znode {} is not a Fairlead registry", path));
    if (header.format_version() > znode_format_version)
        return Error(ErrorCode::invalid_config,
                     fmt::format("the registry in znode {} was written by a newer Fairlead (format {}, this one knows {})",
                                 path, header.format_version(), znode_format_version));
    if (header.unfinished())
        return Error(ErrorCode::invalid_config,
                     fmt::format("the registry in znode {} is what an import has left that did not come to its end: remove "
                                 "the znode with all below it, and import again", path));
    if (header.cluster_id().empty()) return malformed(path, "names no cluster");
    return header;
}

Result<internal::RegistryEpoch> read_epoch(const std::string& path, const std::string& value) {
    internal::RegistryEpoch epoch;
    if (!epoch.ParseFromString(value)) return malformed(path, "does not hold an epoch");
    return epoch;
}

namespace {

template <typename Message>
Result<Message> parse(const std::string& path, const std::string& value) {
    Message message;
    if (!message.ParseFromString(value))
        return malformed(path, fmt::format("does not hold a {}", Message::descriptor()->name()));
    return message;
}

bool is_sound(const internal::RegistryRole::Amount& amount) {
    constexpr std::int64_t thousandths_max = 1'000'000'000'000'000'000;
    return amount.thousandths() >= 0 && amount.thousandths() <= thousandths_max;
}

const std::string& id_of(const internal::RegistryAgent& agent) { return agent.id(); }
const std::string& id_of(const internal::RegistryFramework& framework) { return framework.id(); }
const std::string& id_of(const internal::RegistryRole& role) { return role.name(); }

}  // namespace

Status ItemsRead::add(Shelf shelf, const std::string& path, const std::string& value) {
    const auto take = [&](const auto& item) -> Status {
        if (!item) return item.error();
        if (const std::string& id = id_of(*item); id.empty() || path_of(shelf, id) != path)
            return malformed(path, fmt::format("holds what belongs to '{}'", id));
        if (auto added = add(*item); !added) return malformed(path, added.error().context());
        return {};
    };
    switch (shelf) {
        case Shelf::agents: return take(parse<internal::RegistryAgent>(path, value));
        case Shelf::frameworks: return take(parse<internal::RegistryFramework>(path, value));
        default: return take(parse<internal::RegistryRole>(path, value));
    }
}

Status ItemsRead::add(const internal::RegistryAgent& agent) {
    inheritance_.agents.push_back(
        {base::AgentId(agent.id()), from_wire(agent.standing()), base::WallTime(base::Duration(agent.since_ns()))});
    return {};
}

Status ItemsRead::add(const internal::RegistryFramework& framework) {
    frameworks_.emplace_back(framework.number(), framework.id());
    framework_numbers_ = std::max(framework_numbers_, framework.number());
    return {};
}

Status ItemsRead::add(const internal::RegistryRole& role) {
    core::RoleOrders orders;
    orders.weight = role.weight();
    bool sound = std::isfinite(orders.weight) && orders.weight > 0;
    for (const auto& amount : role.guarantee()) {
        sound = sound && is_sound(amount) && orders.guarantee.of(amount.resource()).is_zero();
        if (sound) orders.guarantee.add(amount.resource(), resources::Milli(amount.thousandths()));
    }
    for (const auto& amount : role.limit()) {
        sound = sound && is_sound(amount);
        if (sound) orders.limit.set(amount.resource(), resources::Milli(amount.thousandths()));
    }
    if (!sound) return Error(ErrorCode::malformed, "holds a weight or an amount that cannot be");
    inheritance_.role_orders[base::Role(role.name())] = std::move(orders);
    return {};
}

core::Inheritance ItemsRead::take() {
    std::sort(inheritance_.agents.begin(), inheritance_.agents.end(), [](const auto& a, const auto& b) {
        return std::tie(a.since, a.id) < std::tie(b.since, b.id);
    });
    std::sort(frameworks_.begin(), frameworks_.end());
    for (auto& [number, id] : frameworks_) inheritance_.ended_frameworks.push_back(std::move(id));
    frameworks_.clear();
    return std::exchange(inheritance_, {});
}

}  // namespace fairlead::masterd::registry
