#pragma once
// Every path that the master answers, and who answers it. Operators' reads are looked up on the owner's strand between
// two steps and rendered from there, so each shows one moment of the cluster.

#include "common/http/router.hpp"
#include "masterd/api/standing.hpp"
#include "masterd/driver/driver.hpp"

#include <map>
#include <string>

namespace fairlead::masterd::api {

// What the pages tell besides the core's own state. The counters are written on the owner's strand, as are the pages.
struct Identity {
    base::WallTime start_time;
    std::string hostname;
    std::string cluster_name;
    std::string authority;  // host:port under which this master is reached
    std::shared_ptr<Standing> standing = std::make_shared<Standing>();  // never null
    std::map<std::string, std::string> flags;  // how this master was started, by Mesos' names
    std::map<std::string, double> counters;
};

// The driver and the identity must outlive the router's use.
void add_routes(http::Router& router, driver::Driver& driver, async::Executor streams, const Identity& identity);

}  // namespace fairlead::masterd::api
