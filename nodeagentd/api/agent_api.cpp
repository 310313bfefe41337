#include "nodeagentd/api/agent_api.hpp"

#include "common/wire/media.hpp"
#include "nodeagentd/api/routes.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::api {
namespace {

using v1::agent::Call;
using v1::agent::Response;
using Fill = std::function<void(const core::State&, Response&)>;

constexpr std::size_t file_part_bytes = 64 * 1024;

http::Response refusal(int status, std::string why) { return http::text_response(status, std::move(why)); }

http::Response answer(wire::ContentType type, const Response& response) {
    http::Response out;
    out.headers.set("Content-Type", wire::media_type(type));
    out.body = wire::serialize(type, response);
    return out;
}

v1::Task task_of(const core::Container& container) {
    const auto& info = container.task();
    v1::Task task;
    task.set_name(info.name());
    *task.mutable_task_id() = info.task_id();
    *task.mutable_framework_id() = container.record.framework_id();
    *task.mutable_agent_id() = info.agent_id();
    task.set_state(container.record.has_latest_status() ? container.record.latest_status().state() : v1::TASK_STAGING);
    *task.mutable_resources() = info.resources();
    if (container.record.has_latest_status()) *task.add_statuses() = container.record.latest_status();
    if (info.has_labels()) *task.mutable_labels() = info.labels();
    if (info.has_discovery()) *task.mutable_discovery() = info.discovery();
    if (info.command().has_user()) task.set_user(info.command().user());
    *task.mutable_limits() = info.limits();
    return task;
}

// What is told of the state by each call that asks the core; null: another kind of call.
Fill fill_from_state(Call::Type type, const Sources& sources) {
    switch (type) {
        case Call::GET_HEALTH:
            return [](const core::State& state, Response& response) {
                response.set_type(Response::GET_HEALTH);
                response.mutable_get_health()->set_healthy(state.settled);
            };
        case Call::GET_METRICS:
            return [sources](const core::State& state, Response& response) {
                response.set_type(Response::GET_METRICS);
                const auto now = base::read_clocks().wall;
                for (const auto& [name, value] : metrics_of(state, sources.identity, now, sources.counters())) {
                    auto* metric = response.mutable_get_metrics()->add_metrics();
                    metric->set_name(name);
                    metric->set_value(value);
                }
            };
        case Call::GET_STATE:
            return [](const core::State& state, Response& response) {
                response.set_type(Response::GET_STATE);
                *response.mutable_get_state()->mutable_get_tasks() = tasks_of(state);
                *response.mutable_get_state()->mutable_get_executors() = executors_of(state);
                *response.mutable_get_state()->mutable_get_frameworks() = frameworks_of(state);
            };
        case Call::GET_TASKS:
            return [](const core::State& state, Response& response) {
                response.set_type(Response::GET_TASKS);
                *response.mutable_get_tasks() = tasks_of(state);
            };
        case Call::GET_FRAMEWORKS:
            return [](const core::State& state, Response& response) {
                response.set_type(Response::GET_FRAMEWORKS);
                *response.mutable_get_frameworks() = frameworks_of(state);
            };
        case Call::GET_EXECUTORS:
            return [](const core::State& state, Response& response) {
                response.set_type(Response::GET_EXECUTORS);
                *response.mutable_get_executors() = executors_of(state);
            };
        case Call::GET_AGENT:
            return [&identity = sources.identity](const core::State& state, Response& response) {
                response.set_type(Response::GET_AGENT);
                auto* info = response.mutable_get_agent()->mutable_agent_info();
                *info = identity.info;
                if (!state.agent_id.empty()) info->mutable_id()->set_value(state.agent_id.value());
            };
        case Call::GET_CONTAINERS:
            return [](const core::State& state, Response& response) {
                response.set_type(Response::GET_CONTAINERS);
                for (const auto& view : running_containers(state, "")) {
                    auto* container = response.mutable_get_containers()->add_containers();
                    container->mutable_framework_id()->set_value(view.framework_id);
                    container->mutable_executor_id()->set_value(view.task_id);
                    container->set_executor_name(view.name);
                    container->mutable_container_id()->set_value(view.container_id);
                    auto* status = container->mutable_container_status();
                    status->mutable_container_id()->set_value(view.container_id);
                    if (view.pid > 0) status->set_executor_pid(static_cast<std::uint32_t>(view.pid));
                }
            };
        default: return nullptr;
    }
}

http::Response file_answer(const base::Error& error) {
    using base::ErrorCode;
    const int status = error.code() == ErrorCode::not_found           ? 404
                       : error.code() == ErrorCode::permission_denied ? 403
                       : error.code() == ErrorCode::invalid_argument  ? 400
                                                                      : 500;
    return refusal(status, error.message());
}

http::Response list_files(const Files& files, const Call& call, wire::ContentType type) {
    if (!call.has_list_files()) return refusal(400, "Expecting 'list_files' to be present");
    const auto entries = files.list(call.list_files().path());
    if (!entries) return file_answer(entries.error());
    Response response;
    response.set_type(Response::LIST_FILES);
    for (const auto& entry : *entries) *response.mutable_list_files()->add_file_infos() = entry;
    return answer(type, response);
}

http::Response read_file(const Files& files, const Call& call, wire::ContentType type) {
    if (!call.has_read_file()) return refusal(400, "Expecting 'read_file' to be present");
    const auto file = files.open(call.read_file().path());
    if (!file) return file_answer(file.error());
    const auto length = call.read_file().has_length() ? call.read_file().length() : file_part_bytes;
    const auto offset = std::min(call.read_file().offset(), static_cast<std::uint64_t>(file->size()));
    const auto data = file->read(static_cast<std::int64_t>(offset), std::min(length, std::uint64_t{file_part_bytes}));
    if (!data) return file_answer(data.error());
    Response response;
    response.set_type(Response::READ_FILE);
    response.mutable_read_file()->set_size(static_cast<std::uint64_t>(file->size()));
    response.mutable_read_file()->set_data(*data);
    return answer(type, response);
}

async::awaitable<void> answer_about_files(const Files& files, Call call, wire::ContentType type, http::Responder asker) {
    asker.respond(call.type() == Call::LIST_FILES ? list_files(files, call, type) : read_file(files, call, type));
    co_return;
}

Response without_the_core(Call::Type type, const Identity& identity) {
    Response response;
    if (type == Call::GET_VERSION) {
        response.set_type(Response::GET_VERSION);
        response.mutable_get_version()->mutable_version_info()->set_version(identity.version);
        return response;
    }
    response.set_type(Response::GET_FLAGS);
    for (const auto& [name, value] : identity.flags) {
        auto* flag = response.mutable_get_flags()->add_flags();
        flag->set_name(name);
        flag->set_value(value);
    }
    return response;
}

async::awaitable<void> serve(Sources sources, http::Request request, http::Responder responder) {
    if (request.method != "POST") {
        auto response = refusal(405, "Expecting 'POST', received '" + request.method + "'");
        response.headers.set("Allow", "POST");
        co_return responder.respond(std::move(response));
    }
    const auto header = request.headers.get("Content-Type");
    if (!header) co_return responder.respond(refusal(400, "Expecting 'Content-Type' to be present"));
    const auto type = wire::content_type_of(*header);
    if (!type)
        co_return responder.respond(
            refusal(415, "Expecting 'Content-Type' of application/json or application/x-protobuf"));
    Call call;
    if (auto parsed = wire::parse(*type, request.body, call); !parsed)
        co_return responder.respond(
            refusal(400, "Failed to parse body into an agent call: " + parsed.error().message()));
    const auto accepted = wire::accepted_type(request.headers.joined("Accept"));
    if (!accepted)
        co_return responder.respond(
            refusal(406, "Expecting 'Accept' to allow application/json or application/x-protobuf"));

    switch (call.type()) {
        case Call::GET_VERSION:
        case Call::GET_FLAGS:
            co_return responder.respond(answer(*accepted, without_the_core(call.type(), sources.identity)));
        default: break;
    }
    if (call.type() == Call::LIST_FILES || call.type() == Call::READ_FILE) {
        http::Handler work = [&files = sources.files, call, accepted = *accepted](auto, http::Responder asker) {
            return answer_about_files(files, call, accepted, std::move(asker));
        };
        co_return co_await sources.disk.run(std::move(work), std::move(request), std::move(responder));
    }
    const Fill fill = fill_from_state(call.type(), sources);
    if (!fill) co_return responder.respond(refusal(501, "This call is not served by this agent"));
    auto shared = std::make_shared<http::Responder>(std::move(responder));
    const bool queued = sources.driver.look([shared, fill, accepted = *accepted](const core::State& state) {
        Response response;
        fill(state, response);
        shared->respond(answer(accepted, response));
    });
    if (!queued) shared->respond(refusal(503, "The agent has more to do than it can queue"));
}

}  // namespace

http::Handler agent_api(const Sources& sources) {
    return [sources](http::Request request, http::Responder responder) {
        return serve(sources, std::move(request), std::move(responder));
    };
}

v1::agent::Response::GetTasks tasks_of(const core::State& state) {
    using Record = internal::ContainerRecord;
    Response::GetTasks tasks;
    for (const auto& [id, container] : state.containers) {
        auto* list = container.phase() == Record::WAITING ? tasks.mutable_queued_tasks()
                     : container.phase() == Record::ENDED ? tasks.mutable_terminated_tasks()
                                                       : tasks.mutable_launched_tasks();
        *list->Add() = task_of(container);
    }
    return tasks;
}

v1::agent::Response::GetFrameworks frameworks_of(const core::State& state) {
    Response::GetFrameworks frameworks;
    for (const auto& [id, info] : state.frameworks) *frameworks.add_frameworks()->mutable_framework_info() = info;
    return frameworks;
}

v1::agent::Response::GetExecutors executors_of(const core::State& state) {
    Response::GetExecutors executors;
    for (const auto& [id, container] : state.containers) {
        if (!container.holds_resources()) continue;
        auto* info = executors.add_executors()->mutable_executor_info();
        info->mutable_executor_id()->set_value(container.task().task_id().value());
        *info->mutable_framework_id() = container.record.framework_id();
        info->set_name(container.task().name());
        info->set_source(container.task().task_id().value());
        *info->mutable_command() = container.task().command();
        *info->mutable_resources() = container.task().resources();
    }
    return executors;
}

}  // namespace fairlead::nodeagentd::api
