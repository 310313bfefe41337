#include "common/zookeeper/connection.hpp"

#include <algorithm>
#include <thread>

namespace fairlead::zookeeper {
namespace {

constexpr std::chrono::seconds retry_opening{1};

// What the C client would write to standard error; what matters of it arrives as events and codes.
void drop_line(const char*) {}

// Codes that the server itself has given, and therefore was there to give.
bool from_server(int code) {
    return code == ZOK || (code <= ZAPIERROR && code != ZSESSIONEXPIRED && code != ZCLOSING && code != ZAUTHFAILED);
}

int milliseconds(base::Duration time) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

}  // namespace

struct Session::Connection::Watching {
    Watch call;
};

struct Session::Connection::Pending {
    Connection* connection;
    base::Instant sent_at;
    Finish finish;  // none: told already
    Watching* watching;
    bool watches_what_is_missing;
    std::shared_ptr<const void> kept;
};

Session::Connection::Connection(async::Executor executor, SessionOptions options, EventSink on_event)
    : options_(std::move(options)),
      executor_(std::move(executor)),
      on_event_(std::make_shared<const EventSink>(std::move(on_event))) {}

Session::Connection::~Connection() = default;

void Session::Connection::start() {
    std::thread([self = shared_from_this()] { self->work(); }).detach();
}

// Until the session is to be closed. Everything that blocks in the C client is here.
void Session::Connection::work() {
    static std::once_flag quiet;
    std::call_once(quiet, [] { zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR); });
    clientid_t resumed{};
    if (options_.resume) {
        resumed.client_id = options_.resume->id;
        std::copy(options_.resume->password.begin(), options_.resume->password.end(), resumed.passwd);
    }
    zhandle_t* handle = nullptr;
    {
        std::unique_lock lock(mutex_);
        while (!closing_ && handle == nullptr) {
            lock.unlock();
            // Fails when names do not resolve, which may be otherwise in a while.
            handle = zookeeper_init2(options_.servers.c_str(), on_session, milliseconds(options_.timeout),
                                     options_.resume ? &resumed : nullptr, this, ZOO_NO_LOG_CLIENTENV, drop_line);
            lock.lock();
            if (handle == nullptr) closing_changed_.wait_for(lock, retry_opening, [this] { return closing_; });
        }
        closing_changed_.wait(lock, [this] { return closing_; });
    }
    if (handle != nullptr) zookeeper_close(handle);
    const std::lock_guard lock(mutex_);
    for (const auto& closed : closed_) closed.give(base::Status());
    closed_.clear();
    pending_.clear();
    watching_.clear();
}

// Under the lock.
void Session::Connection::stop_telling() {
    closing_ = true;
    state_ = SessionState::closed;
    handle_ = nullptr;
    for (auto& [key, pending] : pending_)
        if (auto finish = std::exchange(pending->finish, {})) finish(Answer{ZCLOSING});
    closing_changed_.notify_all();
}

void Session::Connection::abandon() {
    const std::lock_guard lock(mutex_);
    stop_telling();
    closed_.clear();
    on_event_.reset();
    for (auto& [key, watching] : watching_) watching->call = nullptr;
    executor_ = {};
}

void Session::Connection::close(async::Promise<base::Status> closed) {
    const std::lock_guard lock(mutex_);
    if (closing_ && closed_.empty()) return closed.give(base::Status());
    stop_telling();
    closed_.push_back(std::move(closed));
}

base::Status Session::Connection::send(Start start, Finish finish, Watch watch, bool watches_what_is_missing,
                                       std::shared_ptr<const void> kept) {
    using base::Error;
    using base::ErrorCode;
    const std::lock_guard lock(mutex_);
    switch (state_) {
        case SessionState::connected: break;
        case SessionState::closed: return Error(ErrorCode::cancelled, "the ZooKeeper session is closed");
        case SessionState::expired: return Error(ErrorCode::unavailable, "the ZooKeeper session has expired");
        case SessionState::auth_failed: return Error(ErrorCode::permission_denied, "ZooKeeper refuses the credentials");
        case SessionState::connecting: return Error(ErrorCode::unavailable, "not connected to ZooKeeper");
    }
    if (pending_.size() >= operations_in_flight_max)
        return Error(ErrorCode::limit_exceeded, "too many ZooKeeper operations at once");
    if (watch && watching_.size() >= watches_max) return Error(ErrorCode::limit_exceeded, "too many ZooKeeper watches");
    Watching* watching = nullptr;
    if (watch) {
        auto made = std::make_unique<Watching>(Watching{std::move(watch)});
        watching = made.get();
        watching_.emplace(watching, std::move(made));
    }
    auto made = std::make_unique<Pending>(Pending{this, base::read_clocks().instant, std::move(finish), watching,
                                                  watches_what_is_missing, std::move(kept)});
    const void* key = made.get();
    pending_.emplace(key, std::move(made));
    const int code = start(handle_, key, watching);
    if (code == ZOK) return {};
    pending_.erase(key);
    watching_.erase(watching);
    if (code == ZBADARGUMENTS) return Error(ErrorCode::invalid_argument, "ZooKeeper's client refuses the arguments");
    return Error(ErrorCode::unavailable, std::string("ZooKeeper's client refuses the request: ") + zerror(code));
}

SessionState Session::Connection::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

std::optional<base::Instant> Session::Connection::alive_at() const {
    const std::lock_guard lock(mutex_);
    return alive_at_;
}

// Under the lock: the executor is there as long as nobody has said that we are closing.
void Session::Connection::tell(SessionEvent event) {
    async::asio::post(executor_, [weak = weak_from_this(), sink = std::weak_ptr(on_event_), event] {
        const auto self = weak.lock();
        const auto told = sink.lock();
        if (self && told && self->state() != SessionState::closed) (*told)(event);
    });
}

// The server takes our word before it answers what is asked afterwards; the C client repeats it to each new server.
void Session::Connection::authenticate(zhandle_t* handle) {
    if (!options_.credentials || std::exchange(authenticated_, true)) return;
    const std::string word = options_.credentials->user + ":" + options_.credentials->password;
    zoo_add_auth(handle, "digest", word.data(), static_cast<int>(word.size()), [](int, const void*) {}, nullptr);
}

void Session::Connection::session_changed(zhandle_t* handle, int state) {
    const std::lock_guard lock(mutex_);
    if (closing_ || state_ == SessionState::expired || state_ == SessionState::auth_failed) return;
    if (state == ZOO_CONNECTED_STATE) {
        authenticate(handle);
        handle_ = handle;
        state_ = SessionState::connected;
        Connected connected;
        const clientid_t* id = zoo_client_id(handle);
        connected.key.id = id->client_id;
        std::copy(std::begin(id->passwd), std::end(id->passwd), connected.key.password.begin());
        connected.timeout = std::chrono::milliseconds(zoo_recv_timeout(handle));
        tell(connected);
    } else if (state == ZOO_EXPIRED_SESSION_STATE) {
        state_ = SessionState::expired;
        tell(Expired{});
    } else if (state == ZOO_AUTH_FAILED_STATE) {
        state_ = SessionState::auth_failed;
        tell(AuthFailed{});
    } else if (state_ == SessionState::connected) {
        state_ = SessionState::connecting;
        tell(Suspended{});
    }
}

void Session::Connection::answered(const Pending& pending, const Answer& answer) {
    const std::lock_guard lock(mutex_);
    if (from_server(answer.code)) alive_at_ = std::max(alive_at_.value_or(pending.sent_at), pending.sent_at);
    const auto own = pending_.extract(&pending);
    if (own.empty()) return;
    const bool watched = answer.code == ZOK || (answer.code == ZNONODE && pending.watches_what_is_missing);
    if (pending.watching != nullptr && !watched) watching_.erase(pending.watching);
    if (own.mapped()->finish) own.mapped()->finish(answer);
}

void Session::Connection::on_session(zhandle_t* handle, int type, int state, const char*, void* connection) {
    if (type == ZOO_SESSION_EVENT) static_cast<Connection*>(connection)->session_changed(handle, state);
}

void Session::Connection::on_watch(zhandle_t* handle, int type, int, const char*, void* watching) {
    // The C client tells every watch of what happens to the session; that is the session's event.
    if (type == ZOO_SESSION_EVENT) return;
    auto* self = static_cast<Connection*>(const_cast<void*>(zoo_get_context(handle)));
    const std::lock_guard lock(self->mutex_);
    auto own = self->watching_.extract(watching);
    if (own.empty() || self->closing_) return;
    async::asio::post(self->executor_, [weak = self->weak_from_this(), call = std::move(own.mapped()->call)] {
        const auto connection = weak.lock();
        if (connection && connection->state() != SessionState::closed) call();
    });
}

void Session::Connection::on_void(int code, const void* pending) {
    const auto& own = *static_cast<const Pending*>(pending);
    own.connection->answered(own, Answer{code});
}

void Session::Connection::on_string(int code, const char* value, const void* pending) {
    const auto& own = *static_cast<const Pending*>(pending);
    own.connection->answered(own, Answer{code, value ? std::string_view(value) : std::string_view()});
}

void Session::Connection::on_stat(int code, const struct ::Stat* stat, const void* pending) {
    const auto& own = *static_cast<const Pending*>(pending);
    own.connection->answered(own, Answer{.code = code, .stat = stat});
}

void Session::Connection::on_data(int code, const char* value, int length, const struct ::Stat* stat,
                                  const void* pending) {
    const auto& own = *static_cast<const Pending*>(pending);
    // Data that was never set is told as a length of -1.
    const auto text = value != nullptr && length > 0 ? std::string_view(value, static_cast<std::size_t>(length))
                                                     : std::string_view();
    own.connection->answered(own, Answer{code, text, stat});
}

void Session::Connection::on_names(int code, const struct ::String_vector* names, const struct ::Stat* stat,
                                   const void* pending) {
    const auto& own = *static_cast<const Pending*>(pending);
    own.connection->answered(own, Answer{.code = code, .stat = stat, .names = names});
}

}  // namespace fairlead::zookeeper
