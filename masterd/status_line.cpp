#include "masterd/status_line.hpp"

#include <fmt/format.h>

namespace fairlead::masterd {
namespace {

std::string cluster_of(const core::State& state) {
    std::size_t agents = 0, frameworks = 0;
    for (const auto& agent : state.books.agents()) agents += agent != nullptr;
    for (const auto& framework : state.books.frameworks()) frameworks += framework != nullptr;
    return fmt::format("{} agents, {} frameworks, {} offers out", agents, frameworks, state.books.offers().size());
}

// Some of it may be what somebody has written into a znode; systemd takes each line for an assignment.
std::string one_line(std::string text) {
    constexpr std::size_t length_max = 500;
    if (text.size() > length_max) text.replace(length_max, text.size(), "...");
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return text;
}

}  // namespace

std::string status_line(const core::State& state, const api::Standing::View& standing) {
    using Leader = api::Standing::Leader;
    if (standing.leader == Leader::own && state.leading)
        return fmt::format("leading, epoch {}: {}", state.epoch, cluster_of(state));
    std::string line = "elected: reading the registry";
    if (standing.leader == Leader::other) line = fmt::format("standing by: {} leads", standing.authority);
    if (standing.leader == Leader::unknown) line = "standing by: nobody is known to lead";
    if (standing.links_waiting > 0) line += fmt::format("; {} links of agents wait here", standing.links_waiting);
    if (!standing.trouble.empty()) line += "; cannot take over: " + one_line(standing.trouble);
    return line;
}

}  // namespace fairlead::masterd
