#include "common/zookeeper/session.hpp"

#include "common/async/deadline.hpp"
#include "common/zookeeper/connection.hpp"

#include <fmt/format.h>

namespace fairlead::zookeeper {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::chrono::seconds close_deadline{5};
constexpr std::size_t children_max = 200'000;

enum class Kind { read, change };

// What was wanted, for an error: "set /a/b".
struct What {
    Kind kind;
    std::string text;
};

Error error_of(int code, const What& what) {
    const auto with = [&](ErrorCode ours, std::string_view why) {
        return Error(ours, fmt::format("ZooKeeper: {}: {}", what.text, why));
    };
    const ErrorCode lost = what.kind == Kind::read ? ErrorCode::unavailable : ErrorCode::outcome_unknown;
    switch (code) {
        case ZNONODE: return with(ErrorCode::not_found, "there is no such znode");
        case ZNODEEXISTS: return with(ErrorCode::already_exists, "it exists");
        case ZBADVERSION: return with(ErrorCode::conflict, "somebody else has changed it");
        case ZNOTEMPTY: return with(ErrorCode::conflict, "it has children");
        case ZNOCHILDRENFOREPHEMERALS: return with(ErrorCode::invalid_argument, "an ephemeral znode has no children");
        case ZNOAUTH:
            return with(ErrorCode::permission_denied, "not permitted with our credentials");
        case ZINVALIDACL: return with(ErrorCode::permission_denied, "needs credentials that the server accepts");
        case ZAUTHFAILED: return with(ErrorCode::permission_denied, "the server refuses our credentials");
        case ZCLOSING: return with(ErrorCode::cancelled, "the session is closed");
        case ZSESSIONEXPIRED: return with(lost, "the session has expired");
        case ZCONNECTIONLOSS:
        case ZOPERATIONTIMEOUT:
        case ZSESSIONMOVED: return with(lost, "the connection was lost");
        case ZTHROTTLEDOP:
        case ZNOTREADONLY: return with(ErrorCode::unavailable, zerror(code));
        default: return with(ErrorCode::io, fmt::format("{} ({})", zerror(code), code));
    }
}

Stat stat_of(const struct ::Stat* stat) {
    if (stat == nullptr) return {};
    return {.created_zxid = stat->czxid,
            .modified_zxid = stat->mzxid,
            .version = stat->version,
            .children_version = stat->cversion,
            .ephemeral_owner = stat->ephemeralOwner,
            .data_bytes = stat->dataLength,
            .children = stat->numChildren};
}

const ACL_vector* acl_of(Acl acl) {
    static char world[] = "world", anyone[] = "anyone", auth[] = "auth", nobody[] = "";
    static ::ACL creator_and_world[] = {{ZOO_PERM_READ, {world, anyone}}, {ZOO_PERM_ALL, {auth, nobody}}};
    static const ACL_vector readable{2, creator_and_world};
    switch (acl) {
        case Acl::open: return &ZOO_OPEN_ACL_UNSAFE;
        case Acl::creator_all_world_read: return &readable;
        case Acl::creator_all: return &ZOO_CREATOR_ALL_ACL;
    }
    return &ZOO_CREATOR_ALL_ACL;
}

int mode_of(const CreateOptions& options) {
    if (options.lifetime == Lifetime::ephemeral)
        return options.naming == Naming::plain ? ZOO_EPHEMERAL : ZOO_EPHEMERAL_SEQUENTIAL;
    return options.naming == Naming::plain ? ZOO_PERSISTENT : ZOO_PERSISTENT_SEQUENTIAL;
}

base::Status check_bounds(const What& what, const std::string& path, std::size_t data_bytes) {
    if (path.find('\0') != std::string::npos)
        return Error(ErrorCode::invalid_argument, "ZooKeeper: a path cannot hold a zero byte");
    if (path.size() > path_bytes_max)
        return Error(ErrorCode::limit_exceeded, fmt::format("ZooKeeper: {:.80}...: more than {} bytes of path",
                                                            what.text, path_bytes_max));
    if (data_bytes > data_bytes_max)
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("ZooKeeper: {}: {} bytes are more than {}", what.text, data_bytes, data_bytes_max));
    return {};
}

int length_of(const std::string& data) { return static_cast<int>(data.size()); }

// The C client keeps pointers into it until the answer is there.
struct Multi {
    std::vector<Operation> operations;
    std::vector<zoo_op_t> ops;
    std::vector<zoo_op_result_t> results;
    std::vector<std::string> paths;
    std::vector<struct ::Stat> stats;

    explicit Multi(std::vector<Operation> wanted)
        : operations(std::move(wanted)),
          ops(operations.size()),
          results(operations.size()),
          paths(operations.size()),
          stats(operations.size()) {
        for (std::size_t i = 0; i < operations.size(); ++i) prepare(i);
    }

    void prepare(std::size_t i) {
        if (const auto* create = std::get_if<Create>(&operations[i])) {
            paths[i].resize(create->path.size() + 16);  // with the digits of a sequence and the zero at the end
            zoo_create_op_init(&ops[i], create->path.c_str(), create->data.data(), length_of(create->data),
                               acl_of(create->options.acl), mode_of(create->options), paths[i].data(),
                               static_cast<int>(paths[i].size()));
        } else if (const auto* set = std::get_if<Set>(&operations[i])) {
            zoo_set_op_init(&ops[i], set->path.c_str(), set->data.data(), length_of(set->data), set->version,
                            &stats[i]);
        } else if (const auto* remove = std::get_if<Remove>(&operations[i])) {
            zoo_delete_op_init(&ops[i], remove->path.c_str(), remove->version);
        } else if (const auto* check = std::get_if<Check>(&operations[i])) {
            zoo_check_op_init(&ops[i], check->path.c_str(), check->version);
        }
    }

    std::vector<Done> done() const {
        std::vector<Done> all(operations.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (std::holds_alternative<Create>(operations[i])) all[i].path = paths[i].c_str();
            if (std::holds_alternative<Set>(operations[i])) all[i].stat = stat_of(&stats[i]);
        }
        return all;
    }

    // Those that were fine by themselves have no code or this one.
    std::optional<std::size_t> refused() const {
        for (std::size_t i = 0; i < results.size(); ++i)
            if (results[i].err != ZOK && results[i].err != ZRUNTIMEINCONSISTENCY) return i;
        return std::nullopt;
    }
};

std::string_view verb_of(const Operation& operation) {
    constexpr std::string_view verbs[] = {"create", "set", "remove", "check"};
    return verbs[operation.index()];
}

const std::string& path_of(const Operation& operation) {
    return std::visit([](const auto& one) -> const std::string& { return one.path; }, operation);
}

std::size_t data_bytes_of(const Operation& operation) {
    if (const auto* create = std::get_if<Create>(&operation)) return create->data.size();
    if (const auto* set = std::get_if<Set>(&operation)) return set->data.size();
    return 0;
}

// Around path and data of one operation of several, and of each entry of its list of rights.
constexpr std::size_t operation_overhead_bytes = 100;

base::Status check_bounds(const std::vector<Operation>& operations) {
    std::size_t bytes = 0;
    for (const Operation& operation : operations) {
        const What what{Kind::change, fmt::format("{} {}", verb_of(operation), path_of(operation))};
        if (auto fits = check_bounds(what, path_of(operation), data_bytes_of(operation)); !fits) return fits;
        bytes += path_of(operation).size() + data_bytes_of(operation) + operation_overhead_bytes;
    }
    if (operations.size() > multi_operations_max || bytes > data_bytes_max)
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("ZooKeeper: {} operations of {} bytes are too much for one step", operations.size(),
                                 bytes));
    return {};
}

// One operation from its start to its result. `make` turns an answer that is no error into the result; like `start` it
// holds nothing that needs a destructor, because g++ 12 calls that twice for a lambda written inside a co_await.
template <typename T, typename Connection, typename Make>
async::awaitable<Result<T>> ask(std::shared_ptr<Connection> connection, What what, typename Connection::Start start,
                                Make make, Watch watch = {}, bool missing_is_fine = false) {
    const async::Promise<Result<T>> promise(co_await async::asio::this_coro::executor);
    auto finish = [promise, what, make = std::move(make), missing_is_fine](const Answer& answer) {
        const bool fine = answer.code == ZOK || (answer.code == ZNONODE && missing_is_fine);
        promise.give(fine ? make(answer, what) : Result<T>(error_of(answer.code, what)));
    };
    const auto sent = connection->send(std::move(start), std::move(finish), std::move(watch), missing_is_fine);
    if (!sent) co_return sent.error().in("ZooKeeper: " + what.text);
    co_return co_await promise.wait();
}

}  // namespace

Session::Session(async::Executor executor, SessionOptions options, EventSink on_event)
    : connection_(std::make_shared<Connection>(std::move(executor), std::move(options), std::move(on_event))) {
    connection_->start();
}

Session::~Session() { connection_->abandon(); }

async::awaitable<void> Session::close() {
    const async::Promise<base::Status> closed(co_await async::asio::this_coro::executor);
    connection_->close(closed);
    co_await async::with_deadline(close_deadline, "closing the ZooKeeper session", closed.wait());
}

SessionState Session::state() const { return connection_->state(); }
std::optional<base::Instant> Session::alive_at() const { return connection_->alive_at(); }

async::awaitable<Result<std::string>> Session::create(std::string path, std::string data, CreateOptions options) {
    What what{Kind::change, "create " + path};
    if (auto fits = check_bounds(what, path, data.size()); !fits) co_return fits.error();
    co_return co_await ask<std::string>(
        connection_, std::move(what),
        [&](zhandle_t* handle, const void* pending, void*) {
            return zoo_acreate(handle, path.c_str(), data.data(), length_of(data), acl_of(options.acl),
                               mode_of(options), Connection::on_string, pending);
        },
        [](const Answer& answer, const What&) { return Result<std::string>(std::string(answer.value)); });
}

async::awaitable<Result<Node>> Session::get(std::string path, Watch watch) {
    What what{Kind::read, "get " + path};
    if (auto fits = check_bounds(what, path, 0); !fits) co_return fits.error();
    co_return co_await ask<Node>(
        connection_, std::move(what),
        [&path](zhandle_t* handle, const void* pending, void* watching) {
            return zoo_awget(handle, path.c_str(), watching ? Connection::on_watch : nullptr, watching,
                             Connection::on_data, pending);
        },
        [](const Answer& answer, const What&) {
            return Result<Node>(Node{std::string(answer.value), stat_of(answer.stat)});
        },
        std::move(watch));
}

async::awaitable<Result<Children>> Session::children(std::string path, Watch watch) {
    What what{Kind::read, "children of " + path};
    if (auto fits = check_bounds(what, path, 0); !fits) co_return fits.error();
    co_return co_await ask<Children>(
        connection_, std::move(what),
        [&path](zhandle_t* handle, const void* pending, void* watching) {
            return zoo_awget_children2(handle, path.c_str(), watching ? Connection::on_watch : nullptr, watching,
                                       Connection::on_names, pending);
        },
        [](const Answer& answer, const What& asked) -> Result<Children> {
            Children children{{}, stat_of(answer.stat)};
            const auto count = answer.names != nullptr ? static_cast<std::size_t>(answer.names->count) : 0;
            if (count > children_max)
                return Error(ErrorCode::limit_exceeded,
                             fmt::format("ZooKeeper: {}: {} are too many", asked.text, count));
            for (std::size_t i = 0; i < count; ++i) children.names.emplace_back(answer.names->data[i]);
            return children;
        },
        std::move(watch));
}

async::awaitable<Result<std::optional<Stat>>> Session::exists(std::string path, Watch watch) {
    What what{Kind::read, "look for " + path};
    if (auto fits = check_bounds(what, path, 0); !fits) co_return fits.error();
    co_return co_await ask<std::optional<Stat>>(
        connection_, std::move(what),
        [&path](zhandle_t* handle, const void* pending, void* watching) {
            return zoo_awexists(handle, path.c_str(), watching ? Connection::on_watch : nullptr, watching,
                                Connection::on_stat, pending);
        },
        [](const Answer& answer, const What&) {
            return Result<std::optional<Stat>>(answer.code == ZOK ? std::optional(stat_of(answer.stat)) : std::nullopt);
        },
        std::move(watch), true);
}

async::awaitable<Result<Stat>> Session::set(std::string path, std::string data, std::int32_t version) {
    What what{Kind::change, "set " + path};
    if (auto fits = check_bounds(what, path, data.size()); !fits) co_return fits.error();
    co_return co_await ask<Stat>(
        connection_, std::move(what),
        [&](zhandle_t* handle, const void* pending, void*) {
            return zoo_aset(handle, path.c_str(), data.data(), length_of(data), version, Connection::on_stat, pending);
        },
        [](const Answer& answer, const What&) { return Result<Stat>(stat_of(answer.stat)); });
}

async::awaitable<base::Status> Session::remove(std::string path, std::int32_t version) {
    What what{Kind::change, "remove " + path};
    if (auto fits = check_bounds(what, path, 0); !fits) co_return fits.error();
    co_return co_await ask<void>(
        connection_, std::move(what),
        [&](zhandle_t* handle, const void* pending, void*) {
            return zoo_adelete(handle, path.c_str(), version, Connection::on_void, pending);
        },
        [](const Answer&, const What&) { return base::Status(); });
}

async::awaitable<Result<std::vector<Done>>> Session::multi(std::vector<Operation> operations,
                                                          std::optional<std::size_t>* refused) {
    if (refused != nullptr) refused->reset();
    if (operations.empty()) co_return std::vector<Done>();
    if (auto fits = check_bounds(operations); !fits) co_return fits.error();
    const auto multi = std::make_shared<Multi>(std::move(operations));
    const What what{Kind::change, fmt::format("{} operations in one step", multi->operations.size())};
    struct Outcome {
        std::vector<Done> done;
        std::optional<Error> error;
        std::optional<std::size_t> refused;
    };
    const async::Promise<Outcome> promise(co_await async::asio::this_coro::executor);
    const auto sent = connection_->send(
        [&multi](zhandle_t* handle, const void* pending, void*) {
            return zoo_amulti(handle, static_cast<int>(multi->ops.size()), multi->ops.data(), multi->results.data(),
                              Connection::on_void, pending);
        },
        [promise, multi, what](const Answer& answer) {
            if (answer.code == ZOK) return promise.give({multi->done(), {}, {}});
            // Without an answer of the server the results are as we have made them.
            const auto index = answer.code <= ZAPIERROR && answer.code != ZCLOSING ? multi->refused() : std::nullopt;
            if (!index) return promise.give({{}, error_of(answer.code, what), {}});
            const Operation& operation = multi->operations[*index];
            const What part{Kind::change, fmt::format("{} {}", verb_of(operation), path_of(operation))};
            promise.give({{}, error_of(multi->results[*index].err, part), index});
        },
        {}, false, multi);
    if (!sent) co_return sent.error().in("ZooKeeper: " + what.text);
    Outcome outcome = co_await promise.wait();
    if (refused != nullptr) *refused = outcome.refused;
    if (outcome.error) co_return *outcome.error;
    co_return std::move(outcome.done);
}

}  // namespace fairlead::zookeeper
