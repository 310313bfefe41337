#pragma once
// Room that is kept back for those who need more at once than is free: all tasks of a gang, or one task that is larger than
// what any agent has left.
//
// Think of a party of eight in a busy restaurant. Whoever seats guests as tables fall empty never seats the eight, so tables
// are kept for them as their turn comes. Two such parties that each keep half of the room wait for ever, so only one party
// is kept tables for at a time; and not for long: then the tables are given up, others are seated, and the party has to
// wait before it may try again, twice as long each time. Meanwhile a kept table is lent to guests who are certain to leave
// soon, until all that is lacking are those guests.
//
// Of gangs one gathers at a time, of large tasks a few, and no two on the same agent. This is the bookkeeping alone: who is
// next and whether it may have what it gathers is decided by whoever adds places.

#include "allocator/allocator.hpp"

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fairlead::allocator::drf {

struct Gathering {
    struct Place {
        std::uint32_t tasks = 0;    // of the shape, that it is to bear
        resources::Resources held;  // plain scalars, up to what those need
    };
    std::uint64_t wish = 0;  // Wish::number
    std::uint32_t leaf = 0;  // for whom, as its owner knows it
    resources::Quantities shape;
    std::uint32_t count = 1;
    bool is_gang = false;
    bool is_owed = false;  // room was taken back from others for it
    base::Instant until{};
    std::map<AgentSlot, Place> places;

    std::uint32_t planned() const;
    resources::Quantities held() const;
    // Whether it is complete as soon as short tasks give back what was lent to them.
    bool is_covered(std::span<const AgentEntry> agents) const;
};

class Gatherings {
  public:
    static constexpr std::size_t large_tasks_max = 8;  // that are gathered for at a time
    static constexpr unsigned doublings_max = 4;       // of the rest after a gathering that came to nothing

    const std::map<std::uint64_t, Gathering>& all() const { return all_; }  // by wish: the order in which they were asked
    Gathering* of(std::uint64_t wish);
    Gathering* on(AgentSlot agent);
    const Gathering* of(std::uint64_t wish) const { return const_cast<Gatherings*>(this)->of(wish); }
    const Gathering* on(AgentSlot agent) const { return const_cast<Gatherings*>(this)->on(agent); }
    bool empty() const { return all_.empty(); }

    // Whose turn it is that a gathering takes, and that rests when it came to nothing. All gangs of one claim have one
    // turn together: whoever asks for the next under another name does not come before those that have waited. A large
    // task has its own.
    struct Turn {
        std::uint32_t leaf = 0;
        std::uint64_t wish = 0;  // 0: its gangs
        friend auto operator<=>(const Turn&, const Turn&) = default;
    };
    static Turn turn_of(std::uint32_t leaf, const Wish& wish) { return {leaf, wish.gang.empty() ? wish.number : 0}; }

    bool may_begin(const Turn& turn, base::Instant now) const;
    Gathering& begin(Gathering gathering);  // without places; may_begin()
    // Or adds to the one that there is; holds nothing yet. Precondition: nobody else gathers there.
    void add_place(Gathering& gathering, AgentSlot agent, std::uint32_t tasks);
    // What the place on this agent is to hold beyond what it does.
    resources::Quantities lacks(AgentSlot agent) const;
    // Takes up to so much out of `left`, what nobody has there.
    resources::Quantities hold(AgentSlot agent, const resources::Quantities& at_most, resources::Resources& left);
    // What is there no longer is not held any more.
    void refresh(AgentSlot agent, const AgentEntry& entry);

    void end(std::uint64_t wish);
    // It came to nothing: its turn may not begin again for this long, or longer after earlier times.
    void rest(const Turn& turn, base::Instant now, base::Duration first);
    std::optional<base::Instant> rests_until(const Turn& turn) const;
    void has_succeeded(const Turn& turn);  // the next rest is as short as the first
    void forget(const Turn& turn);         // there is no such claim, or no such wish, any more

    // Whether anything here is not as it was when this was asked last.
    bool take_changed() { return std::exchange(changed_, false); }

  private:
    struct Rest {
        base::Instant until{};
        unsigned times = 0;
    };
    std::map<std::uint64_t, Gathering> all_;
    std::unordered_map<AgentSlot, std::uint64_t> by_agent_;
    std::map<Turn, Rest> rests_;
    bool changed_ = false;
};

}  // namespace fairlead::allocator::drf
