#pragma once
// What frameworks have declined: by framework, role and agent, the refused resources and until
// when. An offer is held back while it is part of something refused. Filters go with their time,
// with REVIVE, with the framework's connection and with the agent.

#include "masterd/core/timers.hpp"

#include <unordered_map>
#include <vector>

namespace fairlead::masterd::core {

class FilterTable final : public allocator::OfferFilters {
  public:
    explicit FilterTable(Timers& timers) : timers_(timers) {}

    void add(allocator::FrameworkSlot framework, const base::Role& role, allocator::AgentSlot agent,
             const resources::Resources& refused, base::Instant until);
    void expire(const FilterExpired& filter);
    void drop_framework(allocator::FrameworkSlot framework);
    void drop_role(allocator::FrameworkSlot framework, const base::Role& role);
    void drop_agent(allocator::AgentSlot agent);

    bool refused(allocator::FrameworkSlot framework, const base::Role& role,
                 allocator::AgentSlot agent, const resources::Resources& offered) const override;
    // Until when such an offer is held back; none: it is not.
    std::optional<base::Instant> refused_until(allocator::FrameworkSlot framework, const base::Role& role,
                                               allocator::AgentSlot agent, const resources::Resources& offered) const;
    std::size_t size() const { return size_; }

  private:
    // More than this at one place: the oldest goes, and the worst that follows is one more offer.
    static constexpr std::size_t filters_in_one_place_max = 32;

    struct Filter {
        std::uint64_t number;
        resources::Resources refused;
        Timers::Handle timer;
    };
    struct Place {
        base::Role role;
        std::vector<Filter> filters;
    };
    using Places = std::vector<Place>;  // one for each role of one framework on one agent

    void drop(Places& places);

    Timers& timers_;
    std::vector<std::unordered_map<allocator::AgentSlot, Places>> by_framework_;
    std::unordered_map<allocator::AgentSlot, std::vector<allocator::FrameworkSlot>> by_agent_;
    std::uint64_t next_number_ = 0;
    std::size_t size_ = 0;
};

}  // namespace fairlead::masterd::core
