// The text form of resources, as the agent's configuration and people write it.

#include "common/resources/resources.hpp"
#include "common/resources/role.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>

namespace fairlead::resources {
namespace {

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

base::Error refuse(std::string why) {
    return {base::ErrorCode::invalid_argument, std::move(why)};
}

base::Result<Value> parse_value(std::string_view name, std::string_view text) {
    if (text.empty()) return refuse("has no value");
    const bool must_be_scalar = predefined_index(name) < predefined_count;
    if (must_be_scalar && (text.front() == '[' || text.front() == '{'))
        return refuse("must be a number");
    if (name == "ports" && text.front() != '[') return refuse("must be ranges, as [31000-32000]");
    if (text.front() == '[') {
        auto ranges = Ranges::parse(text);
        if (!ranges) return ranges.error();
        return Value(std::move(*ranges));
    }
    if (text.front() == '{') {
        auto items = ItemSet::parse(text);
        if (!items) return items.error();
        return Value(std::move(*items));
    }
    const auto amount = Milli::parse(text);
    if (!amount) return amount.error();
    if (name == "gpus" && !amount->is_whole()) return refuse("must be a whole number");
    return Value(*amount);
}

// One item, "name:value" or "name(role):value".
base::Result<Resource> parse_item(std::string_view item) {
    const auto colon = item.find(':');
    if (colon == item.npos) return refuse("is not of the form name:value");
    auto name = trim(item.substr(0, colon));
    Qualifier qualifier;
    if (const auto open = name.find('('); open != name.npos) {
        if (name.back() != ')') return refuse("has '(' without ')' before ':'");
        const auto role = trim(name.substr(open + 1, name.size() - open - 2));
        name = trim(name.substr(0, open));
        if (const auto legal = check_role(role); !legal) return legal.error();
        if (role != default_role().value())
            qualifier.reservations.push_back({.role = base::Role(std::string(role))});
    }
    if (name.empty()) return refuse("has no name");
    if (name.find_first_of(" \t\r\n[]{}(),") != name.npos)
        return refuse(fmt::format("has an illegal name '{}'", name));
    auto value = parse_value(name, trim(item.substr(colon + 1)));
    if (!value) return value.error();
    return Resource(std::string(name), std::move(*value), std::move(qualifier));
}

std::string value_text(const Resource& one) {
    if (const auto* amount = one.scalar()) return amount->to_string();
    if (const auto* intervals = one.ranges()) return intervals->to_string();
    return one.item_set()->to_string();
}

// "(eng)" for a static reservation of one level, "(eng, dynamic by alice)" and the like beyond what
// parse reads.
std::string qualifier_text(const Qualifier& qualifier) {
    std::string text;
    const auto append = [&](std::string_view more) { (text += text.empty() ? "" : ", ") += more; };
    for (const Reservation& one : qualifier.reservations) {
        append(one.role.value());
        if (one.type == Reservation::Type::dynamic) append("dynamic");
        if (one.principal) append("by " + *one.principal);
        if (!one.labels) continue;
        for (const auto& [key, value] : *one.labels) append(value ? key + "=" + *value : key);
    }
    if (qualifier.revocable) append("revocable");
    if (qualifier.shared) append("shared");
    if (qualifier.disk) append("on a disk of its own");
    if (qualifier.provider_id) append("provider " + *qualifier.provider_id);
    return text.empty() ? text : "(" + text + ")";
}

}  // namespace

base::Result<Resources> Resources::parse(std::string_view text) {
    Resources all;
    std::set<std::pair<std::string, std::size_t>>
        types;  // a name may not be a number here and ranges there
    std::set<std::string> names;
    while (!text.empty()) {
        const auto semicolon = text.find(';');
        const auto item = trim(text.substr(0, semicolon));
        text = semicolon == text.npos ? std::string_view{} : text.substr(semicolon + 1);
        if (item.empty()) continue;
        const auto wrong = [&](const base::Error& why) {
            return why.in(fmt::format("resource '{}'", item));
        };
        auto one = parse_item(item);
        if (!one) return wrong(one.error());
        types.emplace(one->name(), one->value().index());
        names.insert(one->name());
        if (types.size() > names.size()) return wrong(refuse("has another type than before"));
        if (!all.try_add(Resources(*one))) return wrong(refuse("overlaps with an earlier one"));
    }
    return all;
}

std::string Resources::to_string() const {
    std::string text;
    for_each([&](const Resource& one) {
        if (!text.empty()) text += ';';
        text += one.name() + qualifier_text(one.qualifier()) + ':' + value_text(one);
    });
    return text;
}

}  // namespace fairlead::resources
