#include "nodeagentd/runtime/slice_book.hpp"

#include <algorithm>
#include <utility>

namespace fairlead::nodeagentd::runtime {

std::optional<SliceBook::Do> SliceBook::join(const Member& member) {
    auto [at, is_new] = slices_.try_emplace(member.slice);
    Slice& slice = at->second;
    slice.standing.framework = member.framework;
    if (!member.framework_name.empty()) slice.standing.framework_name = member.framework_name;
    slice.standing.cpus += member.cpus;
    slice.changed = !is_new;  // a new one is started with its weight
    ++slice.members;
    if (is_new) return Do{What::start, member.slice};
    return std::nullopt;
}

std::optional<SliceBook::Do> SliceBook::leave(const std::string& name, double cpus) {
    const auto at = slices_.find(name);
    if (at == slices_.end() || at->second.members == 0) return std::nullopt;
    Slice& slice = at->second;
    slice.standing.cpus = std::max(0.0, slice.standing.cpus - cpus);
    slice.changed = true;
    --slice.members;
    return linger(name, slice);
}

std::optional<SliceBook::Do> SliceBook::found(const std::string& name) {
    Slice& slice = slices_[name];
    slice.phase = Phase::stands;
    slice.changed = slice.members > 0;
    return linger(name, slice);
}

std::optional<SliceBook::Do> SliceBook::linger(const std::string& name, Slice& slice) {
    if (slice.members > 0 || slice.phase != Phase::stands || std::exchange(slice.lingers, true))
        return std::nullopt;
    return Do{What::linger, name};
}

std::optional<SliceBook::Do> SliceBook::started(const std::string& name) {
    const auto at = slices_.find(name);
    if (at == slices_.end() || at->second.phase != Phase::starting) return std::nullopt;
    at->second.phase = Phase::stands;
    return linger(name, at->second);
}

std::optional<SliceBook::Do> SliceBook::linger_over(const std::string& name) {
    const auto at = slices_.find(name);
    if (at == slices_.end()) return std::nullopt;
    at->second.lingers = false;
    if (at->second.members > 0 || at->second.phase != Phase::stands) return std::nullopt;
    at->second.phase = Phase::stopping;
    return Do{What::stop, name};
}

std::optional<SliceBook::Do> SliceBook::stopped(const std::string& name) {
    const auto at = slices_.find(name);
    if (at == slices_.end() || at->second.phase != Phase::stopping) return std::nullopt;
    if (at->second.members == 0) {
        slices_.erase(at);
        return std::nullopt;
    }
    at->second.phase = Phase::starting;
    at->second.changed = false;
    return Do{What::start, name};
}

bool SliceBook::stands(const std::string& name) const {
    const auto at = slices_.find(name);
    return at != slices_.end() && at->second.phase == Phase::stands;
}

SliceBook::Standing SliceBook::standing(const std::string& name) const {
    const auto at = slices_.find(name);
    return at == slices_.end() ? Standing() : at->second.standing;
}

std::vector<std::string> SliceBook::take_changed() {
    std::vector<std::string> changed;
    for (auto& [name, slice] : slices_) {
        if (slice.phase != Phase::stands || slice.members == 0) continue;
        if (std::exchange(slice.changed, false)) changed.push_back(name);
    }
    return changed;
}

}  // namespace fairlead::nodeagentd::runtime
