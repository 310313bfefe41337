#include "common/resources/resource_sums.hpp"

namespace fairlead::resources {

void ResourceSums::add(const Resources& more) {
    more.for_each([this](const Resource& one) {
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

}  // namespace fairlead::resources
