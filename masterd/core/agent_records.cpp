#include "masterd/core/agent_records.hpp"

#include "common/resources/reserving.hpp"
#include "common/resources/wire.hpp"

#include <functional>

namespace fairlead::masterd::core {

std::shared_ptr<const AgentKind> AgentKinds::find_or_add(const v1::AgentInfo& info, const std::string& version) {
    AgentKind kind{info, version};
    kind.info.clear_hostname();
    kind.info.clear_id();
    kind.info.clear_resources();
    const std::string bytes = kind.info.SerializePartialAsString();
    const std::size_t hash = std::hash<std::string>{}(bytes + version);
    const auto [first, last] = by_hash_.equal_range(hash);
    for (auto it = first; it != last; ++it) {
        auto known = it->second.lock();
        if (known && known->version == version && known->info.SerializePartialAsString() == bytes) return known;
    }
    if (by_hash_.size() >= drop_at_) drop_unused();
    // Copied anew: a field that is only cleared keeps its memory.
    std::shared_ptr<const AgentKind> kept(new AgentKind(kind));
    by_hash_.emplace(hash, kept);
    return kept;
}

void AgentKinds::drop_unused() {
    std::erase_if(by_hash_, [](const auto& one) { return one.second.expired(); });
    drop_at_ = 2 * by_hash_.size() + 16;
}

v1::AgentInfo info_of(const AgentKind& kind, const std::string& hostname, const std::string& id,
                      const resources::Resources& total) {
    v1::AgentInfo info = kind.info;
    info.set_hostname(hostname);
    info.mutable_id()->set_value(id);
    const auto configured = resources::without_dynamic_reservations(total);
    resources::to_wire(configured ? *configured : total, resources::ReservationFormat::stack, nullptr,
                       *info.mutable_resources());
    return info;
}

}  // namespace fairlead::masterd::core
