#pragma once
// What a framework says about the agents it wants offers of: for each of its roles groups of
// constraints on attributes, of which one group must hold as a whole. Read and compiled once, when
// the framework subscribes or updates itself; asked for every offer that is considered.
//
// A constraint looks at the first attribute of its name, or at the agent's host name, region or
// zone. An equality or a pattern says nothing about an attribute that is not text, so it holds
// there; on an agent without the attribute only the negated ones hold. A pattern (RE2) must match
// the whole text.

#include "common/base/error.hpp"
#include "common/base/id.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::masterd::core {

class OfferConstraints {
  public:
    // Over all roles; and what one pattern may cost.
    static constexpr std::size_t constraints_max = 1000;
    static constexpr int pattern_memory_bytes_max = 4096;
    static constexpr int pattern_program_size_max = 100;

    OfferConstraints();  // every agent will do
    ~OfferConstraints();

    // The error says which role's constraint is wrong and why.
    static base::Result<std::shared_ptr<const OfferConstraints>> compile(
        const v1::scheduler::OfferConstraints& wire, std::span<const base::Role> roles);

    // `rest`: its attributes and its domain.
    bool allow(const base::Role& role, const std::string& hostname, const v1::AgentInfo& rest) const;
    bool allow(const base::Role& role, const v1::AgentInfo& agent) const {
        return allow(role, agent.hostname(), agent);
    }
    // As the framework wrote it.
    const v1::scheduler::OfferConstraints& wire() const { return wire_; }

  private:
    class Constraint;
    using Group = std::vector<Constraint>;

    v1::scheduler::OfferConstraints wire_;
    std::unordered_map<base::Role, std::vector<Group>> groups_;  // none: every agent will do
};

}  // namespace fairlead::masterd::core
