#include "common/async/deadline.hpp"
#include "common/wire/json_text.hpp"
#include "nodeagentd/api/files.hpp"

#include <sys/stat.h>

#include <charconv>

namespace fairlead::nodeagentd::api {
namespace {

using base::ErrorCode;

constexpr std::size_t download_part_bytes = 256 * 1024;
constexpr std::size_t download_queue_bytes = 1024 * 1024;
constexpr std::chrono::milliseconds download_pause{20};

http::Response refusal(const base::Error& error) {
    switch (error.code()) {
        case ErrorCode::not_found: return http::text_response(404, error.message());
        case ErrorCode::permission_denied: return http::text_response(403, error.message());
        case ErrorCode::invalid_argument: return http::text_response(400, error.message());
        default: return http::text_response(500, error.message());
    }
}

std::optional<std::int64_t> number_of(const http::Request& request, std::string_view name, std::int64_t otherwise) {
    const auto text = request.query.get(name);
    if (!text || text->empty()) return otherwise;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return value;
}

http::Response read(const Files& files, const http::Request& request) {
    const auto path = request.query.get("path");
    if (!path) return http::text_response(400, "Expecting 'path=value' in query");
    const auto offset = number_of(request, "offset", 0), length = number_of(request, "length", 64 * 1024);
    if (!offset || !length) return http::text_response(400, "Expecting numbers for 'offset' and 'length'");
    // -1 for as much as there is, as some pagers send it.
    if (*length < -1) return http::text_response(400, "Negative length provided");
    const auto part = files.read(std::string(*path), *offset, static_cast<std::size_t>(*length));
    if (!part) return refusal(part.error());
    wire::JsonText json;
    json.object().key("data").text(part->data).key("offset").count(static_cast<std::uint64_t>(part->offset));
    return http::json_response(200, json.end_object().take());
}

// "drwxr-x---", as ls shows it and Mesos' pages expect it.
std::string mode_text(unsigned mode) {
    const char kind = S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISREG(mode) ? '-' : S_ISFIFO(mode) ? 'p' : 's';
    std::string text(1, kind);
    for (int shift = 6; shift >= 0; shift -= 3) {
        const unsigned bits = mode >> shift;
        text += bits & 4 ? 'r' : '-';
        text += bits & 2 ? 'w' : '-';
        text += bits & 1 ? 'x' : '-';
    }
    return text;
}

http::Response browse(const Files& files, const http::Request& request) {
    const auto path = request.query.get("path");
    if (!path) return http::text_response(400, "Expecting 'path=value' in query");
    const auto entries = files.list(std::string(*path));
    if (!entries) return refusal(entries.error());
    wire::JsonText json;
    json.array();
    for (const auto& entry : *entries) {
        json.object().key("path").text(entry.path()).key("nlink").count(static_cast<std::uint64_t>(entry.nlink()));
        json.key("size").count(entry.size());
        json.key("mtime").number(static_cast<double>(entry.mtime().nanoseconds() / 1'000'000'000));
        json.key("mode").text(mode_text(entry.mode())).key("uid").text(entry.uid()).key("gid").text(entry.gid());
        json.end_object();
    }
    return http::json_response(200, json.end_array().take());
}

// Part by part, not faster than the client takes it: logs may be larger than memory.
async::awaitable<void> download(const Files& files, http::Request request, http::Responder responder) {
    const auto path = request.query.get("path");
    if (!path) co_return responder.respond(http::text_response(400, "Expecting 'path=value' in query"));
    const std::string name(path->substr(path->rfind('/') + 1));
    const auto file = files.open(std::string(*path));
    if (!file) co_return responder.respond(refusal(file.error()));
    http::Headers headers;
    headers.set("Content-Type", "application/octet-stream");
    headers.set("Content-Disposition", "attachment; filename*=UTF-8''" + http::percent_encode(name));
    auto stream = responder.open_stream(std::move(headers), [](http::StreamEnd) {});
    for (std::int64_t offset = 0; offset < file->size();) {
        const auto left = static_cast<std::size_t>(file->size() - offset);
        auto part = file->read(offset, std::min(left, download_part_bytes));
        if (!part) co_return stream.abort();
        if (part->empty()) break;  // it has become shorter
        offset += static_cast<std::int64_t>(part->size());
        if (!stream.post(std::move(*part))) co_return;
        while (stream.is_open() && stream.queued_bytes() > download_queue_bytes)
            co_await async::sleep_for(download_pause);
    }
    stream.close();
}

}  // namespace

void add_file_routes(http::Router& router, const Files& files, const DiskWork& disk) {
    const auto add = [&](const char* path, http::Handler work) { router.add(path, disk.handler(std::move(work))); };
    add("/files/read", [&files](http::Request request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(read(files, request));
        co_return;
    });
    add("/files/browse", [&files](http::Request request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(browse(files, request));
        co_return;
    });
    add("/files/download", [&files](http::Request request, http::Responder responder) {
        return download(files, std::move(request), std::move(responder));
    });
}

}  // namespace fairlead::nodeagentd::api
