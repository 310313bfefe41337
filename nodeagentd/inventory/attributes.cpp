#include "nodeagentd/inventory/attributes.hpp"

#include "common/resources/ranges.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace fairlead::nodeagentd::inventory {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

base::Error complaint(std::string_view item, const std::string& why) {
    return base::Error(base::ErrorCode::invalid_argument, "'" + std::string(item) + "': " + why);
}

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

base::Status set_value(std::string_view item, std::string_view text, v1::Attribute& attribute) {
    if (text.front() == '{') return complaint(item, "an attribute cannot be a set");
    if (text.front() == '[') {
        const auto ranges = resources::Ranges::parse(text);
        if (!ranges) return complaint(item, ranges.error().message());
        attribute.set_type(v1::Value::RANGES);
        for (const auto& interval : ranges->intervals()) {
            auto* range = attribute.mutable_ranges()->add_range();
            range->set_begin(interval.begin);
            range->set_end(interval.end);
        }
    } else if (const auto value = number(text)) {
        attribute.set_type(v1::Value::SCALAR);
        attribute.mutable_scalar()->set_value(*value);
    } else {
        attribute.set_type(v1::Value::TEXT);
        attribute.mutable_text()->set_value(std::string(text));
    }
    return {};
}

}  // namespace

base::Result<google::protobuf::RepeatedPtrField<v1::Attribute>> parse_attributes(std::string_view text) {
    google::protobuf::RepeatedPtrField<v1::Attribute> attributes;
    while (!text.empty()) {
        const auto end = std::min(text.find(';'), text.size());
        const auto item = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (item.empty()) continue;
        const auto colon = item.find(':');
        if (colon == std::string_view::npos) return complaint(item, "expected name:value");
        const auto name = trimmed(item.substr(0, colon)), value = trimmed(item.substr(colon + 1));
        if (name.empty()) return complaint(item, "the name is missing");
        if (value.empty()) return complaint(item, "the value is missing");
        auto* attribute = attributes.Add();
        attribute->set_name(std::string(name));
        if (auto set = set_value(item, value, *attribute); !set) return set.error();
    }
    return attributes;
}

}  // namespace fairlead::nodeagentd::inventory
