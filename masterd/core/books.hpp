#pragma once
// The master's books: frameworks, agents, tasks and offers, and how the resources of each agent are
// divided among them. Every change of who holds what goes through here, so that an agent's
// available part, a role's allocation and the cluster's total are right after each call. The books
// know nothing of messages; whoever changes them decides what to tell whom.
//
// Frameworks and agents have slots, which are positions in the tables that the allocation module
// sees; tasks belong to their framework and are listed by their agent.

#include "masterd/core/agent.hpp"
#include "masterd/core/framework.hpp"
#include "masterd/core/offer.hpp"
#include "masterd/core/role_table.hpp"
#include "masterd/core/task.hpp"
#include "masterd/core/unacknowledged_ends.hpp"

#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fairlead::masterd::core {

class Books {
  public:
    // Nothing but free slots, as many as these have: an allocation module outlives a term of leadership, and sees no
    // table shrink.
    Books emptied() const;

    // Of every agent's plain scalars; gpus by whole ones.
    void set_short_task_percent(unsigned percent) { short_task_percent_ = percent; }
    void set_ends_bounds(const UnacknowledgedEnds::Bounds& bounds) { unacknowledged_ends_.set_bounds(bounds); }
    // What of an agent's plain scalars is only for short tasks.
    resources::Quantities short_share(const Agent& agent) const;

    // --- reading ---
    Framework* framework(const base::FrameworkId& id);
    const Framework* framework(const base::FrameworkId& id) const;
    Framework& framework(FrameworkSlot slot) { return *frameworks_[slot]; }
    const Framework& framework(FrameworkSlot slot) const { return *frameworks_[slot]; }
    Agent* agent(const base::AgentId& id);
    const Agent* agent(const base::AgentId& id) const;
    Agent& agent(AgentSlot slot) { return *agents_[slot]; }
    const Agent& agent(AgentSlot slot) const { return *agents_[slot]; }
    Offer* offer(const base::OfferId& id);
    // By slot; null where a slot is free.
    const std::vector<std::unique_ptr<Framework>>& frameworks() const { return frameworks_; }
    const std::vector<std::unique_ptr<Agent>>& agents() const { return agents_; }
    const std::unordered_map<base::OfferId, Offer>& offers() const { return offers_; }
    const std::vector<allocator::AgentEntry>& agent_entries() const { return agent_entries_; }
    const std::vector<allocator::FrameworkEntry>& framework_entries() const {
        return framework_entries_;
    }
    const RoleTable& roles() const { return roles_; }
    const resources::Quantities& total() const { return total_; }
    // Unreserved, not revocable, not allocated and not kept for short tasks, on agents that may be offered.
    const resources::Quantities& free() const { return free_; }
    const UnacknowledgedEnds& unacknowledged_ends() const { return unacknowledged_ends_; }
    const allocator::Claim* claim(FrameworkSlot framework, RoleSlot role) const;
    const allocator::Claim* claim(FrameworkSlot framework, const base::Role& role) const;

    // --- frameworks ---
    Framework& add_framework(const base::FrameworkId& id);
    void set_info(Framework& framework, std::shared_ptr<const v1::FrameworkInfo> info,
                  const std::vector<resources::Quantities>& min_allocatable);
    void set_suppressed(Framework& framework, const base::Role& role, bool suppressed);
    void set_active(Framework& framework, bool active);
    // What it has made of its last offers under this role: declined them all and is content until then, or taken some.
    // Until then, after it had kept for a while what it made nothing of, or declined at once.
    void set_content(Framework& framework, const base::Role& role, base::Instant until, bool had_kept);
    void set_hungry(Framework& framework, const base::Role& role);
    // It was offered this much on one agent, and declined it.
    void note_turned_down(Framework& framework, const base::Role& role, const resources::Quantities& amount);
    // What it wants under this role. Whether it is to be asked at once is another matter: wake().
    void set_wishes(Framework& framework, const base::Role& role, std::vector<allocator::Wish> wishes);
    // A task of this size is launched there: of the oldest wish that it answers one less is left. Not of gangs, which
    // are answered by their offers.
    void answer_wish(Framework& framework, const base::Role& role, const resources::Quantities& task, const Agent& agent);
    void end_gang(Framework& framework, const base::Role& role, const std::string& gang);
    void end_wishes(Framework& framework, base::Instant now);  // whose time is over
    void drop_wishes(Framework& framework);
    std::size_t wishes(const Framework& framework) const;
    // It holds no offers and no tasks any more. Its record is handed out for the archive.
    std::unique_ptr<Framework> remove_framework(FrameworkSlot slot);

    // --- agents ---
    Agent& add_agent(const base::AgentId& id);
    // What it has. False, and unchanged, when the cluster's total cannot take it.
    bool set_total(Agent& agent, const resources::Resources& total);
    // `from`, which is part of its total and which no task and no offer holds, is reserved as `to` says from now on;
    // the amounts are the same, and `to` can be added to the rest.
    void change_reservations(Agent& agent, const resources::Resources& from, const resources::Resources& to);
    void set_offerable(Agent& agent, bool offerable);
    void remove_agent(AgentSlot slot);  // it holds no offers and no tasks any more

    // --- offers ---
    Offer& add_offer(base::OfferId id, const allocator::OfferLine& line);
    void remove_offer(Offer& offer);  // what it held is available again

    // --- tasks ---
    // Null when what it holds overlaps with what others use there.
    Task* add_task(Task task);
    void release(Task& task);  // its resources are available again; it stays in the table
    // It is over: released, and in the table until its framework has acknowledged that.
    void end(Task& task);
    // Out of the table and off its agent, its resources released.
    Task take_task(Task& task);

    // From whom something is withheld because of ends that it has not acknowledged, since this was last asked.
    struct Withheld {
        FrameworkSlot framework = 0;
        std::optional<AgentSlot> agent;  // none: all of them
    };
    std::vector<Withheld> take_withheld() { return std::exchange(newly_withheld_, {}); }

    // --- strays: run by an agent under the id of a task that lives elsewhere. They are being ended, and no framework's
    // table has them; what they use is held until they are over ---
    using StrayKey = std::tuple<AgentSlot, FrameworkSlot, base::TaskId>;
    const std::map<StrayKey, Task>& strays() const { return strays_; }
    Task* stray(AgentSlot agent, FrameworkSlot framework, const base::TaskId& id);
    std::vector<Task*> strays_on(AgentSlot agent);
    std::vector<Task*> strays_of(FrameworkSlot framework);
    void add_stray(Task task);  // holds nothing where that overlaps with what others use there
    void remove_stray(Task& stray);

    // --- roles ---
    void set_orders(const base::Role& role, const RoleTable::Orders& orders);

    // --- what the allocation module has to look at ---
    // More may be offered there than before.
    void open(const Agent& agent);
    // It may want more than before.
    void wake(const Framework& framework);
    // Its entry must be read again, though nothing has changed: a line of a plan did not hold.
    void touch(const Framework& framework);
    // One of its tasks is to end now, or stays.
    void touch(const Agent& agent) { touch_agent(agent.slot); }
    bool has_openings() const { return !changes_.opened.empty() || !changes_.eager.empty() || orders_changed_; }
    allocator::Changes take_changes();

  private:
    // What has been noted of an entry since the last take_changes().
    struct Noted {
        bool changed = false;
        bool opened = false;  // of a framework: eager
    };

    allocator::Claim* find_claim(FrameworkSlot framework, const base::Role& role);
    allocator::Claim& claim_for(FrameworkSlot framework, const base::Role& role);
    void forget_claim_if_idle(FrameworkSlot framework, RoleSlot role);
    bool is_wanted(FrameworkSlot framework, const base::Role& role) const;
    void wishes_changed(Framework& framework, const allocator::Claim& claim);
    void recompute_available(const Agent& agent);
    void charge(FrameworkSlot framework, const base::Role& role, const resources::Resources& amount);
    void credit(FrameworkSlot framework, const base::Role& role, const resources::Resources& amount);
    bool try_hold(const Task& task);
    void count_end(Task& task);
    void count_acknowledged(Task& task);
    void touch_agent(AgentSlot slot);
    void touch_framework(FrameworkSlot slot);

    std::vector<std::unique_ptr<Framework>> frameworks_;
    std::vector<FrameworkSlot> free_framework_slots_;
    std::unordered_map<base::FrameworkId, FrameworkSlot> framework_slots_;
    std::vector<std::unique_ptr<Agent>> agents_;
    std::vector<AgentSlot> free_agent_slots_;
    std::unordered_map<SharedId<base::AgentId>, AgentSlot, SharedIdHash<base::AgentId>, std::equal_to<>> agent_slots_;
    std::unordered_map<base::OfferId, Offer> offers_;
    std::map<StrayKey, Task> strays_;
    UnacknowledgedEnds unacknowledged_ends_;
    std::vector<Withheld> newly_withheld_;
    std::vector<allocator::AgentEntry> agent_entries_;
    std::vector<allocator::FrameworkEntry> framework_entries_;
    RoleTable roles_;
    unsigned short_task_percent_ = 0;
    resources::Resources total_scalars_;  // of all agents, by name; knows whether a sum would overflow
    resources::Quantities total_;
    resources::Quantities free_;
    allocator::Changes changes_;
    bool orders_changed_ = false;
    std::vector<Noted> agents_noted_;
    std::vector<Noted> frameworks_noted_;
};

}  // namespace fairlead::masterd::core
