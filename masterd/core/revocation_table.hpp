#pragma once
// What is being taken back: the tasks, the inverse offers by which their frameworks have been told, and how much each role
// is about to lose. Keeps itself consistent and decides nothing.
//
// A task is in the table from the moment that its framework is asked for it until it holds nothing any more, or until the
// revocation is called off. A new master starts with an empty table: whoever still waits is found waiting again.

#include "allocator/allocator.hpp"
#include "common/base/instant.hpp"
#include "common/resources/role.hpp"
#include "masterd/core/timers.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::masterd::core {

struct Revocation {
    allocator::FrameworkSlot framework = 0;
    allocator::AgentSlot agent = 0;
    base::TaskId task;
    base::OfferId asked_by;
    allocator::RoleSlot role = allocator::root_role;  // the task's; it stays while the task holds something
    resources::Quantities amount;                     // what it counts for in the role's guarantee
    std::string gang;                                 // empty: it stands alone
    base::Role in_favour_of;
    bool killing = false;  // the deadline has passed: nothing calls it off any more
};

struct InverseOffer {
    enum class Answer { none, accepted, declined };

    base::OfferId id;
    allocator::FrameworkSlot framework = 0;
    allocator::AgentSlot agent = 0;
    resources::Resources resources;
    base::Moment start;               // of the unavailability
    bool by_force = false;            // else nothing happens then
    std::vector<base::TaskId> tasks;  // that are ended then, where they have not ended before
    Answer answer = Answer::none;     // for people: the deadline stands either way
    Timers::Handle due;
};

// visit(RoleSlot): the roles that lose what is taken from `role`: itself and those above, up to where the one in favour is a
// part as well.
template <typename Visit>
void for_each_loser(std::span<const allocator::RoleEntry> roles, allocator::RoleSlot role, const base::Role& in_favour_of,
                    Visit&& visit) {
    for (; role != allocator::root_role && !resources::covers(roles[role].name, in_favour_of); role = roles[role].parent)
        visit(role);
}

class RevocationTable {
  public:
    // Since this master leads.
    struct Counts {
        std::uint64_t asked = 0, given_back = 0, killed = 0, called_off = 0;
        double lost_cpu_seconds = 0;   // of the killed: since their start, or since they have last saved their work
        double freed_cpus = 0;         // by the killed
    };
    using Roles = std::span<const allocator::RoleEntry>;
    using TaskKey = std::pair<allocator::FrameworkSlot, base::TaskId>;

    // --- reading ---
    const std::map<TaskKey, Revocation>& revocations() const { return revocations_; }
    const std::map<base::OfferId, InverseOffer>& inverse_offers() const { return inverse_offers_; }
    Revocation* find(allocator::FrameworkSlot framework, const base::TaskId& task);
    const Revocation* find(allocator::FrameworkSlot framework, const base::TaskId& task) const;
    InverseOffer* find(const base::OfferId& id);
    // By which nothing is taken by force, at this framework on this agent; null: none.
    const InverseOffer* request_at(allocator::FrameworkSlot framework, allocator::AgentSlot agent) const;
    std::size_t requests() const { return requests_; }
    // What of a role and all below it is asked for or being killed; and what of that is being killed. What is in favour of a
    // part of the role is no loss to it.
    resources::Quantities pending_under(allocator::RoleSlot role) const;
    resources::Quantities killing_under(allocator::RoleSlot role) const;
    const Counts& counts() const { return counts_; }

    // --- changing ---
    Revocation& add(Revocation revocation, Roles roles);
    void start_killing(Revocation& revocation, Roles roles);
    void remove(const Revocation& revocation, Roles roles);
    InverseOffer& add(InverseOffer offer);
    void remove(const InverseOffer& offer);
    Counts& counts() { return counts_; }

  private:
    using Sums = std::unordered_map<allocator::RoleSlot, resources::Quantities>;

    static void add_up(Sums& sums, Roles roles, const Revocation& revocation);
    static void take_off(Sums& sums, Roles roles, const Revocation& revocation);

    std::map<TaskKey, Revocation> revocations_;
    std::map<base::OfferId, InverseOffer> inverse_offers_;
    std::size_t requests_ = 0;
    Sums pending_, killing_;
    Counts counts_;
};

}  // namespace fairlead::masterd::core
