// kill and logs: both begin by finding one task among all that the master knows.

#include "cli/document.hpp"
#include "cli/records.hpp"
#include "cli/table.hpp"
#include "cli/views.hpp"
#include "common/async/deadline.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace fairlead::cli {

namespace json = boost::json;
using base::Error;
using base::ErrorCode;

namespace {

constexpr auto follow_pause = std::chrono::milliseconds(250);

// The one task of that id; else an error that lists what may have been meant.
base::Result<json::value> pick(const json::array& tasks, const std::string& id,
                               const std::string& framework) {
    std::vector<std::string> ids;
    std::vector<json::value> found;
    for (const auto& task : tasks) {
        ids.push_back(text_of(task, "id"));
        if (ids.back() == id && (framework.empty() || text_of(task, "framework_id") == framework))
            found.push_back(task);
    }
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
        std::string lines;
        for (const auto& task : found)
            lines += fmt::format("\n  {} --framework {}  ({})", id, text_of(task, "framework_id"),
                                 state_text(text_of(task, "state")));
        return Error(ErrorCode::invalid_argument,
                     fmt::format("several frameworks have a task {}; choose one:{}", id, lines));
    }
    std::string near;
    for (const auto& name : nearest(id, ids, 5)) near += "\n  " + name;
    return Error(
        ErrorCode::not_found,
        fmt::format("no task {}{}{}{}", id, framework.empty() ? "" : " of framework " + framework,
                    near.empty() ? "; fairctl tasks --all lists them" : "; near:", near));
}

// Only when there is no such task are all of them asked for, to tell what is near.
async::awaitable<base::Result<json::value>> find_task(Cluster cluster, std::string id,
                                                      std::string framework) {
    auto document = co_await cluster.get("/tasks?limit=-1&task_id=" + http::percent_encode(id));
    if (document && list_of(*document, "tasks").empty())
        document = co_await cluster.get("/tasks?limit=-1");
    if (!document) co_return document.error();
    co_return pick(list_of(*document, "tasks"), id, framework);
}

// The agent of a task, as /slaves has it.
async::awaitable<base::Result<json::value>> agent_of(Cluster cluster, std::string agent_id) {
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return agents.error();
    for (const auto& agent : list_of(*agents, "slaves"))
        if (text_of(agent, "id") == agent_id) co_return agent;
    co_return Error(ErrorCode::unavailable,
                    "the task's agent " + agent_id + " is not registered now");
}

Error not_read(const json::value& agent, const Error& error) {
    if (error.code() == ErrorCode::not_found) return error;
    return error.in(fmt::format("cannot read from the agent on {} ({})", text_of(agent, "hostname"),
                                address_of(agent)));
}

}  // namespace

async::awaitable<int> kill_task(Cluster cluster, std::string task, std::string framework) {
    auto found = co_await find_task(cluster, task, framework);
    if (!found) co_return complain(found.error());
    if (const auto state = text_of(*found, "state"); is_over(state))
        co_return complain(Error(ErrorCode::not_found,
                                 fmt::format("task {} has ended: {}", task, state_text(state))));
    const auto call = json::object{
        {"type", "KILL_TASK"},
        {"kill_task",
         json::object{{"framework_id", json::object{{"value", text_of(*found, "framework_id")}}},
                      {"task_id", json::object{{"value", task}}}}}};
    auto answer = co_await cluster.operate(json::serialize(call));
    if (!answer) co_return complain(answer.error());
    fmt::print("Asked for the end of {}.\n", task);
    co_return success;
}

async::awaitable<int> show_log(Cluster cluster, LogChoice choice) {
    auto task = co_await find_task(cluster, choice.task, choice.framework);
    if (!task) co_return complain(task.error());
    auto agent = co_await agent_of(cluster, text_of(*task, "slave_id"));
    if (!agent) co_return complain(agent.error());
    const auto framework = text_of(*task, "framework_id");
    auto file = OutputFile::open(cluster.strand(), address_of(*agent), framework, choice.task,
                                 choice.from_stderr ? "stderr" : "stdout");
    if (!file) co_return complain(file.error());
    bool over = is_over(text_of(*task, "state"));
    for (;;) {
        auto text = co_await file->next();
        if (!text) co_return complain(not_read(*agent, text.error()));
        std::fwrite(text->data(), 1, text->size(), stdout);
        if (!text->empty()) continue;
        std::fflush(stdout);
        if (!choice.follow || over) co_return success;
        co_await async::sleep_for(follow_pause);
        // Asked before the last look at the file, so that what a task says at its end is shown.
        auto again = co_await find_task(cluster, choice.task, framework);
        over = !again || is_over(text_of(*again, "state"));
    }
}

}  // namespace fairlead::cli
