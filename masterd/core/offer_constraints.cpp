#include "masterd/core/offer_constraints.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace fairlead::masterd::core {
namespace {

using v1::scheduler::AttributeConstraint;
using Pseudo = AttributeConstraint::Selector;

base::Error refuse(std::string why) {
    return base::Error(base::ErrorCode::invalid_argument, std::move(why));
}

// What a selector finds on one agent. Text only where the attribute has one.
struct Found {
    bool present = false;
    std::optional<std::string_view> text;
};

Found text_if(bool present, const std::string& value) {
    if (!present) return {};
    return {true, value};
}

Found find(const AttributeConstraint::Selector& selector, const std::string& hostname, const v1::AgentInfo& agent) {
    const auto& domain = agent.domain();
    if (selector.has_pseudoattribute_type()) {
        switch (selector.pseudoattribute_type()) {
            case Pseudo::HOSTNAME:
                return text_if(true, hostname);
            case Pseudo::REGION:
                return text_if(domain.has_fault_domain(), domain.fault_domain().region().name());
            case Pseudo::ZONE:
                return text_if(domain.has_fault_domain(), domain.fault_domain().zone().name());
            default:
                return {};
        }
    }
    for (const auto& attribute : agent.attributes()) {
        if (attribute.name() != selector.attribute_name()) continue;
        if (attribute.type() != v1::Value::TEXT) return {true, std::nullopt};
        return {true, attribute.text().value()};
    }
    return {};
}

base::Result<std::shared_ptr<const re2::RE2>> compile_pattern(const std::string& pattern) {
    re2::RE2::Options options;
    options.set_max_mem(OfferConstraints::pattern_memory_bytes_max);
    options.set_log_errors(false);
    auto compiled = std::make_shared<const re2::RE2>(pattern, options);
    if (!compiled->ok())
        return refuse(fmt::format("the regex '{}' is invalid: {}", pattern, compiled->error()));
    if (compiled->ProgramSize() > OfferConstraints::pattern_program_size_max)
        return refuse(fmt::format("the regex '{}' is too complex: its program size is {}, at most "
                                  "{} is allowed",
                                  pattern, compiled->ProgramSize(),
                                  OfferConstraints::pattern_program_size_max));
    return compiled;
}

}  // namespace

class OfferConstraints::Constraint {
  public:
    // `wire` must outlive it.
    static base::Result<Constraint> compile(const AttributeConstraint& wire) {
        const auto& selector = wire.selector();
        if (!selector.has_pseudoattribute_type() && !selector.has_attribute_name())
            return refuse("a constraint selects no attribute");
        if (selector.has_pseudoattribute_type() &&
            selector.pseudoattribute_type() == Pseudo::UNKNOWN)
            return refuse("a constraint selects an unknown pseudoattribute");
        Constraint constraint;
        constraint.wire_ = &wire;
        const auto& predicate = wire.predicate();
        const std::string* pattern = nullptr;
        switch (predicate.predicate_case()) {
            case AttributeConstraint::Predicate::PREDICATE_NOT_SET:
                return refuse("a constraint has no predicate that this master knows");
            case AttributeConstraint::Predicate::kTextMatches:
                pattern = &predicate.text_matches().regex();
                break;
            case AttributeConstraint::Predicate::kTextNotMatches:
                pattern = &predicate.text_not_matches().regex();
                break;
            default:
                break;
        }
        if (!pattern) return constraint;
        auto compiled = compile_pattern(*pattern);
        if (!compiled) return compiled.error();
        constraint.pattern_ = std::move(*compiled);
        return constraint;
    }

    bool holds(const std::string& hostname, const v1::AgentInfo& agent) const {
        using Predicate = AttributeConstraint::Predicate;
        const Found found = find(wire_->selector(), hostname, agent);
        const auto& predicate = wire_->predicate();
        const auto text = [&](bool negated, const auto& matches) {
            if (!found.present) return negated;
            return !found.text || matches(*found.text) != negated;
        };
        const auto equals = [](const std::string& value) {
            return [&value](std::string_view other) { return other == value; };
        };
        const auto full_match = [this](std::string_view other) {
            return re2::RE2::FullMatch(re2::StringPiece(other.data(), other.size()), *pattern_);
        };
        switch (predicate.predicate_case()) {
            case Predicate::kExists:
                return found.present;
            case Predicate::kNotExists:
                return !found.present;
            case Predicate::kTextEquals:
                return text(false, equals(predicate.text_equals().value()));
            case Predicate::kTextNotEquals:
                return text(true, equals(predicate.text_not_equals().value()));
            case Predicate::kTextMatches:
                return text(false, full_match);
            case Predicate::kTextNotMatches:
                return text(true, full_match);
            case Predicate::PREDICATE_NOT_SET:
                break;
        }
        return false;
    }

  private:
    const AttributeConstraint* wire_ = nullptr;
    std::shared_ptr<const re2::RE2> pattern_;
};

OfferConstraints::OfferConstraints() = default;
OfferConstraints::~OfferConstraints() = default;

base::Result<std::shared_ptr<const OfferConstraints>> OfferConstraints::compile(
    const v1::scheduler::OfferConstraints& wire, std::span<const base::Role> roles) {
    auto compiled = std::make_shared<OfferConstraints>();
    compiled->wire_ = wire;
    std::size_t count = 0;
    for (const auto& [name, role_constraints] : compiled->wire_.role_constraints()) {
        const auto in_role = [&name = name](const std::string& why) {
            return refuse(fmt::format("The offer constraints of role '{}' are invalid: {}", name,
                                      why));
        };
        const base::Role role(name);
        if (std::find(roles.begin(), roles.end(), role) == roles.end())
            return in_role("it is not one of the roles of the framework");
        if (role_constraints.groups().empty()) return in_role("there is no group of constraints");
        auto& groups = compiled->groups_[role];
        for (const auto& group : role_constraints.groups()) {
            if (group.attribute_constraints().empty()) return in_role("a group has no constraints");
            count += static_cast<std::size_t>(group.attribute_constraints_size());
            if (count > constraints_max)
                return in_role(fmt::format("a framework may have at most {} constraints",
                                           constraints_max));
            auto& constraints = groups.emplace_back();
            for (const auto& one : group.attribute_constraints()) {
                auto constraint = Constraint::compile(one);
                if (!constraint) return in_role(constraint.error().message());
                constraints.push_back(std::move(*constraint));
            }
        }
    }
    return std::shared_ptr<const OfferConstraints>(std::move(compiled));
}

bool OfferConstraints::allow(const base::Role& role, const std::string& hostname, const v1::AgentInfo& rest) const {
    const auto found = groups_.find(role);
    if (found == groups_.end()) return true;
    return std::any_of(found->second.begin(), found->second.end(), [&](const Group& group) {
        return std::all_of(group.begin(), group.end(),
                           [&](const Constraint& constraint) { return constraint.holds(hostname, rest); });
    });
}

}  // namespace fairlead::masterd::core
