// /roles: for each role that somebody subscribes to, holds something under, that something is reserved for or that an
// operator has ordered something of, and for all above these: what it has, and may have. A role counts what those below
// it hold; its frameworks are those in the role itself.

#include "common/resources/resource_sums.hpp"
#include "masterd/api/page_parts.hpp"
#include "masterd/api/views.hpp"

namespace fairlead::masterd::api {
namespace {

using resources::ResourceSums;

struct Standing {
    ResourceSums allocated;
    ResourceSums offered;
    ResourceSums reserved;
    std::vector<std::string> frameworks;
};

using Standings = std::map<std::string, Standing>;

// visit(standing) of "eng/ads", then of "eng".
template <typename Visit>
void each_upwards(Standings& standings, const base::Role& role, Visit visit) {
    for (std::string name = role.value();; name.resize(name.rfind('/'))) {
        visit(standings[name]);
        if (name.find('/') == name.npos) return;
    }
}

void enter(Standings& standings, const core::Framework& framework) {
    for (const auto& role : framework.roles) standings[role.value()].frameworks.push_back(framework.id.value());
    for (const auto& [id, task] : framework.tasks)
        if (task.holds_resources)
            each_upwards(standings, task.role, [&](Standing& standing) { standing.allocated.add(task.resources); });
    for (const core::Offer* offer : framework.offers)
        each_upwards(standings, offer->role, [&](Standing& standing) { standing.offered.add(offer->resources); });
}

template <typename Amounts>
void write_amounts(JsonText& json, const Amounts& amounts) {
    json.object();
    amounts.for_each(
        [&](std::string_view name, resources::Milli amount) { json.key(name).number(amount.to_double()); });
    json.end_object();
}

void write_quota(JsonText& json, const allocator::RoleEntry& entry) {
    json.object().key("role").text(entry.name.value()).key("guarantee");
    write_amounts(json, entry.guarantee);
    json.key("limit");
    write_amounts(json, entry.limit);
    json.key("consumed");
    write_amounts(json, entry.chargeable);
    json.end_object();
}

}  // namespace

std::string render_roles(const core::State& state) {
    Standings standings;
    for (const allocator::RoleEntry& entry : state.books.roles().entries())
        if (!entry.name.empty()) standings[entry.name.value()];
    each_framework(state, [&](const auto& framework) { enter(standings, framework); });
    each_agent(state, [&](const auto& agent) {
        const resources::Resources& total = state.books.agent_entries()[agent.slot].total;
        if (total.is_scalar_only()) return;
        total.for_each([&](const resources::Resource& one) {
            if (!one.is_reserved()) return;
            each_upwards(standings, one.reserved_role(),
                         [&](Standing& standing) { standing.reserved.add(resources::Resources(one)); });
        });
    });
    static const allocator::RoleEntry unknown;
    JsonText json;
    json.object().key("roles").array();
    for (const auto& [name, standing] : standings) {
        const auto slot = state.books.roles().find(base::Role(name));
        const allocator::RoleEntry& entry = slot ? state.books.roles().entries()[*slot] : unknown;
        ResourceSums held = standing.allocated;
        held.add(standing.offered);
        json.object().key("name").text(name).key("weight").number(entry.weight);
        json.key("quota");
        write_quota(json, entry);
        json.key("resources");
        held.write(json);
        json.key("allocated");
        standing.allocated.write(json);
        json.key("offered");
        standing.offered.write(json);
        json.key("reserved");
        standing.reserved.write(json);
        json.key("frameworks").array();
        for (const auto& id : standing.frameworks) json.text(id);
        json.end_array().end_object();
    }
    return json.end_array().end_object().take();
}

}  // namespace fairlead::masterd::api
