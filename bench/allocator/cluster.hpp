#pragma once
// A cluster as large as one likes, as an allocation module sees it: the master's own role and filter tables, and beside
// them as little as there can be, so that what is measured is the module.

#include "allocator/allocator.hpp"
#include "masterd/core/offer_filters.hpp"
#include "masterd/core/role_table.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::bench {

// What a cluster has beside plain agents and plain frameworks.
struct Shape {
    std::size_t agents = 1000;
    std::size_t frameworks = 50;
    bool ports = false;         // 17 ranges of ports on each agent, as in the benchmarks of Mesos
    bool reservations = false;  // a quarter of each agent, half of these for a role that nobody is in
    bool labels = false;        // these have labels, another one on each agent
    bool quotas = false;        // a guarantee and a limit for each role
    bool constraints = false;   // each framework takes half of the agents
    bool suppressed = false;    // 99 of 100 frameworks want nothing
    bool need = false;          // tasks use all there is, eight on each agent, and one role has nothing of its guarantee
    std::size_t tasks = 0;      // on each agent, for whoever asks: beside what the books of this cluster count
};

class Cluster {
  public:
    explicit Cluster(const Shape& shape);

    // The next plan, with the time that the module took for it; its offers are outstanding then.
    struct Planned {
        allocator::Plan plan;
        double microseconds = 0;
    };
    Planned plan(allocator::Module& module);

    // The master's side of what happens; each is seen by the next plan.
    void give_back(const allocator::OfferLine& line);            // a task ended, or an offer timed out
    void decline(const allocator::OfferLine& line, double seconds);  // given back, and not wanted again for so long
    void suppress(allocator::FrameworkSlot framework);
    void revive(allocator::FrameworkSlot framework);  // forgets its filters too
    void open(allocator::AgentSlot agent) { changes_.opened.push_back(agent); }  // a filter there has expired
    void open_all();
    void touch_all();  // agents: to be read again

    base::Instant now{};

  private:
    using Visit = std::function<void(const allocator::TaskEntry&)>;
    struct Constraints final : allocator::OfferConstraints {
        bool allow(allocator::FrameworkSlot framework, const base::Role&, allocator::AgentSlot agent) const override {
            return !half || (framework + agent) % 2 == 0;
        }
        struct Numbered final : Traits, Demands {
            explicit Numbered(std::uint32_t its_number) : number(its_number) {}
            bool allow(const base::Role&, const Traits& other) const override {
                return (number + static_cast<const Numbered&>(other).number) % 2 == 0;
            }
            std::uint32_t number;
        };
        std::shared_ptr<const Traits> traits_of(allocator::AgentSlot agent) const override {
            return std::make_shared<const Numbered>(agent);
        }
        std::shared_ptr<const Demands> demands_of(allocator::FrameworkSlot framework) const override {
            return half ? std::make_shared<const Numbered>(framework) : nullptr;
        }
        bool half = false;
    };
    struct Tasks final : allocator::TaskList {
        std::optional<allocator::TaskEntry> find(allocator::FrameworkSlot, const base::TaskId& task) const override;
        void for_each(allocator::AgentSlot agent, const Visit& visit) const override {
            if (agent >= on_agent.size()) return;
            for (const auto& task : on_agent[agent]) visit(task);
        }
        void for_each_of_gang(allocator::FrameworkSlot, std::string_view, const Visit&) const override {}
        void add(allocator::TaskEntry task) {
            auto& there = on_agent[task.agent];
            places[task.id] = {task.agent, there.size()};
            there.push_back(std::move(task));
        }
        std::vector<std::vector<allocator::TaskEntry>> on_agent;
        std::unordered_map<base::TaskId, std::pair<allocator::AgentSlot, std::size_t>> places;
        resources::Resources of_each;
    };

    struct NoOffers final : allocator::OfferList {
        void for_each(allocator::AgentSlot, const std::function<void(const allocator::OfferEntry&)>&) const override {}
    };

    enum class To { framework, agent };
    void move(const allocator::OfferLine& line, To to);
    void fill_with_tasks();
    void show_small_tasks(std::size_t on_each);

    std::vector<allocator::AgentEntry> agents_;
    std::vector<allocator::FrameworkEntry> frameworks_;
    masterd::core::RoleTable roles_;
    masterd::core::Timers timers_;
    masterd::core::FilterTable filters_{timers_};
    resources::Quantities total_, free_;
    Constraints constraints_;
    Tasks tasks_;
    NoOffers offers_;
    allocator::Policy policy_;
    allocator::Changes changes_;
    bool shown_nothing_ = true;
};

}  // namespace fairlead::bench
