#pragma once
// What each leader may believe of agents and frameworks, told from outside: by the registry that it read when its term
// began, and by what has arrived at it since. It may give up who was away for as long as was agreed, and nobody earlier.
//
//   awaited   an earlier leader had it, and it has been neither heard of nor given up in this term
//   here      it has registered in this term, and may be away again for a while
//   given up  by this leader, or by an earlier one, and it has not been back
//   out       it does not come back under this id

#include "common/base/instant.hpp"
#include "masterd/core/durable.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace fairlead::sim {

class Terms {
  public:
    using Epoch = std::uint64_t;
    using Link = std::uint64_t;
    using Complain = std::function<void(const std::string&)>;
    // As masters are configured to have.
    struct Patience {
        base::Duration silence{};       // since it was heard of
        base::Duration without_link{};  // since its link was found to be dead
    };

    Terms(Patience patience, Complain complain) : complain_(std::move(complain)), patience_(patience) {}

    // --- what happens to a leader, and what it decides ---
    enum class Rivals { possible, none };  // others who may lead, or believe to
    void began(Epoch epoch, base::Instant now, const masterd::core::Inheritance& inheritance,
               Rivals rivals = Rivals::possible);
    void awoke(Epoch epoch, base::Instant now) { terms_[epoch].listens_since = now; }
    void registered(Epoch epoch, const std::string& agent, Link link, base::Instant now);
    void heard(Epoch epoch, Link link, base::Instant now);
    // It says so itself, as it registers.
    void has_epoch(Epoch epoch, const std::string& agent);
    void link_over(Epoch epoch, Link link, base::Instant now);
    // Who is deposed knows no better, and is not judged.
    enum class Leader { rightful, deposed };
    void decided(Epoch epoch, const masterd::core::AgentRecord& record, base::Instant now, Leader leader);

    // Of the schedulers of a framework the active one: subscribed, and gone.
    void subscribed(Epoch epoch, const std::string& framework, Link stream);
    void stream_over(Epoch epoch, Link stream, base::Instant now);
    // Not because it was torn down.
    void took_for_over(Epoch epoch, const std::string& framework, base::Instant now, base::Duration failover_timeout);

    // --- what it may believe ---
    bool is_awaited(Epoch epoch, const std::string& agent) const;
    bool any_awaited(Epoch epoch) const;
    bool is_here(Epoch epoch, const std::string& agent) const;
    bool is_given_up(Epoch epoch, const std::string& agent) const;
    // Given up, and back since.
    bool was_given_up(Epoch epoch, const std::string& agent) const;
    // It is here, and has not been heard of since it was told so: the answer may be lost or not be on its disk, and it may
    // go back to an earlier leader, who may not know that it was deposed, and run what that one launches.
    bool may_serve_another(Epoch epoch, const std::string& agent) const;
    bool any_may_serve_another(Epoch epoch) const;
    // Whoever has not been here cannot have told this leader what runs on it.
    bool has_been_here(Epoch epoch, const std::string& agent) const;

  private:
    struct Agent {
        enum class Standing { awaited, here, given_up, out } standing = Standing::here;
        bool was_given_up = false;
        bool has_been_here = false;
        bool has_epoch = false;  // on its disk
        base::Instant heard{};
        base::Instant link_over{};
        std::optional<Link> link;
    };
    struct Framework {
        std::optional<Link> stream;
        base::Instant stream_over{};
    };
    struct Term {
        base::Instant began{};
        base::Instant listens_since{};
        Rivals rivals = Rivals::possible;
        std::map<std::string, Framework> frameworks;
        std::map<std::string, Agent> agents;
    };

    const Agent* find(Epoch epoch, const std::string& agent) const;
    static Agent* on(Term& term, Link link);
    static Agent::Standing standing_of(masterd::core::AgentRecord::Standing standing);
    void check_patience(const std::string& id, const Agent& agent, const Term& term, base::Instant now) const;

    Complain complain_;
    Patience patience_;
    std::map<Epoch, Term> terms_;
};

}  // namespace fairlead::sim
