#include "cli/agent_commands.hpp"

#include <fmt/format.h>

namespace fairlead::cli {

namespace json = boost::json;

async::awaitable<int> mark_agent_gone(Cluster cluster, std::string id) {
    const auto call = json::object{{"type", "MARK_AGENT_GONE"},
                                   {"mark_agent_gone", json::object{{"agent_id", json::object{{"value", id}}}}}};
    auto answer = co_await cluster.operate(json::serialize(call));
    if (!answer) co_return complain(answer.error());
    fmt::print("Agent {} is gone: its tasks are over, and it is not accepted again.\n", id);
    co_return success;
}

}  // namespace fairlead::cli
