// chaos_sdk_framework FOLDER MASTER...: one of two schedulers of a framework on the sdk; the other one stands by. It
// does what pymesos_framework.py does: works off items until FOLDER/drain is there, and then until all that was begun
// is done. Both schedulers write to FOLDER/sdk, and the one that becomes active reads it first.

#include "sdk/scheduler.hpp"
#include "sdk/task.hpp"
#include "sdk_ledger.hpp"

#include <unistd.h>

#include <filesystem>
#include <iostream>

using namespace fairlead;
using v1::scheduler::Call;

namespace {

constexpr std::size_t open_max = 12;
constexpr auto ask_pause = std::chrono::seconds(3);
// A task that the master does not know of may be on an agent that has not found it yet: longer than any fault lasts.
constexpr auto unknown_patience = std::chrono::seconds(45);
constexpr double cpus = 0.1, mem_mb = 32;

v1::FrameworkInfo description() {
    v1::FrameworkInfo framework;
    framework.set_name("chaos-sdk");
    framework.set_user("root");
    framework.mutable_id()->set_value("chaos-sdk");
    framework.set_failover_timeout(3600);
    framework.set_checkpoint(true);
    framework.add_roles("*");
    framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
    return framework;
}

class Framework : public sdk::SchedulerEvents {
  public:
    Framework(async::Executor strand, std::filesystem::path folder, std::vector<std::string> masters)
        : scheduler(strand,
                    {.masters = std::move(masters), .framework = description(),
                     .acknowledge = sdk::Acknowledge::by_framework, .standby = true},
                    *this),
          ledger_(folder / "sdk"), drain_(folder / "drain") {
        note("started");
        name_ = "s-" + std::to_string(ledger_.starts()) + "-" + std::to_string(::getpid()) + "-";
    }

    void subscribed(const v1::scheduler::Event::Subscribed& event) override {
        note("subscribed", {{"master", event.master_info().hostname()}});
        active_ = true;
        take_over();
    }
    void standing_by() override {
        active_ = false;
        note("standing_by");
    }
    void disconnected(const base::Error& error) override {
        active_ = false;
        note("disconnected", {{"message", error.message()}});
    }

    void offers(const std::vector<v1::Offer>& offers) override {
        for (const auto& offer : offers) {
            const auto item = ledger_.item_to_do(is_draining());
            const bool has_room = sdk::scalar_of(offer, "cpus") >= cpus && sdk::scalar_of(offer, "mem") >= mem_mb;
            if (item && has_room && ledger_.open_tasks().size() < open_max)
                launch(offer, *item);
            else
                (void)scheduler.decline({offer.id()}, 1);
        }
    }

    void update(const v1::TaskStatus& status) override {
        const std::string& id = status.task_id().value();
        note("update", {{"task", id}, {"state", v1::TaskState_Name(status.state())}, {"agent", status.agent_id().value()},
                        {"uuid", hex(status.uuid())}, {"source", v1::TaskStatus::Source_Name(status.source())},
                        {"reason", status.has_reason() ? v1::TaskStatus::Reason_Name(status.reason()) : ""},
                        {"message", status.message()}});
        (void)scheduler.acknowledge(status);
        chaos::Task* const task = ledger_.find(id);
        if (!task) return;
        if (status.state() != v1::TASK_UNKNOWN) task->unknown_since.reset();
        if (status.state() == v1::TASK_RUNNING && chaos::kind_of(task->item) == chaos::Kind::killed) {
            note("kill", {{"task", id}});
            (void)scheduler.kill(status.task_id());
        } else if (status.state() == v1::TASK_UNKNOWN && !task->fresh) {
            const auto now = std::chrono::steady_clock::now();
            if (!task->unknown_since) task->unknown_since = now;
            if (now - *task->unknown_since >= unknown_patience) note("gave_up", {{"task", id}});
        }
    }

    // What was refused was never launched; of all else nobody knows, and reconciliation tells.
    void call_failed(const Call& call, const base::Error& error) override {
        const bool refused = error.code() == base::ErrorCode::invalid_argument ||
                             error.code() == base::ErrorCode::permission_denied ||
                             error.code() == base::ErrorCode::conflict;
        for (const auto& operation : call.accept().operations())
            for (const auto& task : operation.launch().task_infos())
                note(refused ? "refused" : "unsure", {{"task", task.task_id().value()}, {"message", error.message()}});
    }

    async::awaitable<void> ask_now_and_then() {
        for (;;) {
            async::asio::steady_timer timer(co_await async::asio::this_coro::executor, ask_pause);
            co_await timer.async_wait(async::asio::use_awaitable);
            if (!active_) continue;
            // The other scheduler may have begun something in its last moments.
            if (is_draining()) ledger_.read();
            reconcile();
            if (is_draining() && ledger_.is_done() && !std::exchange(told_drained_, true)) note("drained");
        }
    }

    sdk::Scheduler scheduler;

  private:
    void note(const char* what, boost::json::object record = {}) {
        record["what"] = what;
        record["by"] = ::getpid();
        ledger_.write(std::move(record));
    }

    bool is_draining() const { return std::filesystem::exists(drain_); }

    // Launches of earlier subscriptions cannot arrive any more.
    void take_over() {
        ledger_.read();
        for (const auto& [id, task] : ledger_.open_tasks()) ledger_.find(id)->fresh = false;
        reconcile();
    }

    void reconcile() {
        std::vector<Call::Reconcile::Task> tasks;
        for (const auto& [id, task] : ledger_.open_tasks()) {
            tasks.emplace_back().mutable_task_id()->set_value(id);
            tasks.back().mutable_agent_id()->set_value(task.agent);
        }
        if (!tasks.empty()) (void)scheduler.reconcile(std::move(tasks));
    }

    void launch(const v1::Offer& offer, int item) {
        const std::string id = name_ + std::to_string(next_task_++);
        note("launch", {{"task", id}, {"item", item}, {"agent", offer.agent_id().value()}, {"host", offer.hostname()}});
        const auto command = sdk::shell_command(chaos::script_of(item));
        (void)scheduler.launch(offer, {sdk::command_task(offer, id, id, command, cpus, mem_mb)}, 0);
    }

    static std::string hex(const std::string& bytes) {
        std::string text;
        for (const unsigned char byte : bytes) {
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 15];
        }
        return text;
    }

    chaos::Ledger ledger_;
    std::filesystem::path drain_;
    std::string name_;
    int next_task_ = 0;
    bool active_ = false;
    bool told_drained_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "chaos_sdk_framework FOLDER MASTER...\n";
        return 2;
    }
    async::asio::io_context context(1);
    Framework framework(context.get_executor(), argv[1], {argv + 2, argv + argc});
    async::asio::co_spawn(context, framework.scheduler.run(), [&](std::exception_ptr failure, base::Status ended) {
        if (failure) std::rethrow_exception(failure);
        std::cerr << "ended: " << (ended ? "without a reason" : ended.error().message()) << std::endl;
        context.stop();
    });
    async::asio::co_spawn(context, framework.ask_now_and_then(), async::asio::detached);
    context.run();
    return 1;
}
