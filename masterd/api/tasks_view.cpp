// /tasks: the tasks of all states and frameworks, newest first or last, page by page.

#include "masterd/api/page_parts.hpp"
#include "masterd/api/views.hpp"

#include <algorithm>

namespace fairlead::masterd::api {
namespace {

struct Found {
    const core::Task* task;
    const core::Framework* framework;
    double timestamp;  // seconds since 1970 of its newest status; 0: none yet
};

std::vector<Found> find(const core::State& state, const TaskQuery& query) {
    std::vector<Found> found;
    const auto collect = [&](const core::Framework& framework) {
        if (!query.framework_id.empty() && framework.id != query.framework_id) return;
        each_task(framework, [&](const core::Task& task) {
            if (!query.task_id.empty() && task.id != query.task_id) return;
            found.push_back({&task, &framework, task.last_status_time});
        });
    };
    each_framework(state, collect);
    for (const auto& framework : state.completed_frameworks) collect(*framework);
    return found;
}

}  // namespace

std::string render_tasks(const core::State& state, const TaskQuery& query) {
    std::vector<Found> found = find(state, query);
    // Equal times are told apart by id, so that pages neither repeat nor leave out a task.
    std::sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
        if (a.timestamp != b.timestamp) return (a.timestamp < b.timestamp) == query.ascending;
        if (a.task->id != b.task->id) return a.task->id.value() < b.task->id.value();
        return a.framework->id.value() < b.framework->id.value();
    });
    const auto first = std::min(static_cast<std::size_t>(std::max<std::int64_t>(query.offset, 0)), found.size());
    std::size_t count = found.size() - first;
    if (query.limit >= 0) count = std::min(count, static_cast<std::size_t>(query.limit));
    JsonText json;
    json.object().key("tasks").array();
    for (std::size_t i = first; i < first + count; ++i) write_task(json, *found[i].task, *found[i].framework);
    return json.end_array().end_object().take();
}

}  // namespace fairlead::masterd::api
