#include "common/resources/resource.hpp"

#include "common/resources/role.hpp"

namespace fairlead::resources {

const Qualifier& Resource::qualifier() const {
    static const Qualifier plain;
    return qualifier_ ? *qualifier_ : plain;
}

const base::Role& Resource::reserved_role() const {
    return is_reserved() ? qualifier_->reservations.back().role : default_role();
}

bool Resource::empty() const {
    if (const auto* amount = scalar()) return amount->is_zero();
    if (const auto* intervals = ranges()) return intervals->empty();
    return item_set()->empty();
}

std::strong_ordering Resource::compare_kind(const Resource& other) const {
    if (const auto order = name_ <=> other.name_; order != 0) return order;
    if (const auto order = value_.index() <=> other.value_.index(); order != 0) return order;
    if (qualifier_ != other.qualifier_)
        if (const auto order = qualifier() <=> other.qualifier(); order != 0) return order;
    if (is_indivisible()) return value_ <=> other.value_;
    return std::strong_ordering::equal;
}

}  // namespace fairlead::resources
