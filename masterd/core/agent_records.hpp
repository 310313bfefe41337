#pragma once
// What the master keeps of what an agent says of itself. Most of it many agents have in common, the attributes of their
// rack and the version that they run, and is kept once for all of them.

#include "common/resources/resources.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <memory>
#include <string>
#include <unordered_map>

namespace fairlead::masterd::core {

// Attributes, domain, port, and whatever else is neither the agent's own nor counted in the books.
struct AgentKind {
    v1::AgentInfo info;  // without hostname, id and resources
    std::string version;
};

class AgentKinds {
  public:
    // The one that equals it, or a new one.
    std::shared_ptr<const AgentKind> find_or_add(const v1::AgentInfo& info, const std::string& version);
    std::size_t size() const { return by_hash_.size(); }  // those that nobody has any more are dropped now and then

  private:
    void drop_unused();

    std::unordered_multimap<std::size_t, std::weak_ptr<const AgentKind>> by_hash_;
    std::size_t drop_at_ = 16;
};

// The message again, with resources as the agent's configuration has them.
v1::AgentInfo info_of(const AgentKind& kind, const std::string& hostname, const std::string& id,
                      const resources::Resources& total);

}  // namespace fairlead::masterd::core
