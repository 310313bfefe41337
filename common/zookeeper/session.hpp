#pragma once
// One session with ZooKeeper, over its C client. An object is one session: it connects by itself, moves from server to
// server as they come and go, and is over for good when ZooKeeper has expired it; who wants another one opens another
// Session. All paths are absolute: what others call a chroot is simply the beginning of a path here (see paths.hpp).
//
// The C client has two threads; what they tell is posted: events and watches to the executor given at the start,
// results to the coroutine that waits. Every member may be called from any thread, every operation be awaited on any
// strand. Opening and closing block inside the C client (name look-ups, the last message to the server), so a thread of
// the session's own does both; it sleeps in between.
//
// An operation while there is no connection is refused at once with `unavailable`: nothing is queued for later. Codes:
//     not_found, already_exists, permission_denied   as they say
//     conflict           the version is another one, or a znode to be removed has children
//     unavailable        not connected, or a read whose answer was lost: try again
//     outcome_unknown    a change whose answer was lost: it may have been made
//     limit_exceeded     more bytes or more operations at once than we send or take
//     cancelled          the session was closed
//
// g++ 12 destroys twice what a lambda's captures or a braced aggregate hold, if they are written inside the co_await:
// give a Watch or a list of operations a name first.
//
// A Session that is destroyed closes itself in the background, and whoever waits for an operation is told `cancelled`.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"
#include "common/zookeeper/url.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::zookeeper {

// What ZooKeeper's own default allows for one message, less what goes around our bytes.
inline constexpr std::size_t data_bytes_max = 1'000'000;
inline constexpr std::size_t path_bytes_max = 4096;
inline constexpr std::size_t operations_in_flight_max = 10'000;
inline constexpr std::size_t watches_max = 100'000;
inline constexpr std::size_t multi_operations_max = 10'000;
inline constexpr std::int32_t any_version = -1;

// Enough for another process to take the session over, or to close it. The password is a secret.
struct SessionKey {
    std::int64_t id = 0;
    std::array<char, 16> password{};
    friend bool operator==(const SessionKey&, const SessionKey&) = default;
};

struct SessionOptions {
    std::string servers;                     // Url::connection()
    std::optional<Credentials> credentials;  // the server never says that they are wrong; missing rights do
    base::Duration timeout = std::chrono::seconds(10);  // asked for; the server may grant another
    std::optional<SessionKey> resume;        // take over a session instead of beginning one
};

// --- what happens to a session, in this order of events ---
struct Connected {
    SessionKey key;
    base::Duration timeout;  // as granted
};
struct Suspended {};  // no server for the moment: the session lives on there until its timeout
struct Expired {};    // over; its ephemeral znodes are gone
struct AuthFailed {};  // the server refuses the credentials' scheme; over
using SessionEvent = std::variant<Connected, Suspended, Expired, AuthFailed>;

enum class SessionState { connecting, connected, expired, auth_failed, closed };

enum class Acl {
    open,                     // anybody may do anything
    creator_all_world_read,   // needs credentials
    creator_all,              // needs credentials
};
enum class Lifetime { persistent, ephemeral };
enum class Naming { plain, sequential };  // sequential: ten digits are added to the path

struct Stat {
    std::int64_t created_zxid = 0;
    std::int64_t modified_zxid = 0;
    std::int32_t version = 0;           // of the data
    std::int32_t children_version = 0;
    std::int64_t ephemeral_owner = 0;   // the session's id; 0: persistent
    std::int32_t data_bytes = 0;
    std::int32_t children = 0;
};

struct Node {
    std::string data;
    Stat stat;
};

struct Children {
    std::vector<std::string> names;  // in no order
    Stat stat;
};

// Called once, on the session's executor, when what was read is no longer so; never after the session's end, of which
// the event tells. Left when the operation itself succeeds, and by exists() also when there is no such znode.
using Watch = std::function<void()>;

struct CreateOptions {
    Acl acl = Acl::open;
    Lifetime lifetime = Lifetime::persistent;
    Naming naming = Naming::plain;
};

// --- parts of multi() ---
struct Create {
    std::string path;
    std::string data = {};
    CreateOptions options = {};
};
struct Set {
    std::string path;
    std::string data;
    std::int32_t version = any_version;
};
struct Remove {
    std::string path;
    std::int32_t version = any_version;
};
struct Check {  // only that it is there, with this version
    std::string path;
    std::int32_t version = any_version;
};
using Operation = std::variant<Create, Set, Remove, Check>;

struct Done {
    std::string path;  // of a Create: the path as it was made
    Stat stat;         // of a Set
};

class Session {
  public:
    using EventSink = std::function<void(const SessionEvent&)>;

    // Returns at once; Connected comes when a server has answered, and until then it is tried again and again.
    // `executor`, a strand, is where events and watches arrive; its context must outlive the Session.
    Session(async::Executor executor, SessionOptions options, EventSink on_event);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Ends the session at the server, so that its ephemeral znodes go at once; returns when that was told or, without a
    // connection, given up. Some seconds at most. No events come after it was called.
    async::awaitable<void> close();

    SessionState state() const;
    // When the newest request that ZooKeeper has answered was sent: at that time the session was alive.
    std::optional<base::Instant> alive_at() const;

    // Gives the path, which differs when the naming is sequential.
    async::awaitable<base::Result<std::string>> create(std::string path, std::string data = {},
                                                       CreateOptions options = {});
    async::awaitable<base::Result<Node>> get(std::string path, Watch watch = {});
    async::awaitable<base::Result<Children>> children(std::string path, Watch watch = {});
    // Nothing: there is no such znode.
    async::awaitable<base::Result<std::optional<Stat>>> exists(std::string path, Watch watch = {});
    async::awaitable<base::Result<Stat>> set(std::string path, std::string data, std::int32_t version = any_version);
    async::awaitable<base::Status> remove(std::string path, std::int32_t version = any_version);
    // All of it or nothing, in one step. When it was refused because of one operation, the error names its path and
    // `refused`, if given, gets its index.
    async::awaitable<base::Result<std::vector<Done>>> multi(std::vector<Operation> operations,
                                                            std::optional<std::size_t>* refused = nullptr);

  private:
    class Connection;
    std::shared_ptr<Connection> connection_;
};

}  // namespace fairlead::zookeeper
