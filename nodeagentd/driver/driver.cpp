#include "nodeagentd/driver/driver.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fairlead::nodeagentd::driver {
namespace {

constexpr std::size_t mailbox_inputs_max = 100'000;
constexpr std::size_t batch_inputs_max = 256;
constexpr std::size_t looks_at_once_max = 16;
constexpr base::Duration idle_max = std::chrono::seconds(1);

ports::ContainerSpec spec_of(const core::StartContainer& start) {
    ports::ContainerSpec spec;
    spec.id = start.container_id;
    spec.framework = start.framework_id;
    spec.task = start.task_id;
    spec.framework_name = start.framework_name;
    spec.task_name = start.task_name;
    spec.argv = start.argv;
    spec.environment.assign(start.environment.begin(), start.environment.end());
    spec.user = start.user;
    spec.sandbox = start.sandbox;
    spec.resources.cpus = start.cpus;
    if (start.cpus_limit && std::isfinite(*start.cpus_limit))
        spec.resources.cpus_max = start.cpus_limit;
    if (!start.memory_limit_bytes && start.memory_bytes > 0)
        spec.resources.memory_bytes_max = start.memory_bytes;
    else if (start.memory_limit_bytes &&
             *start.memory_limit_bytes != std::numeric_limits<std::uint64_t>::max())
        spec.resources.memory_bytes_max = start.memory_limit_bytes;
    spec.kill_grace = start.kill_grace;
    spec.max_completion_time = start.max_completion_time;
    return spec;
}

core::ContainerEnded::Cause cause_of(ports::EndCause cause) {
    using Cause = core::ContainerEnded::Cause;
    switch (cause) {
        case ports::EndCause::administrator:
            return Cause::administrator;
        case ports::EndCause::out_of_memory:
            return Cause::out_of_memory;
        case ports::EndCause::max_completion_time:
            return Cause::time_limit;
        default:
            return Cause::lost;
    }
}

core::ContainerEnded ended(const ports::Exited& event) {
    core::ContainerEnded end;
    end.container_id = event.container;
    end.detail = event.message;
    end.memory_peak_bytes = event.usage.memory_bytes_peak;
    end.cpu_time_us = (event.usage.cpu_user + event.usage.cpu_system).count();
    end.cause = cause_of(event.cause);
    if (event.cause != ports::EndCause::own && event.cause != ports::EndCause::stop_requested)
        return end;
    if (WIFSIGNALED(event.wait_status)) {
        end.cause = core::ContainerEnded::Cause::signalled;
        end.signal = WTERMSIG(event.wait_status);
    } else {
        end.cause = core::ContainerEnded::Cause::exited;
        end.exit_status = WEXITSTATUS(event.wait_status);
    }
    return end;
}

core::ContainerEnded ended(const ports::ScopeGone& event) {
    core::ContainerEnded end;
    end.container_id = event.container;
    end.detail = event.message;
    end.cause = cause_of(event.cause);
    return end;
}

}  // namespace

Driver::Driver(async::Executor owner, std::unique_ptr<core::Core> core, World world)
    : Driver(std::move(owner), std::move(core), std::move(world), Limits()) {}

Driver::Driver(async::Executor owner, std::unique_ptr<core::Core> core, World world, Limits limits)
    : limits_(limits),
      mailbox_(std::move(owner), mailbox_inputs_max),
      core_(std::move(core)),
      world_(std::move(world)) {
    world_.runtime->set_sink([this](ports::RuntimeEvent event) {
        // An end that is not heard is a task that never ends: better to start again from the
        // checkpoints.
        if (!mailbox_.try_push(std::move(event)) && !mailbox_.closed())
            world_.fatal("the agent's mailbox is full", Remedy::try_again);
    });
    world_.fetcher->set_sink([this](ports::Fetched fetched) {
        if (!mailbox_.try_push(std::move(fetched)) && !mailbox_.closed())
            world_.fatal("the agent's mailbox is full", Remedy::try_again);
    });
}

async::awaitable<void> Driver::run(core::Recovered recovered) {
    step(recovered);
    while (!mailbox_.closed() && !failed_) {
        auto batch = co_await mailbox_.pop_batch(batch_inputs_max, until_deadline());
        for (Item& item : batch) {
            answer_looks();
            take(item);
        }
        const auto now = base::read_clocks().instant;
        if (write_due_ && now >= *write_due_) fail_write("writing its record to the disk takes too long");
        if (const auto due = core_->next_deadline(); due && now >= *due) step(core::TimePassed{});
    }
}

base::Duration Driver::until_deadline() const {
    auto deadline = core_->next_deadline();
    if (write_due_ && (!deadline || *write_due_ < *deadline)) deadline = write_due_;
    if (!deadline) return idle_max;
    return std::min<base::Duration>(*deadline - base::read_clocks().instant, idle_max);
}

// An owner that sleeps has an empty mailbox: where there is no room for the second, it is awake.
bool Driver::look_at_once(Look look) {
    {
        const std::lock_guard lock(looks_mutex_);
        if (looks_.size() >= looks_at_once_max) return false;
        looks_.push_back(std::move(look));
    }
    any_looks_ = true;
    mailbox_.try_push(Look([](const core::State&) {}));
    return true;
}

void Driver::answer_looks() {
    if (failed_ || !any_looks_.exchange(false)) return;
    std::vector<Look> looks;
    {
        const std::lock_guard lock(looks_mutex_);
        looks.swap(looks_);
    }
    for (const Look& look : looks) look(core_->state());
}

void Driver::take(Item& item) {
    if (failed_) return;
    if (auto* input = std::get_if<core::Input>(&item)) {
        step(*input);
        if (std::holds_alternative<core::StrangersSeen>(*input)) {
            strangers_unseen_ = false;
            settle_if_all_is_heard();
        }
    } else if (auto* opened = std::get_if<NewLink>(&item)) {
        link_ = opened->link;
        connection_ = std::move(opened->connection);
        step(core::LinkOpened{link_, connection_->master()});
    } else if (auto* event = std::get_if<ports::RuntimeEvent>(&item)) {
        take_event(*event);
    } else if (auto* fetched = std::get_if<ports::Fetched>(&item)) {
        take_fetched(*fetched);
    } else if (const auto* written = std::get_if<Written>(&item)) {
        take_written(written->status);
    } else {
        std::get<Look>(item)(core_->state());
    }
}

void Driver::take_event(const ports::RuntimeEvent& event) {
    base::ContainerId container;
    if (const auto* started = std::get_if<ports::Started>(&event)) {
        container = started->container;
        step(core::ContainerStarted{container, started->pid, started->unit});
    } else if (const auto* recovered = std::get_if<ports::Recovered>(&event)) {
        container = recovered->container;
        step(core::ContainerStarted{container, recovered->pid, recovered->unit});
    } else if (const auto* failed = std::get_if<ports::StartFailed>(&event)) {
        container = failed->container;
        step(core::ContainerStartFailed{container, failed->message});
    } else if (const auto* exited = std::get_if<ports::Exited>(&event)) {
        container = exited->container;
        step(ended(*exited));
    } else {
        const auto& gone = std::get<ports::ScopeGone>(event);
        container = gone.container;
        step(ended(gone));
    }
    heard_of(container);
}

void Driver::take_fetched(const ports::Fetched& fetched) {
    const auto found = fetching_.find(fetched.container);
    if (found == fetching_.end()) return;
    const Fetching fetching = std::move(found->second);
    fetching_.erase(found);
    if (fetched.status && !fetching.stopped) return world_.runtime->start(spec_of(fetching.start));
    step(core::ContainerStartFailed{fetched.container, fetched.status ? "" : fetched.status.error().message()});
}

void Driver::heard_of(const base::ContainerId& container) {
    if (unheard_.erase(container) > 0) settle_if_all_is_heard();
}

void Driver::settle_if_all_is_heard() {
    if (unheard_.empty() && !strangers_unseen_) step(core::RuntimeSettled{});
}

void Driver::fail(const std::string& why, Remedy remedy) {
    failed_ = true;
    world_.fatal(why, remedy);
}

void Driver::step(const core::Input& input) {
    if (failed_) return;
    Waiting waiting{core_->step(base::read_clocks(), input), 0};
    for (const auto& persist : waiting.output.persist) {
        const auto* agent = std::get_if<core::PersistAgent>(&persist);
        if (agent == nullptr) continue;
        next_record_ = agent->record;
        waiting.write = writes_over_ + (write_due_ ? 2 : 1);
    }
    queue_.push_back(std::move(waiting));
    carry_out_all();
    if (queue_.size() > limits_.waiting_outputs_max) fail_write("too much waits for its record to be on the disk");
}

void Driver::carry_out_all() {
    while (!failed_ && !queue_.empty() && queue_.front().write <= writes_over_) {
        const Waiting first = std::move(queue_.front());
        queue_.pop_front();
        carry_out(first.output);
    }
    if (!failed_ && next_record_ && !write_due_) start_write();
}

void Driver::carry_out(const core::Output& output) {
    for (const auto& persist : output.persist) {
        if (std::holds_alternative<core::PersistAgent>(persist)) continue;
        if (auto written = world_.persist(persist); !written) return fail_write(written.error().message());
    }
    for (const auto& action : output.actions) act(action);
    for (const auto& one : output.sends) send(one);
    for (const auto& report : output.reports) world_.report(report);
    if (output.fatal) fail(*output.fatal, Remedy::ask_operator);
}

void Driver::start_write() {
    write_due_ = base::read_clocks().instant + limits_.write_max;
    world_.persist_agent(*std::exchange(next_record_, std::nullopt),
                         [this](base::Status status) { mailbox_.push(Written{std::move(status)}); });
}

void Driver::take_written(const base::Status& status) {
    write_due_.reset();
    if (!status) return fail_write(status.error().message());
    ++writes_over_;
    carry_out_all();
}

void Driver::fail_write(const std::string& why) {
    fail("The agent ends because it cannot write down what it has to remember: " + why + "; tasks go on without it",
         Remedy::try_again);
}

void Driver::start(const core::StartContainer& start) {
    if (start.fetches.empty()) return world_.runtime->start(spec_of(start));
    fetching_[start.container_id] = Fetching{start};
    world_.fetcher->fetch({start.container_id, start.sandbox, start.user, start.fetches});
}

void Driver::stop(const core::StopContainer& stop) {
    const auto fetching = fetching_.find(stop.container_id);
    if (fetching == fetching_.end()) return world_.runtime->stop(stop.container_id, stop.grace);
    fetching->second.stopped = true;
    world_.fetcher->cancel(stop.container_id);
}

void Driver::act(const core::Action& action) {
    if (const auto* start_one = std::get_if<core::StartContainer>(&action)) {
        start(*start_one);
    } else if (const auto* stop_one = std::get_if<core::StopContainer>(&action)) {
        stop(*stop_one);
    } else if (const auto* release = std::get_if<core::ReleaseContainer>(&action)) {
        world_.runtime->release(release->container_id);
    } else {
        const auto& recover = std::get<core::RecoverContainers>(action);
        std::vector<ports::KnownContainer> known;
        for (const auto& one : recover.known) {
            unheard_.insert(one.container_id);
            known.push_back({one.container_id, one.framework_id, one.task_id, one.framework_name,
                             one.cpus, one.kill_grace, one.max_completion_time,
                             one.stop_requested});
        }
        std::vector<ports::EndedContainer> ended;
        for (const auto& one : recover.ended) ended.push_back({one.container_id, one.framework_id, one.task_id});
        ports::StrangersSink strangers;
        if (recover.spare_strangers)
            strangers = [this](std::vector<std::string> units) {
                mailbox_.push(core::Input(core::StrangersSeen{std::move(units)}));
            };
        strangers_unseen_ = recover.spare_strangers;
        world_.runtime->recover(std::move(known), std::move(ended), std::move(strangers));
        if (unheard_.empty() && !strangers_unseen_) mailbox_.push(core::Input(core::RuntimeSettled{}));
    }
}

void Driver::send(const core::Send& send) {
    if (const auto* message = std::get_if<core::SendToMaster>(&send)) {
        if (connection_ && message->link == link_) connection_->send(message->message);
    } else if (const auto& close = std::get<core::CloseLink>(send); connection_ && close.link == link_) {
        connection_->close(close.pause_min);
        connection_.reset();
    }
}

bool Driver::link_opened(core::LinkId link, std::shared_ptr<ports::MasterConnection> connection) {
    return mailbox_.try_push(NewLink{link, std::move(connection)});
}

bool Driver::link_message(core::LinkId link, std::shared_ptr<const internal::FromMaster> message) {
    return mailbox_.try_push(core::Input(core::LinkMessage{link, std::move(message)}));
}

void Driver::link_closed(core::LinkId link) {
    mailbox_.push(core::Input(core::LinkClosed{link}));
}

}  // namespace fairlead::nodeagentd::driver
