#pragma once
// What this master does about leading: alone, it leads from its start; among others, it takes over when it is elected,
// and stands by otherwise. Everything happens on one strand of its own; the driver is told by its own means.
//
// To take over is to begin an epoch in the registry, to read what it holds, and to hand both to the core. While that
// does not work for reasons that may pass it is tried again, for a while; then, or when trying again does not help,
// this master lets the next one try, and contends again after a rest. Whoever is alone has nobody to step aside for:
// it goes on trying, or its process ends.
//
// A master that cannot take over shall know it before it is elected: it contends when the registry is open, and reads
// ahead while it stands by.

#include "common/async/asio.hpp"
#include "common/async/task_group.hpp"
#include "masterd/api/standing.hpp"
#include "masterd/driver/driver.hpp"
#include "masterd/election/election.hpp"
#include "masterd/registry/registry.hpp"

#include <functional>
#include <memory>

namespace fairlead::masterd {

class Leadership {
  public:
    struct Parts {
        driver::Driver& driver;
        std::shared_ptr<registry::Registry> registry;
        // First of all, until it works; none: the registry is open.
        std::function<async::awaitable<base::Status>()> open_registry;
        v1::MasterInfo info;
        std::shared_ptr<api::Standing> standing;
        std::function<void()> changed;  // who leads, whether we do it already, or what keeps us from it
        // It has joined the others and stands by, or waits for what is not its own business: nothing that could be told
        // at the start would keep it from taking over. May come more than once; who leads by then is told by `changed`.
        std::function<void()> ready = [] {};
    };
    // Of a master among others.
    struct Patience {
        base::Duration take_over_for;  // no attempt to take over is made later than this after the election
        base::Duration attempt_max = std::chrono::minutes(1);
        base::Duration rest;  // then
        base::Duration read_ahead_every = std::chrono::seconds(5);
    };
    // registry: what is in it cannot be used, and nobody but an operator can change that.
    enum class Cause { environment, configuration, registry };
    // This process can be of no use any more.
    using Fatal = std::function<void(Cause, const base::Error&)>;

    // `election` has a value for a master among others; its info is filled in here.
    // Without `patience`, three timeouts of its session are time enough to take over, and one to rest.
    Leadership(async::Executor strand, Parts parts, std::optional<election::ElectionOptions> election, Fatal fatal,
               std::optional<Patience> patience = std::nullopt);

    // Until resign(), or until something is fatal.
    async::awaitable<void> run();
    // Any thread. What was decided could not be written: others may know better. Leadership has ended already.
    void give_up(const base::Error& why);
    // For a planned stop: the driver does nothing any more, and the next master is elected at once.
    async::awaitable<void> resign();

  private:
    election::ElectionEvents events();
    void gained(base::Instant lease_until);
    void lost(const std::string& reason);
    void look_whether_it_leads();
    async::awaitable<bool> open_registry();
    async::awaitable<void> read_ahead();
    async::awaitable<void> take_over(std::uint64_t term);
    async::awaitable<base::Status> attempt(std::uint64_t term);
    async::awaitable<base::Status> try_to_take_over(std::uint64_t term);
    void let_others_try(const base::Error& why);
    void trouble(const std::string& why);
    bool still(std::uint64_t term) const { return term == term_ && elected_; }

    const async::Executor strand_;
    const Parts parts_;
    const Fatal fatal_;
    const Patience patience_;
    std::optional<election::Election> election_;
    async::TaskGroup tasks_;
    bool elected_ = false;
    bool resigned_ = false;
    std::uint64_t term_ = 0;  // how often we were elected
    bool handed_over_ = false;  // the driver knows of it
    std::optional<base::Instant> lease_until_;  // of this term; none: alone
};

}  // namespace fairlead::masterd
