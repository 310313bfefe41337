#include "masterd/registry/import_registry.hpp"

#include "masterd/registry/sqlite_file.hpp"
#include "masterd/registry/zookeeper_registry.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <functional>

namespace fairlead::masterd::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

Result<ZookeeperRegistry::Options> options_for(const std::string& place,
                                               const std::optional<zookeeper::Credentials>& credentials) {
    auto url = zookeeper::parse_url(place);
    if (!url) return url.error();
    if (!url->credentials) url->credentials = credentials;
    ZookeeperRegistry::Options options;
    options.url = *std::move(url);
    return options;
}

// Runs what `begin` gives to its end, with a registry on a context of its own.
template <typename T, typename Begin>
T with_zookeeper(const ZookeeperRegistry::Options& options, Begin begin) {
    async::asio::io_context context;
    std::optional<T> outcome;
    {
        ZookeeperRegistry registry(context.get_executor(), options);
        async::asio::co_spawn(context, begin(registry), [&](std::exception_ptr bug, T given) {
            if (bug) std::rethrow_exception(bug);
            outcome.emplace(std::move(given));
            context.stop();
        });
        context.run();
    }
    return *std::move(outcome);
}

Result<Contents> read_from(const std::string& place, const std::optional<zookeeper::Credentials>& credentials) {
    if (!zookeeper::is_url(place)) {
        std::error_code ignored;
        // Opening one that is not there would make it.
        if (!std::filesystem::exists(place, ignored)) return Error(ErrorCode::not_found, "there is no file " + place);
        auto file = SqliteFile::open(place);
        if (!file) return file.error();
        return file->copy_out();
    }
    auto options = options_for(place, credentials);
    if (!options) return options.error();
    return with_zookeeper<Result<Contents>>(*options, [](ZookeeperRegistry& from) { return from.copy_out(); });
}

Status write_to(const std::string& place, const std::optional<zookeeper::Credentials>& credentials, const Contents& contents) {
    if (!zookeeper::is_url(place)) return SqliteFile::make_from(place, contents);
    auto options = options_for(place, credentials);
    if (!options) return options.error();
    return with_zookeeper<Status>(*options, [&](ZookeeperRegistry& to) { return to.make_from(contents); });
}

}  // namespace

Result<std::string> import_registry(const std::string& from, const std::string& to,
                                    const std::optional<zookeeper::Credentials>& credentials) {
    auto contents = read_from(from, credentials);
    if (!contents) return contents.error().in("nothing was imported: cannot read the registry");
    contents->epoch += epochs_skipped;
    if (auto written = write_to(to, credentials, *contents); !written)
        return written.error().in("nothing was imported: cannot make the registry");
    auto told = fmt::format("imported the registry of cluster {}: {} agents, orders about {} roles, {} ended frameworks; its"
                            " next leader begins epoch {}",
                            contents->cluster_id, contents->inheritance.agents.size(),
                            contents->inheritance.role_orders.size(), contents->inheritance.ended_frameworks.size(),
                            contents->epoch + 1);
    if (const auto url = zookeeper::parse_url(to); url && !url->credentials && !credentials)
        told += "; it has no credentials, so everybody who reaches ZooKeeper may change it";
    return told;
}

}  // namespace fairlead::masterd::registry
