#pragma once
// A link that waits with the master that would lead next, so that a failover costs no new connection: it is opened
// while nothing is urgent, nothing is said on it, and it is taken when that master leads. Only a saving: whatever goes
// wrong with it costs nothing, and the link that is missing then is opened as it always was. So it is quiet: it opens
// at a moment drawn at random, as all agents hear of the next master within one interval of pings; it tries again only
// when it is told again, later and later; and it tells the journal of one failure with each master.
//
// It does nothing by itself but notice the link's end; what it learns of it is acted on at the next word about who
// leads next. Owner's strand. What is open or under way when it is destroyed is closed.

#include "common/async/asio.hpp"
#include "common/async/backoff.hpp"
#include "common/async/task_group.hpp"
#include "common/base/instant.hpp"
#include "common/base/prng.hpp"
#include "common/http/transport.hpp"
#include "common/http/url.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::nodeagentd::link {

struct WaitingLinkOptions {
    base::Duration answer_max = std::chrono::seconds(5);  // to the question for the link
    // After a failure, or the end of a link that did not hold for longer than that.
    async::Backoff::Bounds retry{std::chrono::seconds(10), std::chrono::minutes(10), 2.0};
};

class WaitingLink {
  public:
    WaitingLink(async::Executor strand, WaitingLinkOptions options, std::uint64_t seed);

    // The leader's word on who leads next (none: nobody that it knows of yet, which changes nothing), and on how long it
    // takes for all agents to come back. Said again and again.
    void next_master_is(std::optional<http::Url> next, base::Duration return_within);

    // The link to the master that is called by one of `names`, from now on the caller's; none: there is none, or it is
    // dead, or that master has spoken. In any case none waits with that master any longer, nor is about to.
    std::optional<http::UpgradedSocket> take(const std::vector<http::Url>& names);

  private:
    struct Attempt;

    void open(base::Duration pause);
    void note_end();
    void close();

    const async::Executor strand_;
    const WaitingLinkOptions options_;
    base::Prng prng_;
    std::optional<http::Url> next_;
    std::shared_ptr<Attempt> attempt_;     // with next_
    std::optional<async::TaskGroup> task_;  // of the attempt
    async::Backoff backoff_;
    std::chrono::steady_clock::time_point not_before_;
    std::optional<http::Url> complained_of_;
};

// "host:port" and nothing else; none: it is not.
std::optional<http::Url> parse_next_master(std::string_view text);

}  // namespace fairlead::nodeagentd::link
