#include "masterd/core/revocation_table.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

using allocator::AgentSlot;
using allocator::FrameworkSlot;
using allocator::RoleSlot;
using resources::Quantities;

namespace {

Quantities sum_of(const std::unordered_map<RoleSlot, Quantities>& sums, RoleSlot role) {
    const auto found = sums.find(role);
    return found == sums.end() ? Quantities{} : found->second;
}

}  // namespace

// --- reading ---

Revocation* RevocationTable::find(FrameworkSlot framework, const base::TaskId& task) {
    const auto found = revocations_.find({framework, task});
    return found == revocations_.end() ? nullptr : &found->second;
}

const Revocation* RevocationTable::find(FrameworkSlot framework, const base::TaskId& task) const {
    return const_cast<RevocationTable*>(this)->find(framework, task);
}

InverseOffer* RevocationTable::find(const base::OfferId& id) {
    const auto found = inverse_offers_.find(id);
    return found == inverse_offers_.end() ? nullptr : &found->second;
}

const InverseOffer* RevocationTable::request_at(FrameworkSlot framework, AgentSlot agent) const {
    if (requests_ == 0) return nullptr;
    const auto found = std::find_if(inverse_offers_.begin(), inverse_offers_.end(), [&](const auto& item) {
        const InverseOffer& offer = item.second;
        return offer.framework == framework && offer.agent == agent && !offer.by_force;
    });
    return found == inverse_offers_.end() ? nullptr : &found->second;
}

Quantities RevocationTable::pending_under(RoleSlot role) const { return sum_of(pending_, role); }

Quantities RevocationTable::killing_under(RoleSlot role) const { return sum_of(killing_, role); }

// --- changing ---

Revocation& RevocationTable::add(Revocation revocation, Roles roles) {
    add_up(pending_, roles, revocation);
    TaskKey key{revocation.framework, revocation.task};
    return revocations_.insert_or_assign(std::move(key), std::move(revocation)).first->second;
}

void RevocationTable::start_killing(Revocation& revocation, Roles roles) {
    revocation.killing = true;
    add_up(killing_, roles, revocation);
}

void RevocationTable::remove(const Revocation& revocation, Roles roles) {
    take_off(pending_, roles, revocation);
    if (revocation.killing) take_off(killing_, roles, revocation);
    revocations_.erase(TaskKey{revocation.framework, revocation.task});
}

InverseOffer& RevocationTable::add(InverseOffer offer) {
    if (!offer.by_force) ++requests_;
    base::OfferId id = offer.id;
    return inverse_offers_.insert_or_assign(std::move(id), std::move(offer)).first->second;
}

void RevocationTable::remove(const InverseOffer& offer) {
    if (!offer.by_force) --requests_;
    inverse_offers_.erase(base::OfferId(offer.id));
}

void RevocationTable::add_up(Sums& sums, Roles roles, const Revocation& revocation) {
    for_each_loser(roles, revocation.role, revocation.in_favour_of,
                   [&](RoleSlot role) { sums[role].add(revocation.amount); });
}

void RevocationTable::take_off(Sums& sums, Roles roles, const Revocation& revocation) {
    for_each_loser(roles, revocation.role, revocation.in_favour_of, [&](RoleSlot role) {
        const auto sum = sums.find(role);
        sum->second.subtract(revocation.amount);
        if (sum->second.empty()) sums.erase(sum);
    });
}

}  // namespace fairlead::masterd::core
