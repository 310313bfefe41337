#include "masterd/api/page_turns.hpp"

#include "masterd/api/operator_caller.hpp"

#include <boost/asio/steady_timer.hpp>

namespace fairlead::masterd::api {

std::shared_ptr<PageTurns> PageTurns::of(driver::Driver& driver, async::Executor executor) {
    Parts parts;
    parts.look = [&driver](driver::Driver::Look look) { return driver.look(std::move(look)); };
    parts.clock = [] { return base::read_clocks().instant; };
    parts.later = [executor](base::Duration pause, std::function<void()> what) {
        if (pause <= base::Duration::zero()) return async::asio::post(executor, std::move(what));
        auto timer = std::make_shared<async::asio::steady_timer>(executor, pause);
        timer->async_wait([timer, what = std::move(what)](boost::system::error_code cancelled) {
            if (!cancelled) what();
        });
    };
    return std::make_shared<PageTurns>(std::move(parts));
}

void PageTurns::ask(const std::string& key, Render render, http::Request request, http::Responder responder) {
    request.body = {};
    Asker asker{std::move(request), std::move(responder)};
    PagePtr page;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = open_.find(key); found != open_.end()) {
            found->second->askers.push_back(std::move(asker));
            return;
        }
        if (open_.size() < pages_waiting_max) {
            page = std::make_shared<Page>(Page{key, std::move(render), {}});
            page->askers.push_back(std::move(asker));
            open_.emplace(key, page);
            if (std::exchange(busy_, true)) {
                queue_.push_back(std::move(page));
                return;
            }
        }
    }
    if (!page) return asker.responder.respond(http::text_response(503, too_busy));
    give_turn(std::move(page));
}

void PageTurns::give_turn(PagePtr page) {
    const bool queued = parts_.look([self = shared_from_this(), page](const core::State& state) {
        auto askers = std::make_shared<std::vector<Asker>>(self->close(*page));
        const base::Instant begin = self->parts_.clock();
        Answer answer = page->render(state);
        const base::Duration cost = self->parts_.clock() - begin;
        self->parts_.later({}, [askers, answer = std::move(answer)] {
            for (Asker& asker : *askers) answer(asker.request, asker.responder);
        });
        self->rest(cost);
    });
    if (queued) return;
    for (Asker& asker : close(*page)) asker.responder.respond(http::text_response(503, too_busy));
    rest({});
}

// Whoever asks from now on asks for another one.
std::vector<PageTurns::Asker> PageTurns::close(Page& page) {
    const std::lock_guard lock(mutex_);
    open_.erase(page.key);
    return std::move(page.askers);
}

void PageTurns::rest(base::Duration cost) {
    parts_.later(cost * (owner_share - 1), [self = shared_from_this()] { self->next(); });
}

void PageTurns::next() {
    PagePtr page;
    {
        const std::lock_guard lock(mutex_);
        busy_ = !queue_.empty();
        if (!busy_) return;
        page = std::move(queue_.front());
        queue_.pop_front();
    }
    give_turn(std::move(page));
}

}  // namespace fairlead::masterd::api
