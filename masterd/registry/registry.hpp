#pragma once
// The little that is durable in a master: which cluster this is, how often leadership has been taken (the epoch), which
// agents were admitted, which ended frameworks may still have tasks somewhere, and what operators said of roles.
//
// Operations take their time elsewhere, and whoever awaits them goes on when they have ended. They may be awaited on
// any strand; a wait that is cancelled leaves it open what becomes of the operation. There is one writer: it has begun
// an epoch and read what there is, and where anybody has begun a later epoch since, it cannot write any more.
//
// Codes: `conflict`, a later epoch has begun, or what is there is not what the writer knew; `unavailable` and
// `outcome_unknown`, trying again may help; anything else will not go away by itself.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "masterd/core/durable.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::masterd::registry {

class Registry {
  public:
    virtual ~Registry() = default;

    // Named once, when the registry is made; never changes.
    virtual const std::string& cluster_id() const = 0;
    // Where it is, for people.
    virtual std::string place() const = 0;

    // For a master that stands by, every now and then: whatever takes long in read() is done ahead, and what would
    // make it fail is known before it matters. Costs little when nothing has changed. Where reading is quick there is
    // nothing to do.
    virtual async::awaitable<base::Status> read_ahead() { co_return base::Status(); }
    // One more than any epoch this registry has handed out; durable when it returns.
    virtual async::awaitable<base::Result<std::uint64_t>> begin_epoch() = 0;
    // What write() has left, now and in earlier lives.
    virtual async::awaitable<base::Result<core::Inheritance>> read() = 0;
    // In this order; durable when it returns. When it fails, some of the first may have been made, or may yet be. One
    // at a time of each epoch.
    virtual async::awaitable<base::Status> write(std::uint64_t epoch, std::vector<core::Persist> changes) = 0;
};

// Where one is made that was not there, a cluster begins; and a place that is mistyped looks like that.
void tell_of_new_registry(const std::string& place, const std::string& cluster_id);

// All of a registry: to carry it to another place.
struct Contents {
    std::string cluster_id;
    std::uint64_t epoch = 0;
    core::Inheritance inheritance;
};

// The changes that make it of nothing.
std::vector<core::Persist> changes_to(const core::Inheritance& inheritance);

}  // namespace fairlead::masterd::registry
