#pragma once
// The owner of the agent's core: one strand, one mailbox in, every Output carried out in its order:
// persist, act, send, report. A write that fails ends the process by the fatal handler, and nothing
// more is done: nothing may be told that was not written down. A task with uris is started when they
// have been fetched. What it knows of the world is the ports and the functions below.

#include "common/async/asio.hpp"
#include "common/async/mailbox.hpp"
#include "nodeagentd/core/core.hpp"
#include "nodeagentd/ports/fetcher.hpp"
#include "nodeagentd/ports/master_link.hpp"
#include "nodeagentd/ports/runtime.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <variant>

namespace fairlead::nodeagentd::driver {

// Whether the next process may do better, or somebody has to do something first.
enum class Remedy { try_again, ask_operator };

struct World {
    ports::Runtime* runtime = nullptr;  // outlives the driver, as the fetcher does
    ports::Fetcher* fetcher = nullptr;
    std::function<base::Status(const core::Persist&)> persist;
    std::function<void(const core::Report&)> report;
    std::function<void(const std::string&, Remedy)> fatal;
};

class Driver : public ports::LinkEvents {
  public:
    using Look = std::function<void(const core::State&)>;

    Driver(async::Executor owner, std::unique_ptr<core::Core> core, World world);

    // First takes back what `recovered` tells of, then serves until stop().
    async::awaitable<void> run(core::Recovered recovered);
    void stop() { mailbox_.close(); }

    // --- any thread ---
    bool link_opened(core::LinkId link,
                     std::shared_ptr<ports::MasterConnection> connection) override;
    bool link_message(core::LinkId link,
                      std::shared_ptr<const internal::FromMaster> message) override;
    void link_closed(core::LinkId link) override;
    // Runs `look` on the owner's strand between two steps. It must be quick.
    bool look(Look look) { return mailbox_.try_push(std::move(look)); }

  private:
    struct NewLink {
        core::LinkId link;
        std::shared_ptr<ports::MasterConnection> connection;
    };
    // A start that waits for its files.
    struct Fetching {
        core::StartContainer start;
        bool stopped = false;
    };
    using Item = std::variant<core::Input, NewLink, ports::RuntimeEvent, ports::Fetched, Look>;

    void take(Item& item);
    void take_event(const ports::RuntimeEvent& event);
    void step(const core::Input& input);
    void take_fetched(const ports::Fetched& fetched);
    void act(const core::Action& action);
    void start(const core::StartContainer& start);
    void stop(const core::StopContainer& stop);
    void fail(const std::string& why, Remedy remedy);
    void send(const core::Send& send);
    void heard_of(const base::ContainerId& container);
    void settle_if_all_is_heard();
    base::Duration until_deadline() const;

    async::Mailbox<Item> mailbox_;
    std::unique_ptr<core::Core> core_;
    World world_;
    core::LinkId link_{};
    std::shared_ptr<ports::MasterConnection> connection_;
    std::map<base::ContainerId, Fetching> fetching_;
    bool failed_ = false;
    std::set<base::ContainerId> unheard_;  // asked for after the restart, not answered yet
    bool strangers_unseen_ = false;        // the runtime was asked for them
};

}  // namespace fairlead::nodeagentd::driver
