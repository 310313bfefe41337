#pragma once
// The books as an allocation module sees them: tasks and what they would cost to take back, offers that stand, and what
// frameworks demand of agents. Views; they own nothing and are good for one plan.

#include "masterd/core/books.hpp"
#include "masterd/core/offer_constraints.hpp"
#include "masterd/core/revocation_table.hpp"

namespace fairlead::masterd::core {

// Of work that is lost when the task is ended now: since its start or since it has last saved its work, whichever is
// shorter. A master that has inherited the task knows its start no better than when it first heard of it.
double seconds_at_stake(const Task& task, base::Instant now);

class TasksOnAgents final : public allocator::TaskList {
  public:
    TasksOnAgents(const Books& books, const RevocationTable& revocations, base::Instant now)
        : books_(books), revocations_(revocations), now_(now) {}

    std::optional<allocator::TaskEntry> find(FrameworkSlot framework, const base::TaskId& task) const override;
    void for_each(AgentSlot agent, const std::function<void(const allocator::TaskEntry&)>& visit) const override;
    void for_each_of_gang(FrameworkSlot framework, std::string_view gang,
                          const std::function<void(const allocator::TaskEntry&)>& visit) const override;

  private:
    allocator::TaskEntry entry_of(const Task& task) const;

    const Books& books_;
    const RevocationTable& revocations_;
    base::Instant now_;
};

class ConstraintsInBooks final : public allocator::OfferConstraints {
  public:
    explicit ConstraintsInBooks(const Books& books) : books_(books) {}
    bool allow(FrameworkSlot framework, const base::Role& role, AgentSlot agent) const override;
    std::shared_ptr<const Traits> traits_of(AgentSlot agent) const override;
    std::shared_ptr<const Demands> demands_of(FrameworkSlot framework) const override;

  private:
    const Books& books_;
};

class OffersOnAgents final : public allocator::OfferList {
  public:
    explicit OffersOnAgents(const Books& books) : books_(books) {}
    void for_each(AgentSlot agent, const std::function<void(const allocator::OfferEntry&)>& visit) const override;

  private:
    const Books& books_;
};

}  // namespace fairlead::masterd::core
