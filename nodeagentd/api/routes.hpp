#pragma once
// Every path that the agent answers, and who answers it. Reads are looked up on the owner's strand between two steps,
// so each shows one moment; what has to be read from the kernel or a disk is read elsewhere.

#include "common/http/router.hpp"
#include "nodeagentd/api/disk_work.hpp"
#include "nodeagentd/api/files.hpp"
#include "nodeagentd/api/views.hpp"
#include "nodeagentd/driver/driver.hpp"

#include <functional>
#include <map>

namespace fairlead::nodeagentd::api {

struct Sources {
    driver::Driver& driver;
    const Identity& identity;
    const Files& files;
    ports::ReadUsage read_usage;
    // What is counted outside of the core, by its metric's name; called on the owner's strand.
    std::function<std::map<std::string, double>()> counters;
    async::Executor executor;  // for what is read from the kernel
    DiskWork disk;
};

// What `sources` refers to must outlive the router's use.
void add_routes(http::Router& router, const Sources& sources);

}  // namespace fairlead::nodeagentd::api
