#include "masterd/core/books.hpp"

#include "allocator/portion.hpp"

#include <algorithm>
#include <numeric>

namespace fairlead::masterd::core {
namespace {

// Sums over several agents know amounts only, for whomever they are reserved: port 31000 exists on each of them.
resources::Resources scalar_part(const resources::Resources& all) {
    if (all.is_scalar_only()) return all;
    resources::Resources scalars;
    all.quantities().for_each([&](std::string_view name, resources::Milli amount) {
        scalars.add(resources::Resource(std::string(name), amount));
    });
    return scalars;
}

resources::Quantities percent_of(const resources::Resources& total, unsigned percent) {
    resources::Quantities part;
    if (percent == 0) return part;
    allocator::plain_scalars(total).for_each([&](std::string_view name, resources::Milli amount) {
        // Divided first: whole agents may be counted in trillions.
        std::int64_t share = amount.thousandths() / 100 * percent + amount.thousandths() % 100 * percent / 100;
        if (name == "gpus") share -= share % 1000;
        part.add(name, resources::Milli(share));
    });
    return part;
}

template <typename Slot, typename Table>
Slot take_slot(std::vector<Slot>& free, Table& table) {
    if (!free.empty()) {
        const Slot slot = free.back();
        free.pop_back();
        return slot;
    }
    table.emplace_back();
    return static_cast<Slot>(table.size() - 1);
}

// The lowest is taken first.
template <typename Slot>
std::vector<Slot> all_slots(std::size_t count) {
    std::vector<Slot> slots(count);
    std::iota(slots.rbegin(), slots.rend(), Slot{0});
    return slots;
}

// Removes one element in constant time and keeps the positions of the others right.
template <typename T, typename Position>
void remove_at(std::vector<T*>& list, Position position, Position T::*own_position) {
    list[position] = list.back();
    list[position]->*own_position = position;
    list.pop_back();
}

// By an eighth, not to the double: there may be 50,000 large entries.
template <typename T>
void grow_to(std::vector<T>& table, std::size_t size) {
    if (size > table.capacity()) table.reserve(size + size / 8 + 16);
    table.resize(size);
}

// What of an agent counts as free in the cluster.
resources::Quantities free_on(const allocator::AgentEntry& entry) {
    if (!entry.offerable) return {};
    resources::Quantities free = entry.available.free_quantities();
    free.subtract(entry.kept_for_short);
    return free;
}

}  // namespace

Books Books::emptied() const {
    Books empty;
    empty.frameworks_.resize(frameworks_.size());
    empty.framework_entries_.resize(frameworks_.size());
    empty.frameworks_noted_.resize(frameworks_.size());
    empty.free_framework_slots_ = all_slots<FrameworkSlot>(frameworks_.size());
    empty.agents_.resize(agents_.size());
    empty.agent_entries_.resize(agents_.size());
    empty.agents_noted_.resize(agents_.size());
    empty.free_agent_slots_ = all_slots<AgentSlot>(agents_.size());
    empty.roles_ = roles_.emptied();
    empty.short_task_percent_ = short_task_percent_;
    return empty;
}

// --- reading ---

Framework* Books::framework(const base::FrameworkId& id) {
    const auto found = framework_slots_.find(id);
    return found == framework_slots_.end() ? nullptr : frameworks_[found->second].get();
}
const Framework* Books::framework(const base::FrameworkId& id) const {
    return const_cast<Books*>(this)->framework(id);
}
Agent* Books::agent(const base::AgentId& id) {
    const auto found = agent_slots_.find(id);
    return found == agent_slots_.end() ? nullptr : agents_[found->second].get();
}
const Agent* Books::agent(const base::AgentId& id) const {
    return const_cast<Books*>(this)->agent(id);
}
Offer* Books::offer(const base::OfferId& id) {
    const auto found = offers_.find(id);
    return found == offers_.end() ? nullptr : &found->second;
}
const allocator::Claim* Books::claim(FrameworkSlot framework, RoleSlot role) const {
    const auto& claims = framework_entries_[framework].claims;
    const auto found = std::find_if(claims.begin(), claims.end(),
                                    [&](const allocator::Claim& claim) { return claim.role == role; });
    return found == claims.end() ? nullptr : &*found;
}
const allocator::Claim* Books::claim(FrameworkSlot framework, const base::Role& role) const {
    const auto slot = roles_.find(role);
    return slot ? claim(framework, *slot) : nullptr;
}

// --- frameworks ---

Framework& Books::add_framework(const base::FrameworkId& id) {
    const auto slot = take_slot(free_framework_slots_, frameworks_);
    framework_entries_.resize(frameworks_.size());
    frameworks_noted_.resize(frameworks_.size());
    frameworks_[slot] = std::make_unique<Framework>();
    frameworks_[slot]->id = id;
    frameworks_[slot]->slot = slot;
    framework_entries_[slot].id = id;
    framework_slots_.emplace(id, slot);
    touch_framework(slot);
    return *frameworks_[slot];
}

void Books::set_info(Framework& framework, std::shared_ptr<const v1::FrameworkInfo> info,
                     const std::vector<resources::Quantities>& min_allocatable) {
    const std::vector<base::Role> left = std::move(framework.roles);
    framework.info = std::move(info);
    framework.capabilities = capabilities_of(*framework.info);
    framework.roles = roles_of(*framework.info);
    auto& entry = framework_entries_[framework.slot];
    entry.gpu_aware = framework.capabilities.gpu_aware;
    entry.revocable_aware = framework.capabilities.revocable;
    entry.shared_aware = framework.capabilities.shared;
    entry.refinement_aware = framework.capabilities.reservation_refinement;
    entry.short_aware = framework.capabilities.short_tasks;
    for (const base::Role& role : framework.roles) {
        auto& claim = claim_for(framework.slot, role);
        claim.min_allocatable = min_allocatable;
        claim.has_own_minimum = false;
        const auto wish = framework.info->offer_filters().find(role.value());
        if (wish == framework.info->offer_filters().end() ||
            !wish->second.has_min_allocatable_resources())
            continue;
        claim.min_allocatable.clear();
        claim.has_own_minimum = true;
        for (const auto& set : wish->second.min_allocatable_resources().quantities()) {
            resources::Quantities alternative;
            for (const auto& [name, scalar] : set.quantities())
                if (const auto amount = resources::Milli::from_double(scalar.value()))
                    alternative.add(name, *amount);
            claim.min_allocatable.push_back(std::move(alternative));
        }
    }
    for (const base::Role& role : left) {
        if (is_wanted(framework.slot, role)) continue;
        auto* claim = find_claim(framework.slot, role);
        if (!claim) continue;
        claim->suppressed = true;
        claim->wishes.clear();
        forget_claim_if_idle(framework.slot, claim->role);
    }
    touch_framework(framework.slot);
}

void Books::set_suppressed(Framework& framework, const base::Role& role, bool suppressed) {
    claim_for(framework.slot, role).suppressed = suppressed;
    touch_framework(framework.slot);
}

void Books::set_active(Framework& framework, bool active) {
    framework_entries_[framework.slot].active = active;
    touch_framework(framework.slot);
    if (active) wake(framework);
}

void Books::set_content(Framework& framework, const base::Role& role, base::Instant until, bool had_kept) {
    auto* claim = find_claim(framework.slot, role);
    if (!claim) return;
    claim->content_until = until;
    ++claim->declines;
    claim->times_kept += had_kept;
    touch_framework(framework.slot);
}

void Books::set_hungry(Framework& framework, const base::Role& role) {
    auto* claim = find_claim(framework.slot, role);
    if (!claim) return;
    claim->content_until = {};
    claim->declines = 0;
    claim->times_kept = 0;
    claim->turned_down = {};
    touch_framework(framework.slot);
}

void Books::note_turned_down(Framework& framework, const base::Role& role, const resources::Quantities& amount) {
    auto* claim = find_claim(framework.slot, role);
    if (!claim) return;
    amount.for_each([&](std::string_view name, resources::Milli declined) {
        if (const auto known = claim->turned_down.of(name); known < declined)
            claim->turned_down.add(name, declined - known);
    });
    touch_framework(framework.slot);
}

std::unique_ptr<Framework> Books::remove_framework(FrameworkSlot slot) {
    auto record = std::move(frameworks_[slot]);
    framework_slots_.erase(record->id);
    for (const auto& claim : framework_entries_[slot].claims) roles_.drop(claim.role);
    framework_entries_[slot] = {};
    free_framework_slots_.push_back(slot);
    touch_framework(slot);
    return record;
}

// --- agents ---

Agent& Books::add_agent(const base::AgentId& id) {
    const auto slot = take_slot(free_agent_slots_, agents_);
    grow_to(agent_entries_, agents_.size());
    agents_noted_.resize(agents_.size());
    agents_[slot] = std::make_unique<Agent>();
    agents_[slot]->id = id;
    agents_[slot]->slot = slot;
    agent_entries_[slot].id = id;
    agent_slots_.emplace(agents_[slot]->id, slot);
    return *agents_[slot];
}

bool Books::set_total(Agent& agent, const resources::Resources& total) {
    auto& entry = agent_entries_[agent.slot];
    resources::Resources sum = total_scalars_;
    sum.subtract(scalar_part(entry.total));
    if (!sum.try_add(scalar_part(total))) return false;
    total_scalars_ = std::move(sum);
    total_ = total_scalars_.quantities();
    roles_.reserve(total);
    roles_.unreserve(entry.total);
    entry.total = total;
    recompute_available(agent);
    open(agent);
    return true;
}

void Books::change_reservations(Agent& agent, const resources::Resources& from, const resources::Resources& to) {
    auto& entry = agent_entries_[agent.slot];
    resources::Resources total = entry.total - from + to;
    roles_.reserve(total);
    roles_.unreserve(entry.total);
    entry.total = std::move(total);
    recompute_available(agent);
    open(agent);
}

void Books::set_offerable(Agent& agent, bool offerable) {
    auto& entry = agent_entries_[agent.slot];
    free_.subtract(free_on(entry));
    entry.offerable = offerable;
    free_.add(free_on(entry));
    recompute_available(agent);
    if (offerable) open(agent);
}

void Books::remove_agent(AgentSlot slot) {
    auto& entry = agent_entries_[slot];
    total_scalars_.subtract(scalar_part(entry.total));
    total_ = total_scalars_.quantities();
    roles_.unreserve(entry.total);
    free_.subtract(free_on(entry));
    agent_slots_.erase(agents_[slot]->id);
    agents_[slot].reset();
    entry = {};
    free_agent_slots_.push_back(slot);
    touch_agent(slot);
}

// --- offers ---

Offer& Books::add_offer(base::OfferId id, const allocator::OfferLine& line) {
    Framework& framework = *frameworks_[line.framework];
    Agent& agent = *agents_[line.agent];
    Offer& offer = offers_[id];
    offer.id = std::move(id);
    offer.framework = line.framework;
    offer.agent = line.agent;
    offer.role = roles_.name(line.role);
    offer.resources = line.resources;
    offer.max_task_duration = line.max_task_duration;
    offer.gang = line.gang;
    if (offer.max_task_duration) agent.used_by_short.add(allocator::plain_scalars(offer.resources));
    offer.position_in_framework = framework.offers.size();
    framework.offers.push_back(&offer);
    offer.position_on_agent = agent.offers.size();
    agent.offers.push_back(&offer);
    agent.offered.add(offer.resources);
    charge(offer.framework, offer.role, offer.resources);
    recompute_available(agent);
    return offer;
}

void Books::remove_offer(Offer& offer) {
    Framework& framework = *frameworks_[offer.framework];
    Agent& agent = *agents_[offer.agent];
    remove_at(framework.offers, offer.position_in_framework, &Offer::position_in_framework);
    remove_at(agent.offers, offer.position_on_agent, &Offer::position_on_agent);
    agent.offered.subtract(offer.resources);
    if (offer.max_task_duration) agent.used_by_short.subtract(allocator::plain_scalars(offer.resources));
    credit(offer.framework, offer.role, offer.resources);
    recompute_available(agent);
    open(agent);
    offers_.erase(base::OfferId(offer.id));
}

// --- tasks ---

// False: somebody else uses some of it.
bool Books::try_hold(const Task& task) {
    Agent& agent = *agents_[task.agent];
    if (!agent.used.try_add(task.resources)) return false;
    if (task.is_short) agent.used_by_short.add(allocator::plain_scalars(task.resources));
    charge(task.framework, task.role, task.resources);
    recompute_available(agent);
    return true;
}

Task* Books::add_task(Task task) {
    Framework& framework = *frameworks_[task.framework];
    Agent& agent = *agents_[task.agent];
    if (task.holds_resources && !try_hold(task)) return nullptr;
    task.role = roles_.shared(task.role);
    SharedId<base::TaskId> id = task.id;
    Task& entry = framework.tasks.insert_or_assign(std::move(id), std::move(task)).first->second;
    entry.position_on_agent = static_cast<std::uint32_t>(agent.tasks.size());
    agent.tasks.push_back(&entry);
    if (const std::string& gang = gang_of(entry); !gang.empty()) framework.gangs[gang][entry.id] = &entry;
    if (is_terminal(entry.state)) count_end(entry);
    return &entry;
}

void Books::release(Task& task) {
    if (!task.holds_resources) return;
    task.holds_resources = false;
    Agent& agent = *agents_[task.agent];
    agent.used.subtract(task.resources);
    if (task.is_short) agent.used_by_short.subtract(allocator::plain_scalars(task.resources));
    credit(task.framework, task.role, task.resources);
    recompute_available(agent);
    open(agent);
}

void Books::end(Task& task) {
    release(task);
    count_end(task);
}

Task Books::take_task(Task& task) {
    release(task);
    count_acknowledged(task);
    remove_at(agents_[task.agent]->tasks, task.position_on_agent, &Task::position_on_agent);
    Framework& framework = *frameworks_[task.framework];
    if (const auto gang = framework.gangs.find(gang_of(task)); gang != framework.gangs.end()) {
        gang->second.erase(task.id);
        if (gang->second.empty()) framework.gangs.erase(gang);
    }
    auto& tasks = framework.tasks;
    const auto entry = tasks.find(task.id);
    Task taken = std::move(entry->second);
    tasks.erase(entry);
    return taken;
}

void Books::count_end(Task& task) {
    if (std::exchange(task.is_unacknowledged, true)) return;
    const auto change = unacknowledged_ends_.add(task.agent, task.framework);
    if (change.on_agent) {
        touch_agent(task.agent);
        newly_withheld_.push_back({task.framework, task.agent});
    }
    if (change.everywhere) {
        touch_framework(task.framework);
        newly_withheld_.push_back({task.framework, std::nullopt});
    }
}

void Books::count_acknowledged(Task& task) {
    if (!std::exchange(task.is_unacknowledged, false)) return;
    const auto change = unacknowledged_ends_.remove(task.agent, task.framework);
    if (change.on_agent) open(*agents_[task.agent]);
    if (change.everywhere) wake(*frameworks_[task.framework]);
}

// --- roles ---

void Books::set_orders(const base::Role& role, const RoleTable::Orders& orders) {
    roles_.set_orders(role, orders);
    orders_changed_ = true;
}

// --- what the allocation module has to look at ---

void Books::open(const Agent& agent) {
    touch_agent(agent.slot);
    if (std::exchange(agents_noted_[agent.slot].opened, true)) return;
    changes_.opened.push_back(agent.slot);
}

void Books::wake(const Framework& framework) {
    touch_framework(framework.slot);
    if (std::exchange(frameworks_noted_[framework.slot].opened, true)) return;
    changes_.eager.push_back(framework.slot);
}

void Books::touch(const Framework& framework) { touch_framework(framework.slot); }

void Books::touch_agent(AgentSlot slot) {
    if (std::exchange(agents_noted_[slot].changed, true)) return;
    changes_.agents.push_back(slot);
}

void Books::touch_framework(FrameworkSlot slot) {
    if (std::exchange(frameworks_noted_[slot].changed, true)) return;
    changes_.frameworks.push_back(slot);
}

allocator::Changes Books::take_changes() {
    for (const AgentSlot slot : changes_.agents) agents_noted_[slot] = {};
    for (const FrameworkSlot slot : changes_.frameworks) frameworks_noted_[slot] = {};
    changes_.roles = roles_.take_changes();
    orders_changed_ = false;
    return std::exchange(changes_, {});
}

// --- inside ---

allocator::Claim* Books::find_claim(FrameworkSlot framework, const base::Role& role) {
    return const_cast<allocator::Claim*>(claim(framework, role));
}

allocator::Claim& Books::claim_for(FrameworkSlot framework, const base::Role& role) {
    if (auto* known = find_claim(framework, role)) return *known;
    auto& made = framework_entries_[framework].claims.emplace_back();
    made.role = roles_.take(role);
    return made;
}

bool Books::is_wanted(FrameworkSlot framework, const base::Role& role) const {
    const auto& wanted = frameworks_[framework]->roles;
    return std::find(wanted.begin(), wanted.end(), role) != wanted.end();
}

// A role that the framework has left stays in its entry while something is allocated to it.
void Books::forget_claim_if_idle(FrameworkSlot framework, RoleSlot role) {
    auto& claims = framework_entries_[framework].claims;
    const auto found = std::find_if(claims.begin(), claims.end(),
                                    [&](const allocator::Claim& claim) { return claim.role == role; });
    if (found == claims.end() || !found->allocated.empty() || is_wanted(framework, roles_.name(role))) return;
    claims.erase(found);
    roles_.drop(role);
}

resources::Quantities Books::short_share(const Agent& agent) const {
    return percent_of(agent_entries_[agent.slot].total, short_task_percent_);
}

// An agent that came back with less than is in use there has nothing to offer until that is over.
void Books::recompute_available(const Agent& agent) {
    auto& entry = agent_entries_[agent.slot];
    free_.subtract(free_on(entry));
    entry.available = entry.total;
    if (!entry.available.try_subtract(agent.used) || !entry.available.try_subtract(agent.offered))
        entry.available = {};
    const resources::Quantities share = short_share(agent);
    entry.kept_for_short = allocator::overlap(allocator::without(share, agent.used_by_short),
                                              allocator::plain_scalars(entry.available));
    entry.lent_to_short = allocator::without(agent.used_by_short, share);
    entry.missing_for_short = allocator::without(allocator::without(share, agent.used_by_short), entry.kept_for_short);
    free_.add(free_on(entry));
    touch_agent(agent.slot);
}

void Books::charge(FrameworkSlot framework, const base::Role& role, const resources::Resources& amount) {
    auto* known = find_claim(framework, role);
    auto& claim = known ? *known : claim_for(framework, role);
    if (!known) claim.suppressed = !is_wanted(framework, role);
    claim.allocated.add(amount.quantities());
    roles_.charge(claim.role, amount);
    touch_framework(framework);
}

void Books::credit(FrameworkSlot framework, const base::Role& role, const resources::Resources& amount) {
    auto& claim = claim_for(framework, role);
    claim.allocated.subtract(amount.quantities());
    const RoleSlot slot = claim.role;
    roles_.credit(slot, amount);
    if (claim.suppressed) forget_claim_if_idle(framework, slot);
    touch_framework(framework);
}

}  // namespace fairlead::masterd::core
