#include "cli/cluster.hpp"

#include "common/wire/media.hpp"
#include "fairlead/v1/agent.pb.h"

#include <fmt/format.h>

namespace fairlead::cli {

using base::Error;
using base::ErrorCode;

namespace {

constexpr auto answer_deadline = std::chrono::seconds(10);

std::string trimmed(std::string text) {
    const auto from = text.find_first_not_of(" \t\r");
    if (from == std::string::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

base::Result<boost::json::value> parse_document(const std::string& body) {
    boost::system::error_code error;
    auto document = boost::json::parse(body, error);
    if (error) return Error(ErrorCode::malformed, "the answer is not JSON: " + error.message());
    return document;
}

}  // namespace

int exit_status_of(const Error& error) {
    switch (error.code()) {
        case ErrorCode::invalid_argument:
        case ErrorCode::invalid_config:
            return usage;
        case ErrorCode::not_found:
            return not_found;
        case ErrorCode::permission_denied:
        case ErrorCode::limit_exceeded:
            return refused;
        default:
            return unreachable;
    }
}

async::awaitable<base::Result<http::Response>> Cluster::ask(http::ClientRequest request) {
    std::string tried;
    for (const auto& address : masters_.addresses) {
        http::Client master(strand_, *http::parse_url(address, 5050));
        auto answer = co_await master.request(request, answer_deadline);
        if (!answer) {
            tried += (tried.empty() ? "" : "; ") + address + ": " + answer.error().message();
            continue;
        }
        if (answer->status / 100 == 2) co_return std::move(*answer);
        const auto code = answer->status == 404 ? ErrorCode::not_found
                          : answer->status == 401 || answer->status == 403
                              ? ErrorCode::permission_denied
                          : answer->status / 100 == 4 ? ErrorCode::invalid_argument
                                                      : ErrorCode::unavailable;
        auto text = trimmed(answer->body.substr(0, answer->body.find('\n')));
        if (text.empty()) text = std::string(http::reason_phrase(answer->status));
        Error error(code, fmt::format("{} answered {} {}", address, answer->status, text));
        if (answer->status / 100 != 5) co_return error;
        tried += (tried.empty() ? "" : "; ") + error.message();
    }
    co_return Error(ErrorCode::unavailable,
                    fmt::format("cannot reach a master (from {}): {}", masters_.source, tried));
}

async::awaitable<base::Result<boost::json::value>> Cluster::get(std::string target) {
    http::ClientRequest request;
    request.target = std::move(target);
    request.headers.set("Accept", "application/json");
    auto answer = co_await ask(std::move(request));
    if (!answer) co_return answer.error();
    co_return parse_document(answer->body);
}

async::awaitable<base::Result<std::string>> Cluster::operate(std::string call) {
    http::ClientRequest request;
    request.method = "POST";
    request.target = "/api/v1";
    request.headers.set("Content-Type", "application/json");
    request.headers.set("Accept", "application/json");
    request.body = std::move(call);
    auto answer = co_await ask(std::move(request));
    if (!answer) co_return answer.error();
    co_return std::move(answer->body);
}

base::Result<OutputFile> OutputFile::open(async::Executor strand, const std::string& agent,
                                          const std::string& framework_id,
                                          const std::string& task_id, const std::string& name) {
    auto url = http::parse_url(agent, 5051);
    if (!url) return url.error().in("address of the agent");
    return OutputFile(http::Client(std::move(strand), *url),
                      "/tasks/" + framework_id + "/" + task_id + "/" + name);
}

// In protobuf, because a task may print any bytes and JSON's strings may not hold them all.
async::awaitable<base::Result<std::string>> OutputFile::next() {
    v1::agent::Call call;
    call.set_type(v1::agent::Call::READ_FILE);
    call.mutable_read_file()->set_path(path_);
    call.mutable_read_file()->set_offset(offset_);
    http::ClientRequest request;
    request.method = "POST";
    request.target = "/api/v1";
    const std::string type(wire::media_type(wire::ContentType::protobuf));
    request.headers.set("Content-Type", type);
    request.headers.set("Accept", type);
    request.body = call.SerializeAsString();
    auto answer = co_await agent_.request(std::move(request), answer_deadline);
    if (!answer) co_return answer.error();
    if (answer->status == 404)
        co_return Error(ErrorCode::not_found, "the agent has no file " + path_);
    if (answer->status != 200)
        co_return Error(ErrorCode::unavailable,
                        "the agent answered " + std::to_string(answer->status));
    v1::agent::Response response;
    if (!response.ParseFromString(answer->body) || !response.has_read_file())
        co_return Error(ErrorCode::malformed, "the agent's answer has no data");
    std::string text = std::move(*response.mutable_read_file()->mutable_data());
    offset_ += text.size();
    co_return text;
}

}  // namespace fairlead::cli
