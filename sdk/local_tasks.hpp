#pragma once
// The ready tasks of a job by where their data is, so that an offer is answered without looking at all of them. A task has
// any number of replicas; without one it reads nothing, and every host is its own.
//
// A plain value. What may be launched how far away is DelayScheduling's; the two together answer an offer:
//
//   if (auto choice = tasks.take(sdk::site_of(offer), delay.farthest(now))) {
//       delay.launched(choice->where);  // and launch choice->task
//   } else {
//       delay.passed_over(now);  // and decline
//   }

#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"
#include "sdk/delay_scheduling.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fairlead::sdk {

// Where an agent stands. An empty rack is no rack: nothing is near because of it.
struct Site {
    std::string host;
    std::string rack;
    friend bool operator==(const Site&, const Site&) = default;
};

// Agents whose offers are of use: on one of these hosts, or in one of these racks, or all.
struct WantedSites {
    bool anywhere = false;
    std::set<std::string> hosts, racks;
    void include(const WantedSites& others);
    bool cover(const WantedSites& others) const;
    friend bool operator==(const WantedSites&, const WantedSites&) = default;
};

// The same as a hint to the master (Scheduler::constrain_offers): it skips offers that would be declined. Empty, which is
// every agent, where all are wanted, and where it would take more conditions than a master reads.
v1::scheduler::OfferConstraints offers_only_from(const WantedSites& sites, const std::string& role,
                                                 const std::string& rack_attribute = "rack");

// Host name and the text attribute `rack` of the agent that made the offer.
Site site_of(const v1::Offer& offer, std::string_view rack_attribute = "rack");

class LocalTasks {
  public:
    using Task = std::size_t;  // the framework's own number

    void add(Task task, std::vector<Site> replicas);

    struct Choice {
        Task task;
        Locality where;
    };
    // Takes the task that is nearest to its data here; nothing when all are farther away than that. Of a few that are
    // equally near, the one whose other hosts have most to choose from: so that no host runs out of work before the rest.
    std::optional<Choice> take(const Site& here, Locality farthest);

    // Where take() would find something.
    WantedSites wanted(Locality farthest) const;

    bool empty() const { return tasks_.empty(); }
    std::size_t size() const { return tasks_.size(); }

  private:
    using Order = std::uint64_t;
    using Index = std::map<std::string, std::set<Order>>;  // no empty sets
    struct Entry {
        Task task;
        std::vector<Site> replicas;
    };

    Choice take(Order order, Locality where);
    template <typename Orders>
    Order best_of(const Orders& orders, const std::string& here) const;
    std::size_t choice_elsewhere(const Entry& entry, const std::string& here) const;

    std::map<Order, Entry> tasks_;
    Index on_host_, in_rack_;
    std::set<Order> without_data_;
    Order next_ = 0;
};

// What a master was told last of the offers that are wanted, and when that is worth another call: when an offer came that
// was let go, or when one is wanted that the master holds back.
class OfferHint {
  public:
    enum class Since { nothing_came_in_vain, one_was_let_go };
    // What the master is to be told now; nothing while what it knows will do.
    std::optional<WantedSites> update(WantedSites wanted, Since since);

    // The master holds offers back: nobody hears then of an offer that was let go, and each launch begins a wait
    // (DelayScheduling::passed_over).
    bool holds_back() const { return !told_.anywhere; }

  private:
    WantedSites told_{true, {}, {}};
};

}  // namespace fairlead::sdk
