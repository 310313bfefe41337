// /state-summary: who is there, and how many tasks of each state, without a line for each task.

#include "masterd/api/page_parts.hpp"
#include "masterd/api/views.hpp"

#include <array>
#include <set>
#include <unordered_map>

namespace fairlead::masterd::api {
namespace {

constexpr std::array counted_states{v1::TASK_STAGING,  v1::TASK_STARTING, v1::TASK_RUNNING, v1::TASK_KILLING,
                                    v1::TASK_FINISHED, v1::TASK_KILLED,   v1::TASK_FAILED,  v1::TASK_LOST,
                                    v1::TASK_ERROR,    v1::TASK_UNREACHABLE};

struct Tally {
    std::array<std::uint64_t, counted_states.size()> tasks{};
    std::set<std::string> peers;  // of an agent the frameworks that have tasks on it, and the other way round

    void add(v1::TaskState state) {
        for (std::size_t i = 0; i < counted_states.size(); ++i) tasks[i] += counted_states[i] == state;
    }
    void write(JsonText& json, const char* peers_key) const {
        for (std::size_t i = 0; i < counted_states.size(); ++i)
            json.key(v1::TaskState_Name(counted_states[i])).count(tasks[i]);
        json.key(peers_key).array();
        for (const auto& peer : peers) json.text(peer);
        json.end_array();
    }
};

struct Tallies {
    std::unordered_map<base::AgentId, Tally> by_agent;
    std::unordered_map<base::FrameworkId, Tally> by_framework;

    explicit Tallies(const core::State& state) {
        const auto enter = [this](const core::Framework& framework) {
            each_task(framework, [&](const core::Task& task) {
                by_agent[task.agent_id].add(task.state);
                by_framework[framework.id].add(task.state);
                by_agent[task.agent_id].peers.insert(framework.id.value());
                by_framework[framework.id].peers.insert(task.agent_id.value());
            });
        };
        each_framework(state, enter);
        for (const auto& framework : state.completed_frameworks) enter(*framework);
    }
};

}  // namespace

std::string render_state_summary(const core::State& state, const ViewContext& context) {
    Tallies tallies(state);
    JsonText json;
    json.object().key("hostname").text(context.hostname).key("cluster").text(context.cluster_name);
    json.key("slaves").array();
    each_agent(state, [&](const auto& agent) {
        begin_agent(json, state, agent);
        tallies.by_agent[agent.id].write(json, "framework_ids");
        json.end_object();
    });
    json.end_array().key("frameworks").array();
    each_framework(state, [&](const auto& framework) {
        begin_framework(json, framework);
        tallies.by_framework[framework.id].write(json, "slave_ids");
        json.end_object();
    });
    return json.end_array().end_object().take();
}

}  // namespace fairlead::masterd::api
