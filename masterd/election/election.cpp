#include "masterd/election/election.hpp"

#include "common/async/task_group.hpp"
#include "common/log/log.hpp"
#include "common/zookeeper/paths.hpp"
#include "masterd/election/next_in_line.hpp"
#include "masterd/election/session_key.hpp"

#include <fmt/chrono.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

namespace fairlead::masterd::election {
namespace {

using base::ErrorCode;
using zookeeper::SessionState;

// After what failed although there is a connection.
constexpr std::chrono::seconds try_again{2};

zookeeper::Acl acl_of(const zookeeper::Url& url) {
    return url.credentials ? zookeeper::Acl::creator_all_world_read : zookeeper::Acl::open;
}

base::Instant now() { return base::read_clocks().instant; }

bool same(const std::optional<v1::MasterInfo>& a, const std::optional<v1::MasterInfo>& b) {
    if (a.has_value() != b.has_value()) return false;
    return !a || google::protobuf::util::MessageDifferencer::Equals(*a, *b);
}

}  // namespace

Election::Election(async::Executor strand, ElectionOptions options, ElectionEvents events)
    : strand_(strand),
      options_(std::move(options)),
      events_(std::move(events)),
      journal_(options_.url.text()),
      lease_(options_.session_timeout),
      changed_(strand),
      stale_(std::make_shared<bool>(true)),
      next_changed_(strand),
      next_stale_(std::make_shared<bool>(true)),
      prove_now_(strand),
      lease_changed_(strand) {}

bool Election::over() const {
    const auto state = session_->state();
    return state == SessionState::expired || state == SessionState::auth_failed || state == SessionState::closed;
}

bool Election::rests() const { return rest_until_ && now() < *rest_until_; }

std::string Election::own_path() const { return zookeeper::join(options_.url.path, own_znode_); }

async::awaitable<void> Election::run() {
    async::TaskGroup helpers(strand_, [](std::string_view, std::exception_ptr bug) { std::rethrow_exception(bug); });
    helpers.spawn("the proofs of the lease", keep_proving());
    helpers.spawn("the end of the lease", guard_lease());
    helpers.spawn("the next in line", look_for_the_next());
    while (!stopping_) {
        zookeeper::SessionOptions options;
        options.servers = options_.url.connection();
        options.credentials = options_.url.credentials;
        options.timeout = options_.session_timeout;
        own_znode_.clear();
        maybe_made_ = first_ = false;
        lease_ = Lease(options_.session_timeout);  // what another session has proven is nothing to this one
        session_ = std::make_shared<zookeeper::Session>(
            strand_, options, [this](const zookeeper::SessionEvent& event) { session_event(event); });
        co_await contend();
        if (stopping_) break;
        first_ = false;
        own_znode_.clear();
        lose("its ZooKeeper session has expired");
        tell_leader(std::nullopt);
        forget(options_.key_file);
    }
    helpers.stop();
    co_await helpers.join();
}

void Election::step_aside(const std::string& reason, base::Duration rest) {
    if (!leading_ || stopping_) return;
    first_ = false;
    own_znode_.clear();
    rest_until_ = now() + rest;
    lose(reason);
    const auto close = [](std::shared_ptr<zookeeper::Session> session, async::Wake changed) -> async::awaitable<void> {
        co_await session->close();
        changed.ring();
    };
    async::asio::co_spawn(strand_, close(session_, changed_), async::asio::detached);
}

async::awaitable<void> Election::resign() {
    stopping_ = true;
    leading_ = first_ = false;
    changed_.ring();
    if (const auto session = session_) co_await session->close();
    forget(options_.key_file);
}

void Election::session_event(const zookeeper::SessionEvent& event) {
    if (const auto* connected = std::get_if<zookeeper::Connected>(&event)) {
        journal_.reachable();
        if (session_id_ != connected->key.id) {
            session_id_ = connected->key.id;
            lease_ = Lease(connected->timeout);
            if (!options_.key_file.empty())
                if (auto kept = keep(options_.key_file, {options_.url.connection(), connected->key}); !kept)
                    log::warning(kept.error().in("the key of the ZooKeeper session is not kept").message());
        }
        prove_now_.ring();
    }
    changed_.ring();
}

// Until the session is over.
async::awaitable<void> Election::contend() {
    *stale_ = true;
    while (!stopping_ && !over()) {
        if (session_->state() != SessionState::connected) {
            co_await wait_for_connection();
            continue;
        }
        if (own_znode_.empty() && !rests()) {
            const Outcome joined = co_await join();
            if (joined == Outcome::hopeless) co_return;
            if (joined == Outcome::again) continue;
        }
        if (std::exchange(*stale_, false) && !co_await look()) {
            *stale_ = true;
            co_await changed_.wait_for(try_again);
        } else if (!*stale_) {
            co_await wait_for_news();
        }
    }
    if (!stopping_ && session_->state() == SessionState::auth_failed && !ever_joined_) {
        stopping_ = true;
        events_.hopeless(base::Error(ErrorCode::permission_denied, "ZooKeeper refuses the credentials"));
    }
}

// Whoever led may have been followed by another when we have heard of nobody for as long as a session lasts.
async::awaitable<void> Election::wait_for_connection() {
    const bool rung = co_await changed_.wait_for(options_.session_timeout);
    if (rung) co_return;
    journal_.unreachable();
    events_.unreachable();
    if (leading_) co_return;  // by its lease, which is not longer
    tell_leader(std::nullopt);
    *stale_ = true;
}

async::awaitable<void> Election::wait_for_news() {
    if (!own_znode_.empty()) co_return co_await changed_.wait();
    if (rests()) co_await changed_.wait_for(*rest_until_ - now());
}

// Puts our znode there.
async::awaitable<Election::Outcome> Election::join() {
    const auto session = session_;
    auto made = co_await zookeeper::make_path(*session, options_.url.path, acl_of(options_.url));
    if (made) made = co_await make_znode(*session);
    if (made) {
        ever_joined_ = true;
        *stale_ = true;
        journal_.worked();
        co_return Outcome::done;
    }
    if (made.error().code() == ErrorCode::permission_denied && !ever_joined_) {
        stopping_ = true;
        events_.hopeless(made.error());
        co_return Outcome::hopeless;
    }
    if (session->state() == SessionState::connected) {
        journal_.failed(made.error().in("cannot contend for leadership"));
        co_await changed_.wait_for(try_again);
    }
    co_return Outcome::again;
}

async::awaitable<base::Status> Election::make_znode(zookeeper::Session& session) {
    if (maybe_made_) {
        auto found = co_await find_own_znode(session);
        if (!found || !own_znode_.empty()) co_return found;
    }
    const auto sent_at = now();
    const zookeeper::CreateOptions options{acl_of(options_.url), zookeeper::Lifetime::ephemeral,
                                           zookeeper::Naming::sequential};
    const auto made = co_await session.create(zookeeper::join(options_.url.path, detection::znode_prefix),
                                              detection::to_znode(options_.info), options);
    if (!made) {
        maybe_made_ = maybe_made_ || made.error().code() == ErrorCode::outcome_unknown;
        co_return made.error();
    }
    own_znode_ = zookeeper::name_of(*made);
    proven(sent_at);
    co_return base::Status();
}

// One that this session has made without our hearing of it. There are never two: it is looked for before each making.
async::awaitable<base::Status> Election::find_own_znode(zookeeper::Session& session) {
    const auto names = co_await session.children(options_.url.path);
    if (!names) co_return names.error();
    for (const std::string& name : detection::sort_children(names->names).contenders) {
        const auto stat = co_await session.exists(zookeeper::join(options_.url.path, name));
        if (!stat) co_return stat.error();
        if (*stat && (*stat)->ephemeral_owner == session_id_) {
            own_znode_ = name;
            break;
        }
    }
    maybe_made_ = false;
    co_return base::Status();
}

// Who leads now? False: it could not be found out.
async::awaitable<bool> Election::look() {
    const auto session = session_;
    const zookeeper::Watch changed = [stale = stale_, wake = changed_] {
        *stale = true;
        wake.ring();
    };
    const auto found = co_await detection::find_leader(*session, options_.url.path, changed);
    if (stopping_ || session != session_) co_return true;
    if (!found) {
        if (session->state() == SessionState::connected) journal_.failed(found.error());
        co_return false;
    }
    journal_.worked();
    journal_.odd(found->oddities);
    first_ = found->leader && !own_znode_.empty() && found->leader->znode == own_znode_;
    if (first_) {
        const auto& said = found->leader->info;
        if (!said || said->id() != options_.info.id()) co_await rewrite_znode(*session);
    } else {
        // Nobody else comes first while our znode lasts.
        lose("another master's znode comes first");
        tell_leader(found->leader ? found->leader->info : std::nullopt);
        // Ours may be gone: then the next proof says so, and we make another.
        if (!found->leader) prove_now_.ring();
    }
    lead_if_we_may();
    co_return true;
}

// Somebody has written over it, and who looks now cannot find us. When this fails, the next proof or look says why.
async::awaitable<void> Election::rewrite_znode(zookeeper::Session& session) {
    const std::string path = own_path();
    const auto done = co_await session.set(path, detection::to_znode(options_.info), zookeeper::any_version);
    if (done) log::warning(fmt::format("znode {} did not say any more where this master is, and does again", path));
}

// Has a majority of ZooKeeper commit, every now and then, that our znode is still there.
async::awaitable<void> Election::keep_proving() {
    for (;;) {
        co_await prove_now_.wait_for(lease_.probe_interval());
        const auto session = session_;
        if (!session || stopping_ || own_znode_.empty() || session->state() != SessionState::connected) continue;
        const std::string path = own_path();
        const std::vector<zookeeper::Operation> check{zookeeper::Check{path}};
        const auto sent_at = now();
        const auto there = co_await session->multi(check);
        if (stopping_ || session != session_ || own_znode_.empty() || path != own_path()) continue;
        if (there) {
            proven(sent_at);
        } else if (there.error().code() == ErrorCode::not_found) {
            own_znode_.clear();
            first_ = false;
            lose("its znode " + path + " was removed by somebody else");
            *stale_ = true;
            changed_.ring();
        }
    }
}

void Election::proven(base::Instant sent_at) {
    lease_.prove(sent_at);
    lease_changed_.ring();
    if (leading_)
        events_.extended(*lease_.until());
    else
        lead_if_we_may();
}

async::awaitable<void> Election::guard_lease() {
    for (;;) {
        const auto until = lease_.until();
        if (!leading_ || !until) {
            co_await lease_changed_.wait();
        } else if (lease_.holds(now())) {
            // Timers stand still while the machine is suspended; now() does not.
            co_await lease_changed_.wait_for(std::min(*until - now(), lease_.probe_interval()));
        } else {
            lose("ZooKeeper has confirmed nothing for too long");
            tell_leader(std::nullopt);
        }
    }
}

// Whoever leads looks for it, and nobody else is woken by the coming and going of standbys.
async::awaitable<void> Election::look_for_the_next() {
    for (;;) {
        if (!leading_ || !std::exchange(*next_stale_, false)) {
            co_await next_changed_.wait();
            continue;
        }
        const auto session = session_;
        const zookeeper::Watch changed = [stale = next_stale_, wake = next_changed_] {
            *stale = true;
            wake.ring();
        };
        const auto next = co_await next_in_line(*session, options_.url.path, own_znode_, changed);
        if (stopping_ || session != session_ || !leading_) continue;
        if (next) {
            tell_next(*next);
        } else {
            *next_stale_ = true;
            co_await next_changed_.wait_for(try_again);
        }
    }
}

void Election::lead_if_we_may() {
    if (leading_ || !first_ || stopping_ || !lease_.holds(now())) return;
    leading_ = true;
    lease_changed_.ring();
    *next_stale_ = true;
    next_changed_.ring();
    tell_leader(options_.info);
    events_.gained(*lease_.until());
}

void Election::lose(const std::string& reason) {
    if (!std::exchange(leading_, false) || stopping_) return;
    tell_next(std::nullopt);
    events_.lost(reason);
}

void Election::tell_leader(const std::optional<v1::MasterInfo>& leader) {
    if (stopping_ || (told_leader_ && same(*told_leader_, leader))) return;
    told_leader_ = leader;
    events_.leader_is(leader);
}

void Election::tell_next(const std::optional<v1::MasterInfo>& next) {
    if (stopping_ || same(told_next_, next)) return;
    told_next_ = next;
    events_.next_is(next);
}

}  // namespace fairlead::masterd::election
