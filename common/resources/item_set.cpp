#include "common/resources/item_set.hpp"

#include "common/resources/milli.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace fairlead::resources {
namespace {

base::Error refuse(std::string why) {
    return {base::ErrorCode::invalid_argument, std::move(why)};
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace

base::Result<ItemSet> ItemSet::from(std::vector<std::string> items) {
    if (items.size() > items_max) return refuse(fmt::format("has more than {} items", items_max));
    std::sort(items.begin(), items.end());
    if (!items.empty() && items.front().empty()) return refuse("has an empty item");
    const auto twice = std::adjacent_find(items.begin(), items.end());
    if (twice != items.end()) return refuse(fmt::format("the item '{}' occurs twice", *twice));
    ItemSet result;
    result.items_ = std::move(items);
    return result;
}

base::Result<ItemSet> ItemSet::parse(std::string_view text) {
    text = trim(text);
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
        return refuse(fmt::format("'{}' is not of the form {{a, b}}", text));
    auto inner = trim(text.substr(1, text.size() - 2));
    std::vector<std::string> items;
    while (!inner.empty()) {
        const auto comma = inner.find(',');
        items.emplace_back(trim(inner.substr(0, comma)));
        if (comma == inner.npos) break;
        inner = inner.substr(comma + 1);
        if (trim(inner).empty()) return refuse("an item is missing after ','");
    }
    return from(std::move(items));
}

bool ItemSet::contains(const ItemSet& other) const {
    return std::includes(items_.begin(), items_.end(), other.items_.begin(), other.items_.end());
}

bool ItemSet::intersects(const ItemSet& other) const {
    auto a = items_.begin();
    auto b = other.items_.begin();
    while (a != items_.end() && b != other.items_.end()) {
        const auto order = *a <=> *b;
        if (order == 0) return true;
        order < 0 ? ++a : ++b;
    }
    return false;
}

void ItemSet::add(const ItemSet& other) {
    if (intersects(other)) broken_precondition("an item of a set is added twice");
    std::vector<std::string> both;
    both.reserve(items_.size() + other.items_.size());
    std::merge(items_.begin(), items_.end(), other.items_.begin(), other.items_.end(),
               std::back_inserter(both));
    items_ = std::move(both);
}

void ItemSet::subtract(const ItemSet& other) {
    if (!contains(other)) broken_precondition("subtract an item of a set that is not there");
    std::vector<std::string> left;
    std::set_difference(items_.begin(), items_.end(), other.items_.begin(), other.items_.end(),
                        std::back_inserter(left));
    items_ = std::move(left);
}

std::string ItemSet::to_string() const {
    return fmt::format("{{{}}}", fmt::join(items_, ", "));
}

}  // namespace fairlead::resources
