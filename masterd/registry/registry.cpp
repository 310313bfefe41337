#include "masterd/registry/registry.hpp"

#include "common/base/uuid.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <optional>
#include <random>

namespace fairlead::masterd::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

// SQLite's own place for "whose file is this": the letters FLRG.
constexpr int application_id = 0x464c5247;
constexpr int schema_version = 1;

Error sqlite_error(sqlite3* database, std::string_view what) {
    return Error(ErrorCode::io, fmt::format("{}: {}", what, sqlite3_errmsg(database)));
}

Status execute(sqlite3* database, const std::string& sql) {
    if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return sqlite_error(database, "registry");
    return {};
}

// The first column of the first row, as text; nothing where there is no row.
Result<std::optional<std::string>> query_text(sqlite3* database, const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK)
        return sqlite_error(database, "registry");
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(raw, sqlite3_finalize);
    switch (sqlite3_step(statement.get())) {
        case SQLITE_ROW:
            return std::optional<std::string>(
                reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));
        case SQLITE_DONE: return std::optional<std::string>();
        default: return sqlite_error(database, "registry");
    }
}

Result<int> query_number(sqlite3* database, const std::string& sql) {
    auto text = query_text(database, sql);
    if (!text) return text.error();
    return text->has_value() ? std::stoi(**text) : 0;
}

std::string draw_cluster_id() {
    std::random_device device;
    base::Prng prng((static_cast<std::uint64_t>(device()) << 32) | device());
    return base::Uuid::draw(prng).text();
}

Status create(sqlite3* database) {
    return execute(database, fmt::format("BEGIN IMMEDIATE;"
                                         "PRAGMA application_id = {};"
                                         "PRAGMA user_version = {};"
                                         "CREATE TABLE facts (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;"
                                         "COMMIT;",
                                         application_id, schema_version));
}

// Decides whose file this is before anything is written to it.
Status check_or_create(sqlite3* database, const std::string& file) {
    auto owner = query_number(database, "PRAGMA application_id");
    if (!owner) return owner.error().in(file);
    auto version = query_number(database, "PRAGMA user_version");
    if (!version) return version.error().in(file);
    auto tables = query_number(database, "SELECT count(*) FROM sqlite_schema");
    if (!tables) return tables.error().in(file);

    if (*owner == 0 && *tables == 0) return create(database);
    if (*owner != application_id)
        return Error(ErrorCode::invalid_config, file + " is a database, but not a Fairlead registry");
    if (*version > schema_version)
        return Error(ErrorCode::invalid_config,
                     fmt::format("{} was written by a newer Fairlead (layout {}, this one knows {})", file,
                                 *version, schema_version));
    return {};
}

}  // namespace

void Registry::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Registry> Registry::open(const std::filesystem::path& file) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    Database database(raw);
    if (opened != SQLITE_OK) return sqlite_error(raw, "cannot open registry " + file.string());
    sqlite3_busy_timeout(raw, 5000);

    if (auto checked = check_or_create(raw, file.string()); !checked) return checked.error();
    if (auto durable = execute(raw, "PRAGMA synchronous = FULL"); !durable) return durable.error();
    const auto name_cluster = execute(
        raw, fmt::format("INSERT OR IGNORE INTO facts VALUES ('cluster_id', '{}')", draw_cluster_id()));
    if (!name_cluster) return name_cluster.error().in(file.string());
    auto cluster_id = query_text(raw, "SELECT value FROM facts WHERE name = 'cluster_id'");
    if (!cluster_id) return cluster_id.error().in(file.string());
    return Registry(std::move(database), cluster_id->value());
}

Result<std::uint64_t> Registry::begin_epoch() {
    auto epoch = query_text(database_.get(),
                            "INSERT INTO facts VALUES ('epoch', 1) "
                            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value");
    if (!epoch) return epoch.error().in("cannot begin an epoch");
    return std::stoull(epoch->value());
}

}  // namespace fairlead::masterd::registry
