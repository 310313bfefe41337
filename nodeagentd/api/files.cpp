#include "nodeagentd/api/files.hpp"

#include "common/base/id.hpp"
#include "common/wire/json_scalars.hpp"

#include <charconv>
#include <fstream>
#include <optional>

namespace fairlead::nodeagentd::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
namespace fs = std::filesystem;

constexpr std::size_t part_bytes_max = 64 * 1024;

// The newest of a task's sandboxes: a task id may come again after its end.
std::optional<fs::path> newest_folder(const fs::path& parent) {
    std::optional<fs::path> newest;
    fs::file_time_type newest_time{};
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent, error)) {
        const auto time = fs::last_write_time(entry.path(), error);
        if (error || (newest && time <= newest_time)) continue;
        newest = entry.path();
        newest_time = time;
    }
    return newest;
}

// How many bytes at the end begin a character that the part does not have whole.
std::size_t cut_character_bytes(std::string_view data) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, data.size()); ++back) {
        const auto byte = static_cast<unsigned char>(data[data.size() - back]);
        if ((byte & 0xc0) == 0x80) continue;
        const std::size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        return whole > back ? back : 0;
    }
    return 0;
}

bool is_below(const fs::path& path, const fs::path& folder) {
    const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return end == folder.end() && rest != path.end();
}

std::int64_t number_of(const http::Request& request, std::string_view name, std::int64_t otherwise) {
    const auto text = request.query.get(name);
    std::int64_t value = otherwise;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

http::Response answer(const Files& files, const http::Request& request) {
    const auto path = request.query.get("path");
    if (!path) return http::text_response(400, "Expecting 'path=value' in query");
    const auto length = number_of(request, "length", part_bytes_max);
    if (length < 0) return http::text_response(400, "Negative length provided");
    const auto part = files.read(std::string(*path), number_of(request, "offset", 0), static_cast<std::size_t>(length));
    if (!part)
        return http::text_response(part.error().code() == ErrorCode::not_found ? 404 : 400, part.error().message());
    std::string body = "{\"data\":";
    wire::append_json_text(part->data, body);
    body += ",\"offset\":" + std::to_string(part->offset) + "}";
    return http::json_response(200, std::move(body));
}

}  // namespace

Result<fs::path> Files::resolve(const std::string& path) const {
    constexpr std::string_view tasks = "/tasks/";
    fs::path named = path;
    if (path.starts_with(tasks)) {
        const auto framework_end = path.find('/', tasks.size());
        const auto task_end = framework_end == std::string::npos ? framework_end : path.find('/', framework_end + 1);
        if (task_end == std::string::npos)
            return Error(ErrorCode::invalid_argument, "expected /tasks/<framework>/<task>/<file>");
        const std::string framework = path.substr(tasks.size(), framework_end - tasks.size());
        const std::string task = path.substr(framework_end + 1, task_end - framework_end - 1);
        if (auto checked = base::check_id("framework id", framework); !checked) return checked.error();
        if (auto checked = base::check_id("task id", task); !checked) return checked.error();
        const auto sandbox = newest_folder(sandboxes_ / framework / task);
        if (!sandbox) return Error(ErrorCode::not_found, "no sandbox of task " + task);
        named = *sandbox / path.substr(task_end + 1);
    }
    std::error_code error;
    const fs::path real = fs::weakly_canonical(named, error);
    if (error || !is_below(real, fs::weakly_canonical(sandboxes_, error)))
        return Error(ErrorCode::invalid_argument, path + " is not in a sandbox");
    if (!fs::is_regular_file(real, error)) return Error(ErrorCode::not_found, "no such file: " + path);
    return real;
}

Result<FilePart> Files::read(const std::string& path, std::int64_t offset, std::size_t length) const {
    if (offset < -1) return Error(ErrorCode::invalid_argument, "negative offset");
    auto file = resolve(path);
    if (!file) return file.error();
    std::ifstream stream(*file, std::ios::binary | std::ios::ate);
    if (!stream) return Error(ErrorCode::not_found, "cannot be read: " + path);
    const auto size = static_cast<std::int64_t>(stream.tellg());
    if (offset == -1) return FilePart{"", size};
    FilePart part{"", offset};
    if (offset >= size) return part;
    const auto asked = std::min(length, part_bytes_max);
    part.data.resize(std::min<std::size_t>(asked, static_cast<std::size_t>(size - offset)));
    stream.seekg(offset);
    stream.read(part.data.data(), static_cast<std::streamsize>(part.data.size()));
    part.data.resize(static_cast<std::size_t>(stream.gcount()));
    const auto cut = cut_character_bytes(part.data);
    if (cut < part.data.size()) part.data.resize(part.data.size() - cut);
    return part;
}

void add_file_routes(http::Router& router, const Files& files) {
    router.add("/files/read", [&files](http::Request request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(answer(files, request));
        co_return;
    });
}

}  // namespace fairlead::nodeagentd::api
