// /roles: for each role that somebody subscribes to, holds something under, or that something is reserved for, what it has.

#include "masterd/api/page_parts.hpp"
#include "masterd/api/resource_sums.hpp"
#include "masterd/api/views.hpp"

namespace fairlead::masterd::api {
namespace {

struct Standing {
    ResourceSums allocated;
    ResourceSums offered;
    ResourceSums reserved;
    std::vector<std::string> frameworks;
};

using Standings = std::map<std::string, Standing>;

void enter(Standings& standings, const core::Framework& framework) {
    for (const auto& role : framework.roles) standings[role.value()].frameworks.push_back(framework.id.value());
    for (const auto& [id, task] : framework.tasks)
        if (task.holds_resources) standings[task.role.value()].allocated.add(task.resources);
    for (const core::Offer* offer : framework.offers) standings[offer->role.value()].offered.add(offer->resources);
}

}  // namespace

std::string render_roles(const core::State& state) {
    Standings standings;
    each_framework(state, [&](const auto& framework) { enter(standings, framework); });
    each_agent(state, [&](const auto& agent) {
        state.books.agent_entries()[agent.slot].total.for_each([&](const resources::Resource& one) {
            if (one.is_reserved())
                standings[one.reserved_role().value()].reserved.add(resources::Resources(one));
        });
    });
    JsonText json;
    json.object().key("roles").array();
    for (const auto& [name, standing] : standings) {
        ResourceSums held = standing.allocated;
        held.add(standing.offered);
        json.object().key("name").text(name).key("weight").number(1);
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
