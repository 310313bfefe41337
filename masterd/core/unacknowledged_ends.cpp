#include "masterd/core/unacknowledged_ends.hpp"

namespace fairlead::masterd::core {
namespace {

template <typename Counts, typename Key>
std::size_t count_in(const Counts& counts, const Key& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
}

template <typename Counts, typename Key>
void take_one(Counts& counts, const Key& key) {
    const auto found = counts.find(key);
    if (--found->second == 0) counts.erase(found);
}

bool is_to_be_withheld(bool is_withheld, const base::EndsBound& bound, std::size_t own, std::size_t all) {
    return is_withheld ? !bound.is_far_again(own, all) : bound.is_near(own, all);
}

}  // namespace

UnacknowledgedEnds::Change UnacknowledgedEnds::add(AgentSlot agent, FrameworkSlot framework) {
    ++counts_[{agent, framework}];
    ++on_agents_[agent];
    ++of_frameworks_[framework];
    ++total_;
    return look(agent, framework);
}

UnacknowledgedEnds::Change UnacknowledgedEnds::remove(AgentSlot agent, FrameworkSlot framework) {
    take_one(counts_, std::pair(agent, framework));
    take_one(on_agents_, agent);
    take_one(of_frameworks_, framework);
    --total_;
    return look(agent, framework);
}

UnacknowledgedEnds::Change UnacknowledgedEnds::look(AgentSlot agent, FrameworkSlot framework) {
    Change change;
    const bool was_withheld = is_withheld(framework, agent);
    if (is_to_be_withheld(was_withheld, bounds_.on_agent, count(agent, framework), count_on(agent)) != was_withheld) {
        change.on_agent = true;
        const auto before = withheld_on(agent);
        auto after = std::make_shared<Frameworks>(before ? *before : Frameworks());
        if (was_withheld)
            after->erase(framework);
        else
            after->insert(framework);
        if (after->empty())
            withheld_.erase(agent);
        else
            withheld_[agent] = std::move(after);
    }
    const bool was_everywhere = is_withheld(framework);
    if (is_to_be_withheld(was_everywhere, bounds_.in_cluster, count_of(framework), total_) != was_everywhere) {
        change.everywhere = true;
        if (was_everywhere)
            withheld_everywhere_.erase(framework);
        else
            withheld_everywhere_.insert(framework);
    }
    return change;
}

bool UnacknowledgedEnds::is_withheld(FrameworkSlot framework, AgentSlot agent) const {
    if (withheld_.empty()) return false;
    const auto found = withheld_.find(agent);
    return found != withheld_.end() && found->second->contains(framework);
}

std::shared_ptr<const UnacknowledgedEnds::Frameworks> UnacknowledgedEnds::withheld_on(AgentSlot agent) const {
    const auto found = withheld_.find(agent);
    return found == withheld_.end() ? nullptr : found->second;
}

std::size_t UnacknowledgedEnds::count(AgentSlot agent, FrameworkSlot framework) const {
    return count_in(counts_, std::pair(agent, framework));
}
std::size_t UnacknowledgedEnds::count_of(FrameworkSlot framework) const { return count_in(of_frameworks_, framework); }
std::size_t UnacknowledgedEnds::count_on(AgentSlot agent) const { return count_in(on_agents_, agent); }

bool UnacknowledgedEnds::empty() const {
    return total_ == 0 && counts_.empty() && withheld_.empty() && withheld_everywhere_.empty();
}

}  // namespace fairlead::masterd::core
