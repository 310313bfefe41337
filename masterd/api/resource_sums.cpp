#include "masterd/api/resource_sums.hpp"

namespace fairlead::masterd::api {

void ResourceSums::add(const resources::Resources& more) {
    more.for_each([this](const resources::Resource& one) {
        const std::string name = one.is_revocable() ? one.name() + "_revocable" : one.name();
        if (const auto* amount = one.scalar()) {
            scalars_[name] += *amount;
        } else if (const auto* ranges = one.ranges()) {
            auto& united = ranges_[name];
            united = united.united_with(*ranges);
        } else if (const auto* set = one.item_set()) {
            items_[name].insert(set->items().begin(), set->items().end());
        }
    });
}

void ResourceSums::add(const ResourceSums& more) {
    for (const auto& [name, amount] : more.scalars_) scalars_[name] += amount;
    for (const auto& [name, ranges] : more.ranges_) ranges_[name] = ranges_[name].united_with(ranges);
    for (const auto& [name, items] : more.items_) items_[name].insert(items.begin(), items.end());
}

void ResourceSums::write(wire::JsonText& json) const {
    json.object();
    for (const auto predefined : resources::predefined_names) {
        const auto found = scalars_.find(std::string(predefined));
        json.key(predefined).number(found == scalars_.end() ? 0 : found->second.to_double());
    }
    for (const auto& [name, amount] : scalars_)
        if (std::find(resources::predefined_names.begin(), resources::predefined_names.end(), name) ==
            resources::predefined_names.end())
            json.key(name).number(amount.to_double());
    for (const auto& [name, ranges] : ranges_) json.key(name).text(ranges.to_string());
    for (const auto& [name, items] : items_) {
        std::string text = "{";
        for (const auto& item : items) text += (text.size() > 1 ? ", " : "") + item;
        json.key(name).text(text + "}");
    }
    json.end_object();
}

}  // namespace fairlead::masterd::api
