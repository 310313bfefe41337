#include "allocator/drf/open_agents.hpp"

#include <algorithm>
#include <string_view>

namespace fairlead::allocator::drf {
namespace {

void keep_one_of_each(std::vector<AgentSlot>& slots, std::size_t from) {
    const auto first = slots.begin() + static_cast<std::ptrdiff_t>(from);
    std::sort(first, slots.end());
    slots.erase(std::unique(first, slots.end()), slots.end());
}

}  // namespace

std::vector<base::Role> reserved_roles(const resources::Resources& resources) {
    std::vector<base::Role> roles;
    if (resources.is_scalar_only()) return roles;
    resources.for_each([&](const resources::Resource& one) {
        if (one.is_reserved() && std::find(roles.begin(), roles.end(), one.reserved_role()) == roles.end())
            roles.push_back(one.reserved_role());
    });
    return roles;
}

bool has_unreserved(const resources::Resources& resources) {
    if (resources.is_scalar_only()) return !resources.empty();
    bool any = false;
    resources.for_each([&](const resources::Resource& one) { any |= !one.is_reserved(); });
    return any;
}

void OpenAgents::List::add(AgentSlot agent) {
    if (!positions_.try_emplace(agent, static_cast<std::uint32_t>(slots_.size())).second) return;
    slots_.push_back(agent);
}

void OpenAgents::List::remove(AgentSlot agent) {
    const auto found = positions_.find(agent);
    if (found == positions_.end()) return;
    const std::uint32_t position = found->second;
    positions_.erase(found);
    if (slots_.back() != agent) {
        slots_[position] = slots_.back();
        positions_[slots_.back()] = position;
    }
    slots_.pop_back();
}

void OpenAgents::set(AgentSlot agent, const resources::Resources& available) {
    if (is_for_anybody_.size() <= agent) is_for_anybody_.resize(agent + 1);
    const bool for_anybody = has_unreserved(available);
    if (is_for_anybody_[agent] != for_anybody) {
        is_for_anybody_[agent] = for_anybody;
        for_anybody ? for_anybody_.add(agent) : for_anybody_.remove(agent);
    }
    set_roles(agent, reserved_roles(available));
}

void OpenAgents::set_roles(AgentSlot agent, std::vector<base::Role> roles) {
    const auto known = roles_of_.find(agent);
    const bool had_some = known != roles_of_.end();
    if (had_some ? known->second == roles : roles.empty()) return;
    if (had_some) {
        for (const base::Role& role : known->second) {
            const auto list = reserved_for_.find(role);
            list->second.remove(agent);
            if (list->second.slots().empty()) reserved_for_.erase(list);
        }
        roles_of_.erase(known);
    }
    for (const base::Role& role : roles) reserved_for_[role].add(agent);
    if (!roles.empty()) roles_of_.emplace(agent, std::move(roles));
}

std::vector<AgentSlot> OpenAgents::all() const {
    std::vector<AgentSlot> slots = for_anybody_.slots();
    const std::size_t before = slots.size();
    for (const auto& [role, list] : reserved_for_) append_the_rest(list, slots);
    keep_one_of_each(slots, before);
    return slots;
}

std::vector<AgentSlot> OpenAgents::within_reach_of(const std::vector<base::Role>& roles) const {
    std::vector<AgentSlot> slots = for_anybody_.slots();
    if (reserved_for_.empty()) return slots;
    const std::size_t before = slots.size();
    for (const base::Role& role : roles)
        for (std::string_view name = role.value(); !name.empty();) {
            if (const auto list = reserved_for_.find(base::Role(std::string(name))); list != reserved_for_.end())
                append_the_rest(list->second, slots);
            const auto slash = name.rfind('/');
            name = slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
        }
    keep_one_of_each(slots, before);
    return slots;
}

void OpenAgents::append_the_rest(const List& list, std::vector<AgentSlot>& slots) const {
    for (const AgentSlot agent : list.slots())
        if (!is_for_anybody_[agent]) slots.push_back(agent);
}

}  // namespace fairlead::allocator::drf
