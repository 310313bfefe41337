#include "cli/role_records.hpp"

#include "cli/document.hpp"
#include "cli/records.hpp"
#include "cli/table.hpp"
#include "common/resources/milli.hpp"

#include <charconv>

namespace fairlead::cli {

namespace json = boost::json;

using base::Error;
using base::ErrorCode;

namespace {

json::object amounts_in(const json::value& quota, std::string_view key) {
    json::object amounts;
    const json::value& found = object_of(quota, key);
    for (const auto& member : found.get_object()) amounts[member.key()] = amount(number_of(found, member.key()));
    return amounts;
}

}  // namespace

json::array weight_records(const json::value& weights) {
    json::array records;
    if (const auto* list = weights.if_array())
        for (const auto& weight : *list)
            records.push_back(
                json::object{{"role", text_of(weight, "role")}, {"weight", amount(number_of(weight, "weight"))}});
    return records;
}

json::array role_records(const json::value& roles) {
    json::array records;
    for (const auto& role : list_of(roles, "roles")) {
        const auto& quota = object_of(role, "quota");
        json::object record{{"name", text_of(role, "name")},
                            {"weight", amount(number_of(role, "weight"))},
                            {"frameworks", list_of(role, "frameworks")},
                            {"guarantee", amounts_in(quota, "guarantee")},
                            {"limit", amounts_in(quota, "limit")},
                            {"consumed", amounts_in(quota, "consumed")}};
        for (const auto& kind : kinds) {
            record[kind.used] = amount(number_of(object_of(role, "allocated"), kind.wire));
            record[kind.offered] = amount(number_of(object_of(role, "offered"), kind.wire));
        }
        records.push_back(std::move(record));
    }
    return records;
}

json::array quota_records(const json::value& roles) {
    json::array records;
    for (const auto& role : list_of(roles, "roles")) {
        const auto& quota = object_of(role, "quota");
        const auto guarantee = amounts_in(quota, "guarantee"), limit = amounts_in(quota, "limit");
        if (guarantee.empty() && limit.empty()) continue;
        records.push_back(json::object{{"role", text_of(role, "name")},
                                       {"guarantee", guarantee},
                                       {"limit", limit},
                                       {"consumed", amounts_in(quota, "consumed")}});
    }
    return records;
}

json::array offer_records(const json::value& frameworks, const json::value& agents) {
    const auto hosts = host_names(agents);
    json::array records;
    for (const auto& framework : list_of(frameworks, "frameworks"))
        for (const auto& offer : list_of(framework, "offers")) {
            const auto host = hosts.find(text_of(offer, "slave_id"));
            json::object record{{"id", text_of(offer, "id")},
                                {"framework_id", text_of(framework, "id")},
                                {"framework", text_of(framework, "name")},
                                {"role", text_of(object_of(offer, "allocation_info"), "role")},
                                {"agent_id", text_of(offer, "slave_id")},
                                {"hostname", host == hosts.end() ? std::string() : host->second}};
            for (const auto& kind : kinds)
                record[kind.total] = amount(number_of(object_of(offer, "resources"), kind.wire));
            records.push_back(std::move(record));
        }
    return records;
}

std::string amounts_text(const json::value& amounts) {
    std::string text;
    for (const auto& [name, value] : amounts.get_object()) {
        if (!text.empty()) text += ';';
        text += std::string(name) + ":" + cpus_text(value.is_number() ? value.to_number<double>() : 0);
    }
    return text.empty() ? "none" : text;
}

base::Result<json::object> parse_amounts(std::string_view text) {
    json::object amounts;
    if (text == "none") return amounts;
    for (std::string_view rest = text;;) {
        const auto part = rest.substr(0, rest.find(';'));
        const auto colon = part.find(':');
        const bool named = colon != part.npos && colon > 0;
        const auto value = resources::Milli::parse(named ? part.substr(colon + 1) : "");
        if (!named || !value)
            return Error(ErrorCode::invalid_argument,
                         "'" + std::string(part) + "' is not a name and an amount such as cpus:4 or mem:512 (or none)");
        if (amounts.contains(part.substr(0, colon)))
            return Error(ErrorCode::invalid_argument, "'" + std::string(part.substr(0, colon)) + "' is named twice");
        amounts[part.substr(0, colon)] = json::object{{"value", value->to_double()}};
        if (part.size() == rest.size()) return amounts;
        rest.remove_prefix(part.size() + 1);
    }
}

base::Result<json::object> parse_weight(std::string_view text) {
    const auto equals = text.rfind('=');
    double weight = 0;
    const auto* end = text.data() + text.size();
    const bool sound = equals != text.npos && equals > 0 && equals + 1 < text.size() &&
                       std::from_chars(text.data() + equals + 1, end, weight).ptr == end;
    if (!sound)
        return Error(ErrorCode::invalid_argument,
                     "'" + std::string(text) + "' is not a role and its weight such as eng=2");
    return json::object{{"role", text.substr(0, equals)}, {"weight", weight}};
}

}  // namespace fairlead::cli
