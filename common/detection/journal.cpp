#include "common/detection/journal.hpp"

#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"

#include <fmt/format.h>

namespace fairlead::detection {

using log::Priority;
namespace message_ids = log::message_ids;

namespace {

constexpr std::size_t oddities_max = 100;  // told of one look

}  // namespace

void Journal::unreachable() {
    if (std::exchange(unreachable_, true)) return;
    log::Entry(Priority::warning, fmt::format("ZooKeeper does not answer at {}: trying on", where_))
        .id(message_ids::zookeeper_unreachable);
}

void Journal::reachable() {
    if (!std::exchange(unreachable_, false)) return;
    log::notice(fmt::format("ZooKeeper answers again at {}", where_));
}

void Journal::failed(const base::Error& error) {
    if (std::exchange(last_failure_, error.message()) == error.message()) return;
    log::Entry(Priority::warning, error.message() + ": trying again").id(message_ids::zookeeper_refused);
}

void Journal::odd(const std::vector<std::string>& oddities) {
    std::set<std::string> seen;
    for (const std::string& oddity : oddities) {
        if (seen.size() >= oddities_max) break;
        if (seen.insert(oddity).second && !oddities_.contains(oddity))
            log::Entry(Priority::warning, oddity).id(message_ids::odd_znode);
    }
    oddities_ = std::move(seen);
}

}  // namespace fairlead::detection
