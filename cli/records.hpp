#pragma once
// What fairctl tells of a cluster, as one JSON object for each thing, under keys of its own that
// fairctl(1) documents: programs read them with `-o json`, and the tables are made of them. Built
// from the master's documents; what those lack is empty or zero. Pure.
//
// Amounts: cpus and gpus in units, memory and disk in MB as the API counts them (1024 * 1024
// bytes). Times: seconds since 1970.

#include <boost/json.hpp>

#include <map>
#include <string>
#include <string_view>

namespace fairlead::cli {

enum class Scope { running, everything };

// Of /state: one object.
boost::json::object cluster_record(const boost::json::value& state);
// Of /slaves.
boost::json::array agent_records(const boost::json::value& agents);
// Of /frameworks.
boost::json::array framework_records(const boost::json::value& frameworks, Scope scope);
// Of /tasks; `agents` is /slaves, for the names of hosts.
boost::json::array task_records(const boost::json::value& tasks, const boost::json::value& agents,
                                Scope scope);

// How the API and fairctl name the amounts that everything has.
struct Kind {
    const char* wire;
    const char* total;
    const char* used;
    const char* offered;
};
inline constexpr Kind kinds[] = {{"cpus", "cpus", "cpus_used", "cpus_offered"},
                                 {"mem", "mem_mb", "mem_used_mb", "mem_offered_mb"},
                                 {"disk", "disk_mb", "disk_used_mb", "disk_offered_mb"},
                                 {"gpus", "gpus", "gpus_used", "gpus_offered"}};
// Whole numbers without an exponent, which is how the library writes every double.
boost::json::value amount(double value);
// Of /slaves: by id.
std::map<std::string, std::string> host_names(const boost::json::value& agents);

// Whether a task of this state is over, by its name on the wire.
bool is_over(std::string_view state);
// Where an agent of /slaves listens: "10.0.0.5:5051".
std::string address_of(const boost::json::value& agent);

}  // namespace fairlead::cli
