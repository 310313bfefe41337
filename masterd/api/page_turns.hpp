#pragma once
// Who may look at the core's state when. A page is rendered on the strand that decides everything, and at 50,000 agents
// the large ones take a good part of a second there; anybody may ask for them, as often and as many at once as they
// like. So pages take turns: one is rendered at a time, whoever asks for one that still waits for its turn shares its
// answer, and after each the owner has several times as long for everything else. What is answered is never older than
// the question.
//
// Any thread may ask. Answers are written on the executor's threads, never on the owner's.

#include "common/async/asio.hpp"
#include "common/http/responder.hpp"
#include "masterd/driver/driver.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::masterd::api {

class PageTurns : public std::enable_shared_from_this<PageTurns> {
  public:
    // Answers one of those who asked, from what was rendered.
    using Answer = std::function<void(const http::Request&, http::Responder&)>;
    // On the owner's strand.
    using Render = std::function<Answer(const core::State&)>;
    // What it needs of the world. `later` runs something after a while, on any thread.
    struct Parts {
        std::function<bool(driver::Driver::Look)> look;
        std::function<base::Instant()> clock;
        std::function<void(base::Duration, std::function<void()>)> later;
    };

    static constexpr int owner_share = 5;  // pages take a fifth of the owner's time at most
    static constexpr std::size_t pages_waiting_max = 64;

    explicit PageTurns(Parts parts) : parts_(std::move(parts)) {}
    static std::shared_ptr<PageTurns> of(driver::Driver& driver, async::Executor executor);

    // `key` tells pages apart: two with the same one have the same answer.
    void ask(const std::string& key, Render render, http::Request request, http::Responder responder);

  private:
    struct Asker {
        http::Request request;
        http::Responder responder;
    };
    struct Page {
        std::string key;
        Render render;
        std::vector<Asker> askers;
    };
    using PagePtr = std::shared_ptr<Page>;

    void give_turn(PagePtr page);
    std::vector<Asker> close(Page& page);
    void rest(base::Duration cost);
    void next();

    const Parts parts_;
    std::mutex mutex_;
    bool busy_ = false;  // somebody has the turn, or the owner has its own
    std::deque<PagePtr> queue_;
    std::unordered_map<std::string, PagePtr> open_;  // may still be joined
};

}  // namespace fairlead::masterd::api
