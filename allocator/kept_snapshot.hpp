#pragma once
// A copy of what a Snapshot shows, for a module that thinks while the original goes on; and notes of what has changed
// meanwhile.
//
// The copy is brought up to date by the same Changes that modules are shown, so what it costs follows the change: of an
// agent its entry, tasks, offers and filters are copied anew. Asked by a module, it answers as the original did at that
// moment. It has one owner at a time, on whatever thread; the notes stay with the owner of the original.

#include "allocator/allocator.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace fairlead::allocator {

// Seconds of work that are lost when a task is ended: since its start, or since it has last saved its work.
double seconds_at_stake(base::Instant since, std::optional<base::Duration> saved_every, base::Instant now);

// What changed between two moments, each entry once.
class NotedChanges {
  public:
    struct Noted {
        Changes changes;
        std::vector<AgentSlot> thinned;  // only filters have gone there
    };

    void add(const Snapshot& present, const Changes& changes);
    // Whether something has changed by which this line, planned before, may not hold any more.
    bool may_have_overtaken(const OfferLine& line, const Snapshot& present) const;
    // Marks these lines, and with one line of a gang all of it.
    void mark_overtaken(Plan& plan, const Snapshot& present) const;
    Noted take();

  private:
    using Slots = std::unordered_set<std::uint32_t>;
    Noted noted_;
    Slots agents_, frameworks_, roles_, opened_, eager_, thinned_;
};

class KeptSnapshot {
  public:
    KeptSnapshot() = default;
    KeptSnapshot(const KeptSnapshot&) = delete;
    KeptSnapshot& operator=(const KeptSnapshot&) = delete;

    // `noted` names all that may differ from the last time.
    void bring_up_to_date(const Snapshot& present, const NotedChanges::Noted& noted);
    // Good until the next time.
    Snapshot view() const;

  private:
    struct Filter {
        FrameworkSlot framework = 0;
        base::Role role;
        resources::Resources refused;
    };
    class Filters final : public OfferFilters {
      public:
        bool refused(FrameworkSlot framework, const base::Role& role, AgentSlot agent,
                     const resources::Resources& offered) const override;
        void for_each(AgentSlot agent, const Visit& visit) const override;
        std::vector<std::vector<Filter>> by_agent;  // of each agent sorted by framework
    };
    class Constraints final : public OfferConstraints {
      public:
        bool allow(FrameworkSlot framework, const base::Role& role, AgentSlot agent) const override;
        std::shared_ptr<const Traits> traits_of(AgentSlot agent) const override { return traits.at(agent); }
        std::shared_ptr<const Demands> demands_of(FrameworkSlot framework) const override { return demands.at(framework); }
        std::vector<std::shared_ptr<const Traits>> traits;
        std::vector<std::shared_ptr<const Demands>> demands;
    };
    struct Task {
        TaskEntry entry;
        resources::Resources resources;
        std::string gang;
    };
    class Tasks final : public TaskList {
      public:
        explicit Tasks(const KeptSnapshot& all) : all_(all) {}
        std::optional<TaskEntry> find(FrameworkSlot framework, const base::TaskId& task) const override;
        void for_each(AgentSlot agent, const std::function<void(const TaskEntry&)>& visit) const override;
        void for_each_of_gang(FrameworkSlot framework, std::string_view gang,
                              const std::function<void(const TaskEntry&)>& visit) const override;
        void add(const TaskEntry& original);
        void drop(AgentSlot agent);
        void resize(std::size_t agents) { by_agent_.resize(agents); }

      private:
        TaskEntry present(const Task& task) const;

        const KeptSnapshot& all_;
        std::vector<std::vector<std::unique_ptr<Task>>> by_agent_;
        std::vector<std::unordered_map<base::TaskId, const Task*>> by_framework_;
        std::map<std::pair<FrameworkSlot, std::string>, std::map<base::TaskId, const Task*>> gangs_;
    };
    class Offers final : public OfferList {
      public:
        void for_each(AgentSlot agent, const std::function<void(const OfferEntry&)>& visit) const override;
        struct Offer {
            OfferEntry entry;
            resources::Resources resources;
        };
        std::vector<std::vector<Offer>> by_agent;
    };

    void copy_filters(const Snapshot& present, AgentSlot agent);
    void copy_agent(const Snapshot& present, AgentSlot agent);
    void copy_framework(const Snapshot& present, FrameworkSlot framework);

    base::Instant now_{};
    std::vector<AgentEntry> agents_;
    std::vector<FrameworkEntry> frameworks_;
    std::vector<RoleEntry> roles_;
    resources::Quantities total_;
    resources::Quantities free_;
    Filters filters_;
    Constraints constraints_;
    Tasks tasks_{*this};
    Offers offers_;
    Policy policy_;
};

}  // namespace fairlead::allocator
