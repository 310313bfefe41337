#include "nodeagentd/core/uris.hpp"

#include <string_view>

namespace fairlead::nodeagentd::core {
namespace {

base::Error refusal(const std::string& uri, std::string_view why) {
    return base::Error(base::ErrorCode::invalid_argument, "cannot fetch '" + uri + "': " + std::string(why));
}

// "file:///x", "file://localhost/x" and "/x" are the file /x of this host.
base::Result<std::string> local_path(const std::string& uri) {
    constexpr std::string_view scheme = "file://", host = "localhost/";
    if (uri.empty()) return refusal(uri, "it is empty");
    if (uri.find('\0') != std::string::npos) return refusal(uri.substr(0, uri.find('\0')), "it holds a NUL character");
    std::string path = uri;
    if (path.starts_with(scheme)) {
        path.erase(0, scheme.size());
        if (path.starts_with(host)) path.erase(0, host.size() - 1);
        if (!path.starts_with('/')) return refusal(uri, "files of another host cannot be read");
    } else if (const auto colon = path.find("://"); colon != std::string::npos) {
        return refusal(uri, "scheme '" + path.substr(0, colon) + "' is not supported by this agent, only file:// is");
    } else if (!path.starts_with('/')) {
        return refusal(uri, "only file:// and absolute paths are supported");
    }
    return path;
}

bool leads_out(std::string_view name) {
    if (name.starts_with('/')) return true;
    while (!name.empty()) {
        const auto slash = name.find('/');
        if (name.substr(0, slash) == "..") return true;
        name.remove_prefix(slash == std::string_view::npos ? name.size() : slash + 1);
    }
    return false;
}

}  // namespace

base::Result<std::vector<Fetch>> plan_fetches(const v1::CommandInfo& command) {
    if (command.uris_size() > uris_per_task_max)
        return base::Error(base::ErrorCode::limit_exceeded,
                           "the task has " + std::to_string(command.uris_size()) + " uris, more than the " +
                               std::to_string(uris_per_task_max) + " that are allowed");
    std::vector<Fetch> fetches;
    for (const auto& uri : command.uris()) {
        auto source = local_path(uri.value());
        if (!source) return source.error();
        const std::string name =
            uri.output_file().empty() ? source->substr(source->rfind('/') + 1) : uri.output_file();
        if (name.find('\0') != std::string::npos) return refusal(uri.value(), "its output_file holds a NUL character");
        if (leads_out(name)) return refusal(uri.value(), "its output_file '" + name + "' leads out of the sandbox");
        if (name.empty() || name == "." || name.ends_with('/')) return refusal(uri.value(), "it names no file");
        fetches.push_back({std::move(*source), name, uri.executable(), uri.extract()});
    }
    return fetches;
}

}  // namespace fairlead::nodeagentd::core
