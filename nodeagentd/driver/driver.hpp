#pragma once
// The owner of the agent's core: one strand, one mailbox in, every Output carried out in its order:
// persist, act, send, report. A write that fails ends the process by the fatal handler, and nothing
// more is done: nothing may be told that was not written down. A task with uris is started when they
// have been fetched. What it knows of the world is the ports and the functions below.
//
// The agent's own record is on the host's disk, which may be slow. The core does not wait for it and goes on
// taking steps; what it decides with that record or after it queues up behind the write, and the newest
// record of those that have come together is the next write (decisions 0060, 0070). A write that takes too
// long has failed, and so has a queue that is too long.

#include "common/async/asio.hpp"
#include "common/async/mailbox.hpp"
#include "nodeagentd/core/core.hpp"
#include "nodeagentd/ports/fetcher.hpp"
#include "nodeagentd/ports/master_link.hpp"
#include "nodeagentd/ports/runtime.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace fairlead::nodeagentd::driver {

// What helps when the agent has to end: another process, or nothing before somebody has done something.
enum class Remedy { try_again, ask_operator };

struct World {
    ports::Runtime* runtime = nullptr;  // outlives the driver, as the fetcher does
    ports::Fetcher* fetcher = nullptr;
    // In the host's memory: all but the agent's own record.
    std::function<base::Status(const core::Persist&)> persist;
    // On its disk. `done` is called once, on any thread, unless the driver has gone by then.
    std::function<void(internal::AgentRecord, std::function<void(base::Status)> done)> persist_agent;
    std::function<void(const core::Report&)> report;
    std::function<void(const std::string&, Remedy)> fatal;
};

class Driver : public ports::LinkEvents {
  public:
    using Look = std::function<void(const core::State&)>;
    struct Limits {
        std::size_t waiting_outputs_max = 100'000;  // behind a write
        base::Duration write_max = std::chrono::seconds(60);
    };

    Driver(async::Executor owner, std::unique_ptr<core::Core> core, World world);
    Driver(async::Executor owner, std::unique_ptr<core::Core> core, World world, Limits limits);

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
    // As look(), but before all that waits in the mailbox, also when that is full: for whoever asks whether the owner's
    // strand still takes steps. false: so many ask already that it hardly does.
    bool look_at_once(Look look);

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
    // The write of the agent's record is over.
    struct Written {
        base::Status status;
    };
    using Item = std::variant<core::Input, NewLink, ports::RuntimeEvent, ports::Fetched, Written, Look>;

    // What the core has decided, and the world has not been told.
    struct Waiting {
        core::Output output;
        std::uint64_t write = 0;  // the number of that which has to be over first
    };

    void take(Item& item);
    void answer_looks();
    void take_event(const ports::RuntimeEvent& event);
    void step(const core::Input& input);
    void carry_out_all();
    void carry_out(const core::Output& output);
    void start_write();
    void take_written(const base::Status& status);
    void fail_write(const std::string& why);
    void take_fetched(const ports::Fetched& fetched);
    void act(const core::Action& action);
    void start(const core::StartContainer& start);
    void stop(const core::StopContainer& stop);
    void fail(const std::string& why, Remedy remedy);
    void send(const core::Send& send);
    void heard_of(const base::ContainerId& container);
    void settle_if_all_is_heard();
    base::Duration until_deadline() const;

    const Limits limits_;
    async::Mailbox<Item> mailbox_;
    std::mutex looks_mutex_;
    std::vector<Look> looks_;  // that do not wait for the mailbox
    std::atomic<bool> any_looks_{false};
    std::unique_ptr<core::Core> core_;
    World world_;
    core::LinkId link_{};
    std::shared_ptr<ports::MasterConnection> connection_;
    std::map<base::ContainerId, Fetching> fetching_;
    bool failed_ = false;
    std::deque<Waiting> queue_;
    std::optional<internal::AgentRecord> next_record_;  // to be written
    std::optional<base::Instant> write_due_;            // a write is at hand, and has failed then
    std::uint64_t writes_over_ = 0;
    std::set<base::ContainerId> unheard_;  // asked for after the restart, not answered yet
    bool strangers_unseen_ = false;        // the runtime was asked for them
};

}  // namespace fairlead::nodeagentd::driver
