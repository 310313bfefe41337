// Several schedulers of one framework: one is active, the others hold a stream each and hear that they are waiting.
// When the active one's stream breaks, or it has not said anything for as long as it promised, the next one is
// subscribed on the stream that it has: it hears SUBSCRIBED, is made fresh offers, and agents send it again what nobody
// has acknowledged.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"

#include "common/base/limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::masterd::core {

void Core::stand_by(Framework& framework, Subscription subscription) {
    open_stream(subscription);
    const auto say = [&](EventPtr event) {
        output_.effects.emplace_back(SendEvent{subscription.stream, std::move(event)});
    };
    if (framework.standbys.size() >= base::limits::standby_schedulers_max) {
        say(error_event(fmt::format("{} schedulers stand by for this framework already", framework.standbys.size())));
        output_.effects.emplace_back(CloseStream{subscription.stream});
        return;
    }
    say(standing_by_event());
    say(heartbeat_event());
    standby_streams_[subscription.stream] = framework.slot;
    framework.standbys.push_back(std::move(subscription));
    report(Report::Kind::framework_standby,
           fmt::format("a scheduler stands by for framework '{}', {} in all", framework.info->name(),
                       framework.standbys.size()),
           framework);
    if (!framework.silence) framework.last_heard = now_.instant;  // until now it did not have to say anything
    await_silence(framework);
}

// False: nobody stands by. Precondition: it is not connected.
bool Core::let_next_take_over(Framework& framework) {
    if (framework.standbys.empty()) return false;
    Subscription next = std::move(framework.standbys.front());
    framework.standbys.pop_front();
    standby_streams_.erase(next.stream);
    resume(framework, std::move(next), "goes on with the scheduler that stood by");
    return true;
}

void Core::await_silence(Framework& framework) {
    if (framework.standbys.empty() || !framework.heartbeat_timeout || framework.silence) return;
    framework.silence = timers_.schedule(when_heard(silent_since(framework.last_heard) + *framework.heartbeat_timeout),
                                         SchedulerSilent{framework.slot});
}

void Core::fire(const SchedulerSilent& due) {
    Framework& framework = books_.framework(due.framework);
    framework.silence.reset();
    if (framework.standbys.empty()) return;
    if (heard_until_ < silent_since(framework.last_heard) + *framework.heartbeat_timeout)
        return await_silence(framework);
    report(Report::Kind::framework_disconnected,
           "the scheduler of framework '" + framework.info->name() + "' is silent", framework)
        .connection_end = ConnectionEnd::Kind::silent;
    fail_over(framework);
    let_next_take_over(framework);
}

void Core::standby_gone(const StreamClosed& closed) {
    const auto found = standby_streams_.find(closed.stream);
    if (found == standby_streams_.end()) return;
    Framework& framework = books_.framework(found->second);
    std::erase_if(framework.standbys, [&](const Subscription& standby) { return standby.stream == closed.stream; });
    standby_streams_.erase(found);
    report(Report::Kind::framework_standby_gone,
           fmt::format("a scheduler that stood by for framework '{}' is gone, {} are left: {}", framework.info->name(),
                       framework.standbys.size(), closed.end.why),
           framework)
        .connection_end = closed.end.kind;
}

void Core::dismiss_standbys(Framework& framework) {
    for (const Subscription& standby : framework.standbys) {
        output_.effects.emplace_back(SendEvent{standby.stream, error_event("Framework has been removed")});
        output_.effects.emplace_back(CloseStream{standby.stream});
        standby_streams_.erase(standby.stream);
    }
    framework.standbys.clear();
}

}  // namespace fairlead::masterd::core
