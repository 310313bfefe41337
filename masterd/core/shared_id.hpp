#pragma once
// An id that is written down in many places and kept once: a copy costs a pointer. The tables of the master hold their
// ids so, since there is a million of them and each stands in several tables. Everybody else sees a plain id.

#include "common/base/id.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

namespace fairlead::masterd::core {

template <typename Id>
class SharedId {
  public:
    SharedId() = default;
    SharedId(Id id) : kept_(id.empty() ? nullptr : new Kept(std::move(id))) {}  // NOLINT: an id is an id

    operator const Id&() const { return plain(); }  // NOLINT: as above
    const Id& plain() const {
        static const Id none;
        return kept_ ? kept_->id : none;
    }
    const std::string& value() const { return plain().value(); }
    bool empty() const { return !kept_; }

    friend bool operator==(const SharedId& a, const SharedId& b) {
        return a.kept_ == b.kept_ || a.plain() == b.plain();
    }
    friend bool operator==(const SharedId& a, const Id& b) { return a.plain() == b; }

  private:
    struct Kept : boost::intrusive_ref_counter<Kept> {
        explicit Kept(Id its) : id(std::move(its)) {}
        const Id id;
    };
    boost::intrusive_ptr<const Kept> kept_;
};

// Tables with such keys are asked with plain ids.
template <typename Id>
struct SharedIdHash {
    using is_transparent = void;
    std::size_t operator()(const SharedId<Id>& id) const noexcept { return std::hash<Id>{}(id.plain()); }
    std::size_t operator()(const Id& id) const noexcept { return std::hash<Id>{}(id); }
};

}  // namespace fairlead::masterd::core
