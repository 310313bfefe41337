#include "tests/sim/terms.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::sim {

namespace {

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Terms::Agent::Standing Terms::standing_of(masterd::core::AgentRecord::Standing standing) {
    using Written = masterd::core::AgentRecord::Standing;
    switch (standing) {
        case Written::admitted: return Agent::Standing::awaited;
        case Written::unreachable: return Agent::Standing::given_up;
        case Written::removed:
        case Written::gone: return Agent::Standing::out;
    }
    return Agent::Standing::out;
}

void Terms::began(Epoch epoch, base::Instant now, const masterd::core::Inheritance& inheritance, Rivals rivals) {
    Term& term = terms_[epoch];
    term.rivals = rivals;
    term.began = term.listens_since = now;
    for (const auto& record : inheritance.agents) term.agents[record.id.value()].standing = standing_of(record.standing);
}

void Terms::registered(Epoch epoch, const std::string& id, Link link, base::Instant now) {
    Term& term = terms_[epoch];
    const bool is_named_here = !term.agents.contains(id);  // it has its name with the epoch
    Agent& agent = term.agents[id];
    agent.has_epoch = agent.has_epoch || is_named_here || term.rivals == Rivals::none;
    agent.was_given_up = agent.was_given_up || agent.standing == Agent::Standing::given_up;
    agent.has_been_here = true;
    agent.standing = Agent::Standing::here;
    agent.heard = now;
    agent.link = link;
}

Terms::Agent* Terms::on(Term& term, Link link) {
    const auto found = std::find_if(term.agents.begin(), term.agents.end(),
                                    [&](const auto& one) { return one.second.link == link; });
    return found == term.agents.end() ? nullptr : &found->second;
}

void Terms::heard(Epoch epoch, Link link, base::Instant now) {
    Agent* agent = on(terms_[epoch], link);
    if (!agent) return;
    agent->heard = now;
    agent->has_epoch = true;
}

void Terms::has_epoch(Epoch epoch, const std::string& id) {
    auto& agents = terms_[epoch].agents;
    if (const auto found = agents.find(id); found != agents.end()) found->second.has_epoch = true;
}

void Terms::link_over(Epoch epoch, Link link, base::Instant now) {
    Agent* agent = on(terms_[epoch], link);
    if (!agent) return;
    agent->link.reset();
    agent->link_over = now;
}

void Terms::decided(Epoch epoch, const masterd::core::AgentRecord& record, base::Instant now, Leader leader) {
    if (record.standing == masterd::core::AgentRecord::Standing::admitted) return;  // it has registered
    Term& term = terms_[epoch];
    Agent& agent = term.agents[record.id.value()];
    const auto standing = standing_of(record.standing);
    if (standing == Agent::Standing::given_up && leader == Leader::rightful)
        check_patience(record.id.value(), agent, term, now);
    agent.standing = standing;
    agent.link.reset();
}

// While the leader slept it could hear nobody.
void Terms::check_patience(const std::string& id, const Agent& agent, const Term& term, base::Instant now) const {
    if (agent.link) complain_("agent " + id + " is given up, and its link stands");
    const base::Duration silent = now - std::max(agent.heard, term.listens_since);
    if (silent < patience_.silence)
        complain_(fmt::format("agent {} is given up after {:.3f} s in which it was not heard of", id, seconds(silent)));
    if (agent.has_been_here && now - agent.link_over < patience_.without_link)
        complain_(fmt::format("agent {} is given up {:.3f} s after its link was found to be dead", id,
                              seconds(now - agent.link_over)));
}

void Terms::subscribed(Epoch epoch, const std::string& framework, Link stream) {
    terms_[epoch].frameworks[framework].stream = stream;
}

void Terms::stream_over(Epoch epoch, Link stream, base::Instant now) {
    for (auto& [id, framework] : terms_[epoch].frameworks)
        if (framework.stream == stream) framework = {std::nullopt, now};
}

// One that has not been here in this term, and was heard of by agents alone, has to find this leader first; so has
// everybody when it has slept, though no longer than agents have.
void Terms::took_for_over(Epoch epoch, const std::string& id, base::Instant now, base::Duration failover_timeout) {
    Term& term = terms_[epoch];
    const auto found = term.frameworks.find(id);
    const bool was_here = found != term.frameworks.end();
    if (was_here && found->second.stream) complain_("framework " + id + " is taken for over, and its scheduler is there");
    const base::Duration away = now - (was_here ? found->second.stream_over : term.began);
    const base::Duration least = was_here ? failover_timeout : std::max(failover_timeout, patience_.silence);
    if (away < least || now - term.listens_since < std::min(failover_timeout, patience_.silence))
        complain_(fmt::format("framework {} is taken for over after {:.3f} s in which it could have come back, and has {:.3f}",
                              id, seconds(std::min(away, now - term.listens_since)), seconds(least)));
    if (was_here) term.frameworks.erase(found);
}

const Terms::Agent* Terms::find(Epoch epoch, const std::string& id) const {
    const auto term = terms_.find(epoch);
    if (term == terms_.end()) return nullptr;
    const auto agent = term->second.agents.find(id);
    return agent == term->second.agents.end() ? nullptr : &agent->second;
}

bool Terms::is_awaited(Epoch epoch, const std::string& id) const {
    const Agent* agent = find(epoch, id);
    return agent && agent->standing == Agent::Standing::awaited;
}

bool Terms::any_awaited(Epoch epoch) const {
    const auto term = terms_.find(epoch);
    return term != terms_.end() &&
           std::any_of(term->second.agents.begin(), term->second.agents.end(),
                       [](const auto& one) { return one.second.standing == Agent::Standing::awaited; });
}

bool Terms::is_here(Epoch epoch, const std::string& id) const {
    const Agent* agent = find(epoch, id);
    return agent && agent->standing == Agent::Standing::here;
}

bool Terms::may_serve_another(Epoch epoch, const std::string& id) const {
    const Agent* agent = find(epoch, id);
    return agent && agent->standing == Agent::Standing::here && !agent->has_epoch;
}

bool Terms::any_may_serve_another(Epoch epoch) const {
    const auto term = terms_.find(epoch);
    return term != terms_.end() && std::any_of(term->second.agents.begin(), term->second.agents.end(),
                                               [&](const auto& one) { return may_serve_another(epoch, one.first); });
}

bool Terms::is_given_up(Epoch epoch, const std::string& id) const {
    const Agent* agent = find(epoch, id);
    return agent && agent->standing == Agent::Standing::given_up;
}

bool Terms::was_given_up(Epoch epoch, const std::string& id) const {
    const Agent* agent = find(epoch, id);
    return agent && agent->was_given_up;
}

bool Terms::has_been_here(Epoch epoch, const std::string& id) const {
    const Agent* agent = find(epoch, id);
    return agent && agent->has_been_here;
}

}  // namespace fairlead::sim
