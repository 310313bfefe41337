#include "cli/run.hpp"

#include "cli/table.hpp"
#include "cli/views.hpp"
#include "common/async/deadline.hpp"
#include "common/async/task_group.hpp"
#include "sdk/scheduler.hpp"
#include "sdk/task.hpp"

#include <fmt/format.h>
#include <boost/asio/signal_set.hpp>

#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <map>

namespace fairlead::cli {

namespace {

constexpr auto output_pause = std::chrono::milliseconds(100);
constexpr auto hint_after = std::chrono::seconds(10);
constexpr auto kill_patience = std::chrono::seconds(15);
constexpr double not_again_seconds = 3600;
constexpr double failover_seconds = 60;

std::string account() {
    const auto* entry = getpwuid(geteuid());
    return entry != nullptr ? entry->pw_name : "root";
}

v1::FrameworkInfo framework_of(const RunOptions& options) {
    v1::FrameworkInfo framework;
    framework.set_user(options.user.empty() ? account() : options.user);
    framework.set_name("fairctl run " + options.name);
    framework.set_failover_timeout(failover_seconds);
    framework.set_checkpoint(true);
    framework.add_roles(options.role);
    framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
    return framework;
}

class Run : public sdk::SchedulerEvents {
  public:
    Run(Cluster& cluster, RunOptions options)
        : options_(std::move(options)),
          strand_(cluster.strand()),
          scheduler_(strand_,
                     {.masters = cluster.masters().addresses,
                      .framework = framework_of(options_),
                      .give_up_after = std::chrono::seconds(30)},
                     *this),
          signals_(strand_, SIGINT, SIGTERM),
          group_(strand_,
                 [this](std::string_view, std::exception_ptr failure) {
                     fmt::print(stderr, "fairctl: {}\n", async::describe(failure));
                     end(1);
                 }),
          waiting_(options_.instances) {}

    async::awaitable<int> run() {
        wait_for_signal();
        group_.spawn("hint", hint());
        auto ended = co_await scheduler_.run();
        signals_.cancel();
        group_.stop();
        co_await group_.join();
        if (!ended && !status_) co_return complain(ended.error());
        co_return status_.value_or(1);
    }

    void subscribed(const v1::scheduler::Event::Subscribed&) override {
        reconcile();
        lost_said_ = false;
    }
    void disconnected(const base::Error& error) override {
        if (!std::exchange(lost_said_, true))
            fmt::print(stderr, "fairctl: lost the master ({}); trying again\n", error.message());
    }
    void offers(const std::vector<v1::Offer>& offers) override {
        for (const auto& offer : offers) take(offer);
    }
    void update(const v1::TaskStatus& status) override;
    void call_failed(const v1::scheduler::Call& call, const base::Error& error) override {
        if (call.type() == v1::scheduler::Call::ACCEPT) reconcile();
        if (call.type() != v1::scheduler::Call::ACKNOWLEDGE)
            fmt::print(stderr, "fairctl: {}\n", error.message());
    }

  private:
    struct Instance {
        std::string agent;
        v1::AgentID agent_id;
        bool over = false;
        bool streaming = false;
        int copying = 0;  // output files that are still being read
        int status = 0;
    };

    void take(const v1::Offer& offer);
    void reconcile();
    v1::TaskInfo task_for(const v1::Offer& offer, unsigned index) const;
    async::awaitable<void> copy(std::string task, std::string file, std::FILE* to);
    async::awaitable<void> hint();
    async::awaitable<void> stop_waiting();
    void stream(const std::string& task);
    void finish_if_done();
    void wait_for_signal();
    void end(int status) {
        if (!status_) status_ = status;
        scheduler_.stop(sdk::Ending::teardown);
    }

    RunOptions options_;
    async::Executor strand_;
    sdk::Scheduler scheduler_;
    async::asio::signal_set signals_;
    async::TaskGroup group_;
    unsigned waiting_;
    unsigned launched_ = 0;
    std::map<std::string, Instance> tasks_;
    std::string largest_offer_;
    bool lost_said_ = false;
    bool interrupted_ = false;
    std::optional<int> status_;
    int first_failure_ = 0;
};

v1::TaskInfo Run::task_for(const v1::Offer& offer, unsigned index) const {
    auto command = sdk::program(options_.command);
    if (!options_.user.empty()) command.set_user(options_.user);
    for (const auto& setting : options_.environment) {
        auto& variable = *command.mutable_environment()->add_variables();
        const auto equals = setting.find('=');
        variable.set_name(setting.substr(0, equals));
        variable.set_value(setting.substr(equals + 1));
    }
    const auto id =
        options_.instances == 1 ? options_.name : fmt::format("{}.{}", options_.name, index);
    auto task = sdk::command_task(offer, id, options_.name, std::move(command), options_.cpus,
                                  options_.mem_mb);
    if (options_.timeout)
        task.mutable_max_completion_time()->set_nanoseconds(options_.timeout->count());
    return task;
}

void Run::take(const v1::Offer& offer) {
    v1::Offer left = offer;
    double cpus = sdk::scalar_of(offer, "cpus"), mem = sdk::scalar_of(offer, "mem");
    largest_offer_ =
        fmt::format("{} cpus and {} on {}", cpus_text(cpus), megabytes_text(mem), offer.hostname());
    std::vector<v1::TaskInfo> tasks;
    while (waiting_ > 0 && !interrupted_ && cpus + 1e-6 >= options_.cpus &&
           mem + 1e-6 >= options_.mem_mb) {
        cpus -= options_.cpus;
        mem -= options_.mem_mb;
        --waiting_;
        tasks.push_back(task_for(left, launched_++));
        sdk::use_up(left, tasks.back());
        auto& instance = tasks_[tasks.back().task_id().value()];
        instance.agent = sdk::agent_address(offer);
        instance.agent_id = offer.agent_id();
    }
    if (tasks.empty())
        (void)scheduler_.decline({offer.id()}, waiting_ > 0 ? 2 : not_again_seconds);
    else
        (void)scheduler_.launch(offer, std::move(tasks), waiting_ > 0 ? 2 : not_again_seconds);
    if (waiting_ == 0) (void)scheduler_.suppress();
}

// By name: of a launch that got lost nobody would speak otherwise.
void Run::reconcile() {
    std::vector<v1::scheduler::Call::Reconcile::Task> open;
    for (const auto& [id, instance] : tasks_) {
        if (instance.over) continue;
        open.emplace_back().mutable_task_id()->set_value(id);
        *open.back().mutable_agent_id() = instance.agent_id;
    }
    if (!open.empty()) (void)scheduler_.reconcile(std::move(open));
}

void Run::update(const v1::TaskStatus& status) {
    const auto found = tasks_.find(status.task_id().value());
    if (found == tasks_.end() || found->second.over) return;
    if (status.state() == v1::TASK_RUNNING) stream(found->first);
    const bool unknown = status.state() == v1::TASK_UNKNOWN;  // nobody has it, so it does not run
    if (!sdk::is_terminal(status.state()) && !unknown) return;

    auto& instance = found->second;
    instance.status = exit_status_of_task(status);
    instance.over = true;
    if (instance.status != 0 && first_failure_ == 0) first_failure_ = instance.status;
    if (status.state() != v1::TASK_FINISHED && !interrupted_)
        fmt::print(stderr, "fairctl: task {} {}{}{}\n", found->first,
                   state_text(v1::TaskState_Name(status.state())),
                   status.message().empty() ? "" : ": ", status.message());
    // A task so short that RUNNING was merged into its end still has output.
    if (status.state() == v1::TASK_FINISHED || status.state() == v1::TASK_FAILED)
        stream(found->first);
    finish_if_done();
}

void Run::stream(const std::string& task) {
    auto& instance = tasks_[task];
    if (instance.streaming || instance.agent.empty()) return;
    instance.streaming = true;
    instance.copying = 2;
    group_.spawn("stdout of " + task, copy(task, "stdout", stdout));
    group_.spawn("stderr of " + task, copy(task, "stderr", stderr));
}

async::awaitable<void> Run::copy(std::string task, std::string name, std::FILE* to) {
    const auto prefix = options_.instances == 1 ? std::string() : task + ": ";
    std::string line;  // with several instances, whole lines only
    int failures = 0;
    auto file =
        OutputFile::open(strand_, tasks_[task].agent, scheduler_.framework_id(), task, name);
    while (file) {
        const bool over = tasks_[task].over;
        auto text = co_await file->next();
        // A task that never got so far as to have a sandbox.
        if (!text && over && text.error().code() == base::ErrorCode::not_found) break;
        if (!text && ++failures > 20) {
            fmt::print(stderr, "fairctl: {} of {}: {}\n", name, task, text.error().message());
            break;
        }
        if (text && !text->empty()) {
            failures = 0;
            if (prefix.empty()) {
                std::fwrite(text->data(), 1, text->size(), to);
            } else {
                line += *text;
                for (auto at = line.find('\n'); at != std::string::npos; at = line.find('\n')) {
                    fmt::print(to, "{}{}", prefix, line.substr(0, at + 1));
                    line.erase(0, at + 1);
                }
            }
            std::fflush(to);
            continue;
        }
        if (text && over) break;
        co_await async::sleep_for(output_pause);
    }
    if (!line.empty()) fmt::print(to, "{}{}\n", prefix, line);
    --tasks_[task].copying;
    finish_if_done();
}

void Run::finish_if_done() {
    if (waiting_ > 0 && !interrupted_) return;
    for (const auto& [task, instance] : tasks_)
        if (!instance.over || instance.copying > 0) return;
    end(interrupted_ ? 130 : first_failure_);
}

void Run::wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int number) {
        if (error) return;
        if (std::exchange(interrupted_, true)) {
            end(128 + number);
            return;
        }
        for (const auto& [task, instance] : tasks_) {
            v1::TaskID id;
            id.set_value(task);
            if (!instance.over) (void)scheduler_.kill(id, instance.agent_id);
        }
        group_.spawn("patience", stop_waiting());
        finish_if_done();
        wait_for_signal();
    });
}

async::awaitable<void> Run::stop_waiting() {
    co_await async::sleep_for(kill_patience);
    end(130);
}

async::awaitable<void> Run::hint() {
    for (;;) {
        co_await async::sleep_for(hint_after);
        if (waiting_ == 0) co_return;
        if (!scheduler_.subscribed()) continue;
        fmt::print(
            stderr, "fairctl: waiting for {} cpus and {} on one agent; {}\n",
            cpus_text(options_.cpus), megabytes_text(options_.mem_mb),
            largest_offer_.empty() ? "nothing was offered yet" : "last offer: " + largest_offer_);
    }
}

}  // namespace

async::awaitable<int> run_command(Cluster cluster, RunOptions options) {
    if (options.name.empty())
        options.name = fmt::format(
            "{}-{}", options.command.front().substr(options.command.front().rfind('/') + 1),
            getpid());
    Run run(cluster, std::move(options));
    co_return co_await run.run();
}

}  // namespace fairlead::cli
