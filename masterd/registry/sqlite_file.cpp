#include "masterd/registry/sqlite_file.hpp"

#include "common/base/uuid.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <utility>

namespace fairlead::masterd::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

// SQLite's own place for "whose file is this": the letters FLRG.
constexpr int application_id = 0x464c5247;
constexpr int schema_version = 3;
constexpr off_t database_bytes_min = 100;  // SQLite's header; what is shorter it takes for a database that is to be

Error sqlite_error(sqlite3* database, std::string_view what) {
    const int code = sqlite3_errcode(database) & 0xff;
    const bool is_damage = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return Error(is_damage ? ErrorCode::malformed : ErrorCode::io, fmt::format("{}: {}", what, sqlite3_errmsg(database)));
}

Status execute(sqlite3* database, const std::string& sql) {
    if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return sqlite_error(database, "registry");
    return {};
}

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Result<Statement> prepare(sqlite3* database, const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK)
        return sqlite_error(database, "registry");
    return Statement(raw);
}

std::string text_at(const Statement& row, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row.get(), column));
    return text == nullptr ? std::string()
                           : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row.get(), column)));
}

void bind_text(const Statement& statement, int place, const std::string& text) {
    sqlite3_bind_text(statement.get(), place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

// Calls `take` with each row.
template <typename Take>
Status for_each_row(sqlite3* database, const std::string& sql, Take take) {
    auto rows = prepare(database, sql);
    if (!rows) return rows.error();
    for (;;) {
        switch (sqlite3_step(rows->get())) {
            case SQLITE_ROW: take(*rows); break;
            case SQLITE_DONE: return {};
            default: return sqlite_error(database, "registry");
        }
    }
}

// The first column of the first row, as text; nothing where there is no row.
Result<std::optional<std::string>> query_text(sqlite3* database, const std::string& sql) {
    std::optional<std::string> text;
    auto done = for_each_row(database, sql, [&](const Statement& row) {
        if (!text) text = text_at(row, 0);
    });
    if (!done) return done.error();
    return text;
}

Result<int> query_number(sqlite3* database, const std::string& sql) {
    auto text = query_text(database, sql);
    if (!text) return text.error();
    return text->has_value() ? std::stoi(**text) : 0;
}

// Nothing where no epoch was begun yet. Somebody may have put there what is none, and counting on from that would begin
// epochs that were before.
Result<std::uint64_t> newest_epoch_in(sqlite3* database) {
    const auto text = query_text(database, "SELECT value FROM facts WHERE name = 'epoch'");
    if (!text) return text.error();
    if (!*text) return std::uint64_t{0};
    const char* const end = (*text)->data() + (*text)->size();
    std::uint64_t epoch = 0;
    const auto [last, failure] = std::from_chars((*text)->data(), end, epoch);
    // SQLite counts with a sign.
    if (failure != std::errc() || last != end || epoch >= std::numeric_limits<std::int64_t>::max())
        return Error(ErrorCode::malformed, fmt::format("registry: '{:.40}' cannot be the number of an epoch", **text));
    return epoch;
}

std::string draw_cluster_id() {
    std::random_device device;
    base::Prng prng((static_cast<std::uint64_t>(device()) << 32) | device());
    return base::Uuid::draw(prng).text();
}

// Of an empty file or of an earlier layout makes the newest.
Status bring_up_to_date(sqlite3* database) {
    return execute(
        database,
        fmt::format("BEGIN IMMEDIATE;"
                    "PRAGMA application_id = {};"
                    "PRAGMA user_version = {};"
                    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;"
                    "CREATE TABLE IF NOT EXISTS agents (id TEXT PRIMARY KEY, standing TEXT NOT NULL,"
                    " since_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
                    "CREATE TABLE IF NOT EXISTS ended_frameworks (number INTEGER PRIMARY KEY,"
                    " id TEXT NOT NULL UNIQUE) STRICT;"
                    "CREATE TABLE IF NOT EXISTS roles (name TEXT PRIMARY KEY, weight REAL NOT NULL)"
                    " STRICT, WITHOUT ROWID;"
                    "CREATE TABLE IF NOT EXISTS role_amounts (role TEXT NOT NULL REFERENCES roles, kind TEXT NOT NULL,"
                    " resource TEXT NOT NULL, thousandths INTEGER NOT NULL, PRIMARY KEY (role, kind, resource))"
                    " STRICT, WITHOUT ROWID;"
                    "COMMIT;",
                    application_id, schema_version));
}

enum class Found { file, nothing };

// Decides whose file this is before anything is written to it.
Status check_or_create(sqlite3* database, const std::string& file, Found found) {
    auto owner = query_number(database, "PRAGMA application_id");
    if (!owner) return owner.error().in(file);
    auto version = query_number(database, "PRAGMA user_version");
    if (!version) return version.error().in(file);
    auto tables = query_number(database, "SELECT count(*) FROM sqlite_schema");
    if (!tables) return tables.error().in(file);

    if (found == Found::nothing && *owner == 0 && *tables == 0) return bring_up_to_date(database);
    if (*owner != application_id)
        return Error(ErrorCode::invalid_config, file + " is a database, but not a Fairlead registry");
    if (*version > schema_version)
        return Error(ErrorCode::invalid_config,
                     fmt::format("{} was written by a newer Fairlead (layout {}, this one knows {})", file,
                                 *version, schema_version));
    auto damage = query_text(database, "PRAGMA quick_check(1)");
    if (!damage) return damage.error().in(file);
    if (*damage != "ok") {
        std::string what = damage->value_or("");
        std::replace(what.begin(), what.end(), '\n', ' ');
        return Error(ErrorCode::malformed, file + " is damaged: " + what);
    }
    // SQLite reads what is missing of a last page as zeros.
    auto whole = query_text(database, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    if (!whole) return whole.error().in(file);
    std::error_code ignored;
    if (std::filesystem::file_size(file, ignored) < std::stoull(whole->value_or("0")))
        return Error(ErrorCode::malformed, fmt::format("{} is cut off: it has less than the {} bytes that it speaks of", file,
                                                       whole->value_or("0")));
    if (*version < schema_version) return bring_up_to_date(database);
    return {};
}

using Standing = core::AgentRecord::Standing;
constexpr std::pair<Standing, const char*> standing_names[] = {
    {Standing::admitted, "admitted"}, {Standing::unreachable, "unreachable"}, {Standing::removed, "removed"},
    {Standing::gone, "gone"}};

std::string name_of(Standing standing) {
    for (const auto& [known, name] : standing_names)
        if (known == standing) return name;
    std::abort();
}

std::optional<Standing> standing_of(const std::string& text) {
    for (const auto& [known, name] : standing_names)
        if (text == name) return known;
    return std::nullopt;
}

Status run(sqlite3* database, const Statement& statement) {
    if (sqlite3_step(statement.get()) != SQLITE_DONE) return sqlite_error(database, "registry");
    return {};
}

// Statements with one text.
Status run_with(sqlite3* database, const std::string& sql, const std::string& text) {
    auto statement = prepare(database, sql);
    if (!statement) return statement.error();
    bind_text(*statement, 1, text);
    return run(database, *statement);
}

Status write_one(sqlite3* database, const core::PersistAgent& change) {
    auto statement = prepare(database,
                             "INSERT INTO agents VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET "
                             "standing = excluded.standing, since_ns = excluded.since_ns");
    if (!statement) return statement.error();
    bind_text(*statement, 1, change.record.id.value());
    bind_text(*statement, 2, name_of(change.record.standing));
    sqlite3_bind_int64(statement->get(), 3, change.record.since.time_since_epoch().count());
    return run(database, *statement);
}

Status write_one(sqlite3* database, const core::ForgetAgent& change) {
    return run_with(database, "DELETE FROM agents WHERE id = ?1", change.id.value());
}

Status write_one(sqlite3* database, const core::PersistEndedFramework& change) {
    return run_with(database, "INSERT OR IGNORE INTO ended_frameworks (id) VALUES (?1)", change.id.value());
}

Status write_one(sqlite3* database, const core::ForgetEndedFramework& change) {
    return run_with(database, "DELETE FROM ended_frameworks WHERE id = ?1", change.id.value());
}

Status write_amount(sqlite3* database, const base::Role& role, const char* kind, std::string_view resource,
                    resources::Milli amount) {
    auto statement = prepare(database, "INSERT INTO role_amounts VALUES (?1, ?2, ?3, ?4)");
    if (!statement) return statement.error();
    bind_text(*statement, 1, role.value());
    bind_text(*statement, 2, kind);
    bind_text(*statement, 3, std::string(resource));
    sqlite3_bind_int64(statement->get(), 4, amount.thousandths());
    return run(database, *statement);
}

Status write_one(sqlite3* database, const core::PersistRoleOrders& change) {
    const std::string& role = change.role.value();
    if (auto gone = run_with(database, "DELETE FROM role_amounts WHERE role = ?1", role); !gone) return gone;
    if (auto gone = run_with(database, "DELETE FROM roles WHERE name = ?1", role); !gone) return gone;
    if (change.orders.are_default()) return {};
    auto statement = prepare(database, "INSERT INTO roles VALUES (?1, ?2)");
    if (!statement) return statement.error();
    bind_text(*statement, 1, role);
    sqlite3_bind_double(statement->get(), 2, change.orders.weight);
    Status written = run(database, *statement);
    const auto write_as = [&](const char* kind) {
        return [&, kind](std::string_view resource, resources::Milli amount) {
            if (written) written = write_amount(database, change.role, kind, resource, amount);
        };
    };
    change.orders.guarantee.for_each(write_as("guarantee"));
    change.orders.limit.for_each(write_as("limit"));
    return written;
}

Status read_role_orders(sqlite3* database, core::OrdersByRole& orders) {
    auto roles = for_each_row(database, "SELECT name, weight FROM roles", [&](const Statement& row) {
        orders[base::Role(text_at(row, 0))].weight = sqlite3_column_double(row.get(), 1);
    });
    if (!roles) return roles.error();
    return for_each_row(
        database, "SELECT role, kind, resource, thousandths FROM role_amounts", [&](const Statement& row) {
            core::RoleOrders& of_role = orders[base::Role(text_at(row, 0))];
            const resources::Milli amount(sqlite3_column_int64(row.get(), 3));
            if (text_at(row, 1) == "guarantee")
                of_role.guarantee.add(text_at(row, 2), amount);
            else
                of_role.limit.set(text_at(row, 2), amount);
        });
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

// A master that is not root has to write what root has made.
Status give_to_owner_of_folder(const std::filesystem::path& file) {
    struct stat folder{};
    if (::geteuid() != 0) return {};
    if (::stat(folder_of(file).c_str(), &folder) != 0 || ::chown(file.c_str(), folder.st_uid, folder.st_gid) != 0)
        return base::errno_error("cannot give away " + file.string(), errno);
    return {};
}

Status sync_folder(const std::filesystem::path& file) {
    const int folder = ::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || ::fsync(folder) != 0) {
        auto error = base::errno_error("cannot sync the folder of " + file.string(), errno);
        if (folder >= 0) ::close(folder);
        return error;
    }
    ::close(folder);
    return {};
}

Status write_all(sqlite3* database, const std::vector<core::Persist>& changes) {
    for (const core::Persist& change : changes) {
        const Status written = std::visit([&](const auto& one) { return write_one(database, one); }, change);
        if (!written) return written;
    }
    return {};
}

}  // namespace

void SqliteFile::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

// An empty file was one of ours that something has cut off, or nobody's: a new cluster is not begun in its place.
Result<SqliteFile> SqliteFile::open(const std::filesystem::path& file) {
    struct stat there{};
    const bool is_new = ::stat(file.c_str(), &there) != 0 && errno == ENOENT;
    if (is_new) {
        if (auto made = make_from(file, std::nullopt); !made) return made.error();
    } else if (there.st_size < database_bytes_min && S_ISREG(there.st_mode)) {
        return Error(ErrorCode::malformed,
                     fmt::format("{} is empty or cut off ({} bytes): restore a copy, or remove it to begin a new cluster",
                                 file.string(), there.st_size));
    }
    auto opened = open(file, SQLITE_OPEN_READWRITE);
    if (is_new && opened) tell_of_new_registry(file.string(), opened->cluster_id());
    return opened;
}

Result<SqliteFile> SqliteFile::open(const std::filesystem::path& file, int flags) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
    Database database(raw);
    if (opened != SQLITE_OK) return sqlite_error(raw, "cannot open registry " + file.string());
    sqlite3_busy_timeout(raw, 5000);

    const Found found = flags & SQLITE_OPEN_CREATE ? Found::nothing : Found::file;
    if (auto checked = check_or_create(raw, file.string(), found); !checked) return checked.error();
    if (auto durable = execute(raw, "PRAGMA synchronous = FULL"); !durable) return durable.error();
    const auto name_cluster = execute(
        raw, fmt::format("INSERT OR IGNORE INTO facts VALUES ('cluster_id', '{}')", draw_cluster_id()));
    if (!name_cluster) return name_cluster.error().in(file.string());
    auto cluster_id = query_text(raw, "SELECT value FROM facts WHERE name = 'cluster_id'");
    if (!cluster_id) return cluster_id.error().in(file.string());
    if (const auto epoch = newest_epoch_in(raw); !epoch) return epoch.error().in(file.string());
    return SqliteFile(file, std::move(database), cluster_id->value());
}

Result<std::uint64_t> SqliteFile::begin_epoch() {
    sqlite3* database = database_.get();
    if (auto begun = execute(database, "BEGIN IMMEDIATE"); !begun) return begun.error().in("cannot begin an epoch");
    auto epoch = newest_epoch_in(database);
    Status written = epoch ? Status() : Status(epoch.error());
    if (written)
        written = execute(database, fmt::format("INSERT OR REPLACE INTO facts VALUES ('epoch', {})", ++*epoch));
    if (written) written = execute(database, "COMMIT");
    if (written) return epoch;
    static_cast<void>(execute(database, "ROLLBACK"));
    return written.error().in("cannot begin an epoch");
}

Result<core::Inheritance> SqliteFile::read() const {
    core::Inheritance inheritance;
    std::string unknown;
    auto agents = for_each_row(
        database_.get(), "SELECT id, standing, since_ns FROM agents ORDER BY since_ns, id", [&](const Statement& row) {
            const auto standing = standing_of(text_at(row, 1));
            if (!standing) unknown = text_at(row, 1);
            inheritance.agents.push_back({base::AgentId(text_at(row, 0)), standing.value_or(Standing::admitted),
                                          base::WallTime(base::Duration(sqlite3_column_int64(row.get(), 2)))});
        });
    if (!agents) return agents.error().in("cannot read the agents");
    if (!unknown.empty())
        return Error(ErrorCode::malformed, "registry: an agent's standing is '" + unknown + "', which means nothing");
    auto frameworks = for_each_row(
        database_.get(), "SELECT id FROM ended_frameworks ORDER BY number",
        [&](const Statement& row) { inheritance.ended_frameworks.emplace_back(text_at(row, 0)); });
    if (!frameworks) return frameworks.error().in("cannot read the ended frameworks");
    if (auto orders = read_role_orders(database_.get(), inheritance.role_orders); !orders)
        return orders.error().in("cannot read what operators said of roles");
    return inheritance;
}

// Another process may have begun one, if somebody has started two masters on one file.
Status SqliteFile::check_epoch(std::uint64_t epoch) const {
    auto newest = newest_epoch();
    if (!newest) return newest.error();
    if (*newest == epoch) return {};
    return Error(ErrorCode::conflict, fmt::format("registry: epoch {} has begun, and this was decided under epoch {}", *newest,
                                                  epoch));
}

Status SqliteFile::write(std::uint64_t epoch, const std::vector<core::Persist>& changes) {
    if (auto begun = execute(database_.get(), "BEGIN IMMEDIATE"); !begun) return begun;
    Status written = check_epoch(epoch);
    if (written) written = write_all(database_.get(), changes);
    if (written) written = execute(database_.get(), "COMMIT");
    if (!written) static_cast<void>(execute(database_.get(), "ROLLBACK"));
    return written;
}

Result<std::uint64_t> SqliteFile::newest_epoch() const { return newest_epoch_in(database_.get()); }

Result<Contents> SqliteFile::copy_out() const {
    if (auto begun = execute(database_.get(), "BEGIN"); !begun) return begun.error();
    auto epoch = newest_epoch();
    auto inheritance = read();
    static_cast<void>(execute(database_.get(), "ROLLBACK"));
    if (!epoch) return epoch.error();
    if (!inheritance) return inheritance.error();
    return Contents{cluster_id_, *epoch, *std::move(inheritance)};
}

Status SqliteFile::fill(const Contents& contents) {
    sqlite3* database = database_.get();
    Status written = execute(database, "BEGIN IMMEDIATE");
    if (written) written = run_with(database, "UPDATE facts SET value = ?1 WHERE name = 'cluster_id'", contents.cluster_id);
    if (written) written = execute(database, fmt::format("INSERT INTO facts VALUES ('epoch', {})", contents.epoch));
    if (written) written = write_all(database, changes_to(contents.inheritance));
    if (written) written = execute(database, "COMMIT");
    return written;
}

// It gets its name when it is whole, so that no master ever starts on a part of it.
Status SqliteFile::make_from(const std::filesystem::path& file, const std::optional<Contents>& contents) {
    const auto exists = [&] { return Error(ErrorCode::already_exists, file.string() + " is there already"); };
    std::error_code error;
    if (std::filesystem::exists(file, error)) return exists();
    std::filesystem::path unfinished = file;
    unfinished += ".unfinished";
    std::filesystem::remove(unfinished, error);
    {
        auto made = open(unfinished, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        if (!made) return made.error();
        if (contents)
            if (auto filled = made->fill(*contents); !filled) return filled.error().in(unfinished.string());
    }
    if (auto given = give_to_owner_of_folder(unfinished); !given) return given;
    if (::renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) != 0)
        return errno == EEXIST ? exists() : base::errno_error("cannot give " + unfinished.string() + " its name", errno);
    return sync_folder(file);
}

}  // namespace fairlead::masterd::registry
