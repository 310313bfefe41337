#include "masterd/line_limit.hpp"

namespace fairlead::masterd {

bool LineLimit::allow(const std::string& source, base::Instant now, std::uint64_t lines_max) {
    auto found = windows_.find(source);
    if (found == windows_.end()) {
        const bool shared = windows_.size() >= options_.sources_max;
        found = windows_.try_emplace(shared ? std::string() : source, Window{now + options_.window}).first;
    }
    Window& window = found->second;
    const bool allowed = window.written < lines_max;
    ++(allowed ? window.written : window.held_back);
    return allowed;
}

std::vector<LineLimit::HeldBack> LineLimit::take_held_back(base::Instant now) {
    std::vector<HeldBack> held_back;
    std::erase_if(windows_, [&](const auto& entry) {
        const auto& [source, window] = entry;
        if (now < window.end) return false;
        if (window.held_back > 0) held_back.push_back({source, window.held_back});
        return true;
    });
    return held_back;
}

}  // namespace fairlead::masterd
