#pragma once
// One kind of resource and how much of it: a name, a value, and what qualifies it (for whom it is
// reserved, whether it may be taken back, on which disk it lies). Two resources add up only when
// name, type and qualifier are the same.

#include "common/base/id.hpp"
#include "common/resources/item_set.hpp"
#include "common/resources/milli.hpp"
#include "common/resources/ranges.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fairlead::resources {

using Value = std::variant<Milli, Ranges, ItemSet>;

struct Reservation {
    enum class Type { fixed, dynamic };  // `fixed` is what the wire calls STATIC
    using Label = std::pair<std::string, std::optional<std::string>>;

    Type type = Type::fixed;
    base::Role role;
    std::optional<std::string> principal;
    std::optional<std::vector<Label>> labels;  // sorted: their order means nothing

    friend bool operator==(const Reservation&, const Reservation&) = default;
    friend auto operator<=>(const Reservation&, const Reservation&) = default;
};

struct Qualifier {
    std::vector<Reservation> reservations;  // bottom first; the last one says whose it is
    bool revocable = false;
    bool shared = false;
    std::optional<std::string> provider_id;
    std::optional<std::string> disk;  // opaque bytes: carried, compared exactly
    bool whole = false;  // that disk is taken entirely or not at all (a mount, a persistent volume)

    bool is_plain() const {
        return reservations.empty() && !revocable && !shared && !provider_id && !disk && !whole;
    }
    // Copies of it are counted instead of amounts added.
    bool is_indivisible() const { return shared || whole; }

    friend bool operator==(const Qualifier&, const Qualifier&) = default;
    friend auto operator<=>(const Qualifier&, const Qualifier&) = default;
};

class Resource {
  public:
    Resource(std::string name, Value value) : name_(std::move(name)), value_(std::move(value)) {}
    Resource(std::string name, Value value, Qualifier qualifier)
        : name_(std::move(name)), value_(std::move(value)) {
        if (!qualifier.is_plain())
            qualifier_ = std::make_shared<const Qualifier>(std::move(qualifier));
    }

    const std::string& name() const { return name_; }
    const Value& value() const { return value_; }
    Value& value() { return value_; }
    const Qualifier& qualifier() const;
    bool is_plain() const { return qualifier_ == nullptr; }
    bool is_reserved() const { return qualifier_ && !qualifier_->reservations.empty(); }
    bool is_revocable() const { return qualifier_ && qualifier_->revocable; }
    bool is_indivisible() const { return qualifier_ && qualifier_->is_indivisible(); }
    // "*" when it is not reserved.
    const base::Role& reserved_role() const;
    const Milli* scalar() const { return std::get_if<Milli>(&value_); }
    const Ranges* ranges() const { return std::get_if<Ranges>(&value_); }
    const ItemSet* item_set() const { return std::get_if<ItemSet>(&value_); }
    bool empty() const;

    // Less, equal or more by name, type and qualifier; the value counts only for what is
    // indivisible.
    std::strong_ordering compare_kind(const Resource& other) const;

  private:
    std::string name_;
    Value value_;
    std::shared_ptr<const Qualifier> qualifier_;  // null when plain, which is nearly always
};

}  // namespace fairlead::resources
