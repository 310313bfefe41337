#include "common/zookeeper/paths.hpp"

#include <charconv>

namespace fairlead::zookeeper {

std::string join(std::string_view path, std::string_view name) {
    return std::string(path) + (path.ends_with('/') ? "" : "/") + std::string(name);
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::optional<std::int64_t> sequence_of(std::string_view name) {
    const auto underscore = name.rfind('_');
    if (underscore == std::string_view::npos || underscore + 1 == name.size()) return std::nullopt;
    const auto digits = name.substr(underscore + 1);
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

async::awaitable<base::Status> make_path(Session& session, std::string path, Acl acl) {
    for (std::size_t end = 1; end != std::string::npos;) {
        end = path.find('/', end + 1);
        const std::string part = path.substr(0, end);
        // Looked for first: whoever may not create above our path may still use it.
        const auto found = co_await session.exists(part);
        if (!found) co_return found.error();
        if (*found) continue;
        auto made = co_await session.create(part, "", {.acl = acl});
        if (!made && made.error().code() != base::ErrorCode::already_exists) co_return made.error();
    }
    co_return base::Status();
}

}  // namespace fairlead::zookeeper
