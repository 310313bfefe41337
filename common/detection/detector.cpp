#include "common/detection/detector.hpp"

#include "common/async/wake.hpp"
#include "common/detection/journal.hpp"

#include <google/protobuf/util/message_differencer.h>

namespace fairlead::detection {
namespace {

using zookeeper::SessionState;

// After what failed although there is a connection.
constexpr std::chrono::seconds look_again{2};

bool is_over(SessionState state) {
    return state == SessionState::expired || state == SessionState::auth_failed || state == SessionState::closed;
}

// What callbacks of the session may still touch when the coroutine is gone.
struct Signs {
    explicit Signs(async::Executor executor) : wake(std::move(executor)) {}
    async::Wake wake;
    bool stale = true;  // look again
};

// Until the session is over.
async::awaitable<void> follow(zookeeper::Session& session, const std::string& path, std::shared_ptr<Signs> signs,
                              base::Duration patience, Journal& journal,
                              const LeaderSink& tell) {
    signs->stale = true;
    while (!is_over(session.state())) {
        if (session.state() != SessionState::connected) {
            const bool rung = co_await signs->wake.wait_for(patience);
            if (!rung) {
                journal.unreachable();
                tell(std::nullopt);
                signs->stale = true;
            }
            continue;
        }
        journal.reachable();
        if (!signs->stale) {
            co_await signs->wake.wait();
            continue;
        }
        signs->stale = false;
        const zookeeper::Watch changed = [signs] {
            signs->stale = true;
            signs->wake.ring();
        };
        const auto found = co_await find_leader(session, path, changed);
        if (found) {
            journal.worked();
            journal.odd(found->oddities);
            tell(found->leader ? found->leader->info : std::nullopt);
            continue;
        }
        signs->stale = true;
        if (session.state() != SessionState::connected) continue;
        journal.failed(found.error());
        co_await signs->wake.wait_for(look_again);
    }
}

}  // namespace

async::awaitable<void> follow_leader(zookeeper::Url url, DetectorOptions options, LeaderSink sink) {
    const auto executor = co_await async::asio::this_coro::executor;
    const auto signs = std::make_shared<Signs>(executor);
    Journal journal(url.text());
    std::optional<v1::MasterInfo> last;
    bool told = false;
    const LeaderSink tell = [&](const std::optional<v1::MasterInfo>& now) {
        using google::protobuf::util::MessageDifferencer;
        const bool same =
            told && last.has_value() == now.has_value() && (!now || MessageDifferencer::Equals(*last, *now));
        if (same) return;
        told = true;
        last = now;
        sink(now);
    };
    for (;;) {
        zookeeper::SessionOptions session_options;
        session_options.servers = url.connection();
        session_options.credentials = url.credentials;
        session_options.timeout = options.session_timeout;
        zookeeper::Session session(executor, session_options,
                                   [signs](const zookeeper::SessionEvent&) { signs->wake.ring(); });
        co_await follow(session, url.path, signs, options.session_timeout, journal, tell);
        // Refused credentials are not forgiven by the next session; an expired one has waited long enough.
        if (session.state() == SessionState::auth_failed) {
            journal.failed(base::Error(base::ErrorCode::permission_denied, "ZooKeeper refuses our credentials"));
            co_await signs->wake.wait_for(options.session_timeout);
        }
    }
}

}  // namespace fairlead::detection
