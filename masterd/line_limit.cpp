#include "masterd/line_limit.hpp"

namespace fairlead::masterd {

bool LineLimit::allow(const std::string& source, base::Instant now) {
    auto found = windows_.find(source);
    if (found == windows_.end()) {
        const bool shared = windows_.size() >= options_.sources_max;
        found = windows_.try_emplace(shared ? std::string() : source, Window{now + options_.window}).first;
    }
    return ++found->second.lines <= options_.lines_max;
}

std::vector<LineLimit::HeldBack> LineLimit::take_held_back(base::Instant now) {
    std::vector<HeldBack> held_back;
    std::erase_if(windows_, [&](const auto& entry) {
        const auto& [source, window] = entry;
        if (now < window.end) return false;
        if (window.lines > options_.lines_max) held_back.push_back({source, window.lines - options_.lines_max});
        return true;
    });
    return held_back;
}

}  // namespace fairlead::masterd
