#pragma once
// The link to a master, seen from both ends: the driver sends and closes by MasterConnection, the
// link tells what happens by LinkEvents.

#include "nodeagentd/core/core.hpp"

#include <memory>

namespace fairlead::nodeagentd::ports {

// The connection to a master. Called on the owner's strand; must not block.
class MasterConnection {
  public:
    virtual ~MasterConnection() = default;
    virtual void send(std::shared_ptr<const internal::FromAgent> message) = 0;
    // The next one is not opened before `pause_min`, unless another master leads by then.
    virtual void close(base::Duration pause_min) = 0;
    virtual std::string master() const = 0;  // host:port, for people
};

// Called on any thread. False: whoever listened has stopped.
class LinkEvents {
  public:
    virtual ~LinkEvents() = default;
    virtual bool link_opened(core::LinkId link, std::shared_ptr<MasterConnection> connection) = 0;
    virtual bool link_message(core::LinkId link,
                              std::shared_ptr<const internal::FromMaster> message) = 0;
    virtual void link_closed(core::LinkId link) = 0;
};

}  // namespace fairlead::nodeagentd::ports
