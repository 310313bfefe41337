#pragma once
// What frameworks have declined: by framework, role and agent, the refused resources and until
// when. An offer is held back while it is part of something refused. Filters go with their time,
// with REVIVE, with the framework's connection and with the agent.

#include "masterd/core/timers.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

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
    void forget_all();  // when the timers are gone, too

    bool refused(allocator::FrameworkSlot framework, const base::Role& role,
                 allocator::AgentSlot agent, const resources::Resources& offered) const override;
    // Until when such an offer is held back; none: it is not.
    std::optional<base::Instant> refused_until(allocator::FrameworkSlot framework, const base::Role& role,
                                               allocator::AgentSlot agent, const resources::Resources& offered) const;
    std::size_t size() const { return size_; }

    void for_each(allocator::AgentSlot agent, const Visit& visit) const override;
    // By drop_framework and drop_role, since the last forget_thinned().
    void for_each_thinned(const std::function<void(allocator::AgentSlot)>& visit) const override;
    void forget_thinned() { thinned_.clear(); }

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
        boost::container::small_vector<Filter, 1> filters;
    };
    using Places = boost::container::small_vector<Place, 1>;  // one for each role of one framework on one agent

    // Takes out of `places` what `goes` says of a role and a filter. Whether nothing is left.
    template <typename Goes>
    bool thin_out(Places& places, Goes&& goes);
    void forget(allocator::FrameworkSlot framework, allocator::AgentSlot agent);

    Timers& timers_;
    // A module asks one agent's filters for one framework after the other: they lie together.
    std::vector<boost::unordered_flat_map<allocator::FrameworkSlot, Places>> by_agent_;
    std::vector<boost::unordered_flat_set<allocator::AgentSlot>> by_framework_;
    boost::unordered_flat_set<allocator::AgentSlot> thinned_;
    std::uint64_t next_number_ = 0;
    std::size_t size_ = 0;
};

}  // namespace fairlead::masterd::core
