#include "allocator/drf/fair_shares.hpp"

#include <algorithm>
#include <numeric>

namespace fairlead::allocator::drf {
namespace {

struct Guest {
    RoleSlot role = root_role;  // the root: the members of the parent itself
    double weight = 1;
    double held = 0;
    bool wants = false;
    double part = 0;
};

// The emptiest plates first: whoever wants less than an equal part leaves the rest of it to the others.
void divide(double whole, std::vector<Guest>& guests) {
    std::sort(guests.begin(), guests.end(), [](const Guest& a, const Guest& b) {
        if (a.wants != b.wants) return b.wants;
        return a.held * b.weight < b.held * a.weight;
    });
    double weights = std::accumulate(guests.begin(), guests.end(), 0.0,
                                     [](double sum, const Guest& guest) { return sum + guest.weight; });
    for (Guest& guest : guests) {
        const double equal = whole * guest.weight / weights;
        guest.part = guest.wants ? equal : std::min(equal, guest.held);
        whole -= guest.part;
        weights -= guest.weight;
    }
}

}  // namespace

std::vector<double> fair_shares(const Snapshot& snapshot) {
    const auto& roles = snapshot.roles;
    std::vector<resources::Quantities> own(roles.size());  // of each role's members
    std::vector<bool> members_want(roles.size()), wants(roles.size());
    for (const FrameworkEntry& framework : snapshot.frameworks) {
        if (framework.id.empty()) continue;
        for (const Claim& claim : framework.claims) {
            own[claim.role].add(claim.allocated);
            if (!framework.active || claim.suppressed) continue;
            members_want[claim.role] = true;
            for (RoleSlot role = claim.role; role != root_role; role = roles[role].parent) wants[role] = true;
        }
    }
    std::vector<std::vector<RoleSlot>> children(roles.size());
    for (RoleSlot role = 1; role < roles.size(); ++role)
        if (!roles[role].name.empty()) children[roles[role].parent].push_back(role);
    std::vector<double> shares(roles.size());
    std::vector<RoleSlot> parents{root_role};
    while (!parents.empty()) {
        const RoleSlot parent = parents.back();
        parents.pop_back();
        std::vector<Guest> guests;
        for (const RoleSlot role : children[parent])
            guests.push_back(
                {role, roles[role].weight, roles[role].allocated.largest_share_of(snapshot.total), wants[role], 0});
        if (parent != root_role && (members_want[parent] || !own[parent].empty()))
            guests.push_back({root_role, 1, own[parent].largest_share_of(snapshot.total), members_want[parent], 0});
        divide(parent == root_role ? 1.0 : shares[parent], guests);
        for (const Guest& guest : guests) {
            if (guest.role == root_role) continue;
            shares[guest.role] = guest.part;
            if (!children[guest.role].empty()) parents.push_back(guest.role);
        }
    }
    return shares;
}

}  // namespace fairlead::allocator::drf
