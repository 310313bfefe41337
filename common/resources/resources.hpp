#pragma once
// What an agent has, an offer holds, a task asks for: a vector of resources with exact arithmetic.
// The four scalars that nearly every vector is made of (cpus, mem, disk, gpus: unreserved, plain)
// lie inline and are added, subtracted and compared in nanoseconds without allocation. Ranges,
// sets, other names and everything reserved or otherwise qualified sit in one shared, copy-on-write
// part behind a pointer that is mostly null. For whom a resource is allocated is not part of it:
// whoever holds the vector knows the role.
//
// Values are canonical: equal contents compare equal, in whatever order they were put together.
// Amounts are never negative and nothing empty is kept.
//
//     auto total = Resources::parse("cpus:4;mem:1024;ports:[31000-32000]").value();
//     if (total.contains(task)) total.subtract(task);

#include "common/base/error.hpp"
#include "common/resources/quantities.hpp"
#include "common/resources/resource.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::resources {

class Resources {
  public:
    Resources() = default;
    explicit Resources(const Resource& one) { add(one); }
    static Resources scalars(Milli cpus, Milli mem, Milli disk = {}, Milli gpus = {});

    // "cpus:4;mem:1024;ports:[31000-32000];disk(role):10;nics:{a,b}"; `name(role)` is a static
    // reservation. The error names the item that is wrong and why.
    static base::Result<Resources> parse(std::string_view text);
    // The same form, in a fixed order; qualifiers that it cannot express are written for people.
    std::string to_string() const;

    bool empty() const { return !has_scalars() && !extras_; }

    // Totals over all qualifiers: a task with one plain and one reserved cpu has two.
    Milli cpus() const { return predefined(Predefined::cpus); }
    Milli mem() const { return predefined(Predefined::mem); }
    Milli disk() const { return predefined(Predefined::disk); }
    Milli gpus() const { return predefined(Predefined::gpus); }
    Milli scalar(std::string_view name) const;
    Ranges ports() const { return ranges("ports"); }
    Ranges ranges(std::string_view name) const;
    // All scalars by name over all qualifiers; copies of a shared resource count once.
    Quantities quantities() const;
    // Of those only what is neither reserved nor revocable: what guarantees and limits are counted in.
    Quantities free_quantities() const;

    bool contains(const Resources& other) const {
        for (std::size_t i = 0; i < predefined_count; ++i)
            if (scalars_[i] < other.scalars_[i]) return false;
        return !other.extras_ || contains_extras(other);
    }
    // Precondition of subtract: contains(other).
    void subtract(const Resources& other) {
        for (std::size_t i = 0; i < predefined_count; ++i) {
            if (scalars_[i] < other.scalars_[i]) broken_precondition("subtract more than there is");
            scalars_[i] -= other.scalars_[i];
        }
        if (other.extras_) subtract_extras(other);
    }
    // False, and unchanged, when `other` is not contained.
    [[nodiscard]] bool try_subtract(const Resources& other) {
        if (!contains(other)) return false;
        subtract(other);
        return true;
    }
    // Precondition of add: addable(other).
    void add(const Resources& other) {
        for (std::size_t i = 0; i < predefined_count; ++i) scalars_[i] += other.scalars_[i];
        if (other.extras_) add_extras(other);
    }
    void add(const Resource& one);
    // Whether no range or set item occurs in both and no sum overflows. Ask, or use try_add, where
    // a peer chose both.
    bool addable(const Resources& other) const;
    // False, and unchanged, when not addable.
    [[nodiscard]] bool try_add(const Resources& other) {
        if (!addable(other)) return false;
        add(other);
        return true;
    }

    friend Resources operator+(Resources a, const Resources& b) { return a.add(b), a; }
    friend Resources operator-(Resources a, const Resources& b) { return a.subtract(b), a; }

    // Parts of this, by qualifier. Each pair makes up the whole.
    Resources unreserved() const;
    Resources reserved() const;
    Resources revocable() const;
    Resources non_revocable() const;
    // What is reserved for exactly this role.
    Resources reserved_to(const base::Role& role) const;
    // What may be offered to this role: the unreserved, and what is reserved for it or for an
    // ancestor of it.
    Resources available_to(const base::Role& role) const;
    // What a client that knows no refined reservations can be shown: reservation stacks of at most
    // one.
    Resources without_refined_reservations() const;
    Resources without_shared() const;

    // visit(const Resource&) in the fixed order; a shared resource once for each copy.
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (std::size_t i = 0; i < predefined_count; ++i)
            if (!scalars_[i].is_zero())
                visit(Resource(std::string(predefined_names[i]), scalars_[i]));
        if (!extras_) return;
        for (const Holding& holding : extras_->holdings)
            for (std::uint32_t copy = 0; copy < holding.copies; ++copy) visit(holding.resource);
    }

    // True when nothing but plain cpus, mem, disk and gpus is in it.
    bool is_scalar_only() const { return !extras_; }

    friend bool operator==(const Resources& a, const Resources& b) {
        return a.scalars_ == b.scalars_ && (a.extras_ == b.extras_ || same_extras(a, b));
    }
    friend std::ostream& operator<<(std::ostream& out, const Resources& r) {
        return out << r.to_string();
    }

  private:
    struct Holding {
        Resource resource;
        std::uint32_t copies = 1;  // above one only for what is indivisible
    };
    struct Extras : boost::intrusive_ref_counter<Extras> {
        std::vector<Holding> holdings;  // sorted by kind, never empty
    };
    using ExtrasPtr = boost::intrusive_ptr<Extras>;

    bool has_scalars() const { return scalars_ != std::array<Milli, predefined_count>{}; }
    Milli predefined(Predefined which) const {
        const auto i = static_cast<std::size_t>(which);
        return extras_ ? scalar(predefined_names[i]) : scalars_[i];
    }
    template <typename Keep>
    Resources filtered(Keep&& keep) const;
    template <typename Keep>
    Quantities quantities_of(Keep&& keep) const;

    static bool same_extras(const Resources& a, const Resources& b);
    const Holding* find(const Resource& kind) const;
    Extras& own_extras();  // unshares, or makes an empty one
    void add_holding(const Holding& holding);
    void add_extras(const Resources& other);
    bool contains_extras(const Resources& other) const;
    void subtract_extras(const Resources& other);

    std::array<Milli, predefined_count> scalars_{};
    ExtrasPtr extras_;
};

}  // namespace fairlead::resources
