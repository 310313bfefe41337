#pragma once
// What this master does about leading: alone, it leads from its start; among others, it takes over when it is elected,
// and stands by otherwise. Everything happens on one strand of its own; the driver is told by its own means.
//
// To take over is to begin an epoch in the registry, to read what it holds, and to hand both to the core. While that
// does not work for reasons that may pass it is tried again, as long as this master is the one elected.

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
        std::function<void()> changed;  // who leads, or whether we do it already
        // It has joined the others and stands by, or waits for what is not its own business: nothing that could be told
        // at the start would keep it from taking over. May come more than once; who leads by then is told by `changed`.
        std::function<void()> ready = [] {};
    };
    // registry: what is in it cannot be used, and nobody but an operator can change that.
    enum class Cause { environment, configuration, registry };
    // This process can be of no use any more.
    using Fatal = std::function<void(Cause, const base::Error&)>;

    // `election` has a value for a master among others; its info is filled in here.
    Leadership(async::Executor strand, Parts parts, std::optional<election::ElectionOptions> election, Fatal fatal);

    // Until resign(), or until something is fatal.
    async::awaitable<void> run();
    // Any thread. What was decided could not be written: others may know better. Leadership has ended already.
    void give_up(const base::Error& why);
    // For a planned stop: the driver leads no more, and the next master is elected at once.
    async::awaitable<void> resign();

  private:
    election::ElectionEvents events();
    void gained(base::Instant lease_until);
    void lost(const std::string& reason);
    void look_whether_it_leads();
    async::awaitable<bool> open_registry();
    async::awaitable<void> take_over(std::uint64_t term);
    async::awaitable<base::Status> try_to_take_over(std::uint64_t term);
    bool still(std::uint64_t term) const { return term == term_ && elected_; }

    const async::Executor strand_;
    const Parts parts_;
    const Fatal fatal_;
    std::optional<election::Election> election_;
    async::TaskGroup tasks_;
    bool elected_ = false;
    bool resigned_ = false;
    std::uint64_t term_ = 0;  // how often we were elected
    bool handed_over_ = false;  // the driver knows of it
    std::optional<base::Instant> lease_until_;  // of this term; none: alone
};

}  // namespace fairlead::masterd
