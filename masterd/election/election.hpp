#pragma once
// A master among others: contends for leadership in ZooKeeper, holds it by a lease, and tells who leads. When its
// session is over it opens another and contends again; it gives leadership up by itself, in time, when ZooKeeper cannot
// be reached, and names no leader any more when that has lasted as long as a session. Everything happens on one strand;
// the object outlives run().
//
// The znode that was made first leads, and what makes it go is the end of its master's session; so a master that leads
// does so until its session is over, its znode is taken away or its lease runs out. A lease that has run out while the
// session lived on is taken up again, as a new leadership.

#include "common/async/asio.hpp"
#include "common/async/wake.hpp"
#include "common/detection/find_leader.hpp"
#include "common/detection/journal.hpp"
#include "common/zookeeper/session.hpp"
#include "masterd/election/lease.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace fairlead::masterd::election {

struct ElectionOptions {
    zookeeper::Url url;
    base::Duration session_timeout = std::chrono::seconds(10);
    v1::MasterInfo info;             // of this master, for everybody to read
    std::filesystem::path key_file;  // see session_key.hpp; empty: none
};

struct ElectionEvents {
    // We lead until the time given, unless `extended` gives a later one. gained and lost take turns.
    std::function<void(base::Instant lease_until)> gained;
    std::function<void(base::Instant lease_until)> extended;
    std::function<void(const std::string& reason)> lost;
    // Each change once; no value: nobody leads, or nobody knows. It may be us: that comes before `gained`.
    std::function<void(const std::optional<v1::MasterInfo>&)> leader_is;
    // While we lead, each change once: who would lead if we ended. No value: nobody stands by, or it cannot be named.
    std::function<void(const std::optional<v1::MasterInfo>&)> next_is = [](const auto&) {};
    // No server answers, since a session's timeout.
    std::function<void()> unreachable = [] {};
    // ZooKeeper refuses us for good, before we have ever contended: the configuration is wrong. Nothing follows.
    std::function<void(const base::Error&)> hopeless;
};

class Election {
  public:
    Election(async::Executor strand, ElectionOptions options, ElectionEvents events);

    // Until resign(), until it is hopeless, or until it is cancelled.
    async::awaitable<void> run();
    // A leader that cannot do its work ends its session and contends again, behind the others. It only looks on for the
    // time of its `rest`.
    void step_aside(const std::string& reason, base::Duration rest = base::Duration::zero());
    // Ends the session, so that the next master is elected at once. No event comes any more.
    async::awaitable<void> resign();

  private:
    enum class Outcome { done, again, hopeless };

    async::awaitable<void> contend();
    async::awaitable<void> wait_for_connection();
    async::awaitable<void> wait_for_news();
    async::awaitable<Outcome> join();
    async::awaitable<base::Status> make_znode(zookeeper::Session& session);
    async::awaitable<base::Status> find_own_znode(zookeeper::Session& session);
    async::awaitable<bool> look();
    async::awaitable<void> rewrite_znode(zookeeper::Session& session);
    async::awaitable<void> keep_proving();
    async::awaitable<void> guard_lease();
    async::awaitable<void> look_for_the_next();
    void session_event(const zookeeper::SessionEvent& event);
    void proven(base::Instant sent_at);
    void lead_if_we_may();
    void lose(const std::string& reason);
    void tell_leader(const std::optional<v1::MasterInfo>& leader);
    void tell_next(const std::optional<v1::MasterInfo>& next);
    bool over() const;
    bool rests() const;
    std::string own_path() const;

    const async::Executor strand_;
    const ElectionOptions options_;
    const ElectionEvents events_;
    detection::Journal journal_;

    std::shared_ptr<zookeeper::Session> session_;
    std::int64_t session_id_ = 0;
    Lease lease_;
    std::string own_znode_;         // its name; empty: none, as far as we know
    bool maybe_made_ = false;       // the answer to its making was lost
    bool first_ = false;            // it was the lowest when we looked, and so it stays
    bool leading_ = false;
    bool ever_joined_ = false;
    bool stopping_ = false;
    std::optional<base::Instant> rest_until_;
    std::optional<std::optional<v1::MasterInfo>> told_leader_;
    std::optional<v1::MasterInfo> told_next_;

    async::Wake changed_;           // for contend()
    std::shared_ptr<bool> stale_;   // look again; a watch may set it when we are gone
    async::Wake next_changed_;      // for look_for_the_next()
    std::shared_ptr<bool> next_stale_;
    async::Wake prove_now_;
    async::Wake lease_changed_;
};

}  // namespace fairlead::masterd::election
