#pragma once
// Identifiers as types: an AgentId where a TaskId is due does not compile. The value is opaque text as it stands on the
// wire; whether a peer's text is acceptable is decided once, by check_id, at the edge where it comes in.

#include "common/base/error.hpp"

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace fairlead::base {

template <typename Tag>
class Id {
  public:
    Id() = default;
    explicit Id(std::string value) : value_(std::move(value)) {}

    const std::string& value() const { return value_; }
    bool empty() const { return value_.empty(); }

    friend bool operator==(const Id&, const Id&) = default;
    friend auto operator<=>(const Id&, const Id&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Id& id) { return out << id.value_; }

  private:
    std::string value_;
};

using FrameworkId = Id<struct FrameworkIdTag>;
using AgentId = Id<struct AgentIdTag>;
using TaskId = Id<struct TaskIdTag>;
using ExecutorId = Id<struct ExecutorIdTag>;
using ContainerId = Id<struct ContainerIdTag>;
using OfferId = Id<struct OfferIdTag>;
using Role = Id<struct RoleTag>;

// A peer's id is refused when it is empty, longer than 255 bytes, "." or "..", or holds a control character, '/' or
// '\' (reference: Mesos common/validation, restated in mesos-v1.md 2.4). `what` names it in the message: "task id".
Status check_id(std::string_view what, std::string_view value);

}  // namespace fairlead::base

template <typename Tag>
struct std::hash<fairlead::base::Id<Tag>> {
    std::size_t operator()(const fairlead::base::Id<Tag>& id) const noexcept {
        return std::hash<std::string>{}(id.value());
    }
};
