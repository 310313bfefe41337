#include "bench/launch/master_end.hpp"

#include "common/async/deadline.hpp"

#include <stdexcept>

namespace fairlead::bench {
namespace {

// An agent that is silent for so long while tasks are out has lost one.
constexpr auto silence_max = std::chrono::seconds(60);
// Longer than any measurement: nothing but tasks is on the link.
constexpr std::int64_t ping_interval_ms = 3'600'000;
constexpr const char* framework_id = "bench-launch";

v1::Resource scalar(const char* name, double value) {
    v1::Resource resource;
    resource.set_name(name);
    resource.set_type(v1::Value::SCALAR);
    resource.mutable_scalar()->set_value(value);
    return resource;
}

}  // namespace

void MasterEnd::send(internal::FromMaster message) {
    message.set_epoch(epoch_);
    if (!link_.send(message.SerializeAsString())) throw std::runtime_error("the link's queue is full");
}

async::awaitable<void> MasterEnd::let_register() {
    const auto frame = co_await link_.receive();
    internal::FromAgent message;
    if (!frame || !message.ParseFromString(*frame) || !message.has_register_())
        throw std::runtime_error("the agent's first message is no registration");
    const auto& registration = message.register_();
    epoch_ = registration.highest_epoch() + 1;
    agent_id_ = registration.agent_info().has_id() ? registration.agent_info().id().value() : "bench-agent";
    internal::FromMaster answer;
    auto* registered = answer.mutable_registered();
    registered->mutable_agent_id()->set_value(agent_id_);
    registered->set_ping_interval_ms(ping_interval_ms);
    registered->set_ping_timeout_ms(ping_interval_ms);
    send(std::move(answer));
}

void MasterEnd::launch() {
    const std::string id = "launch-" + std::to_string(++names_);
    internal::FromMaster message;
    auto* framework = message.mutable_launch_tasks()->mutable_framework_info();
    framework->set_user("root");
    framework->set_name("bench launch");
    framework->mutable_id()->set_value(framework_id);
    framework->add_roles("*");
    framework->add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    auto* task = message.mutable_launch_tasks()->add_tasks();
    task->set_name(id);
    task->mutable_task_id()->set_value(id);
    task->mutable_agent_id()->set_value(agent_id_);
    *task->add_resources() = scalar("cpus", 0.1);
    *task->add_resources() = scalar("mem", 32);
    task->mutable_command()->set_shell(false);
    task->mutable_command()->set_value("/bin/true");
    task->mutable_command()->add_arguments("true");
    sent_[id] = Clock::now();
    send(std::move(message));
}

async::awaitable<void> MasterEnd::receive_until(std::function<bool()> reached) {
    while (!reached()) {
        auto frame = co_await async::with_deadline(silence_max, "the agent's next update", link_.receive());
        if (!frame) throw std::runtime_error(frame.error().message());
        internal::FromAgent message;
        if (!message.ParseFromString(*frame)) throw std::runtime_error("the agent sent what is no message");
        if (message.has_status_update()) take(message.status_update());
    }
}

void MasterEnd::take(const internal::StatusUpdate& update) {
    const auto now = Clock::now();
    const auto& status = update.status();
    internal::FromMaster message;
    auto* acknowledge = message.mutable_acknowledge_status();
    *acknowledge->mutable_framework_id() = update.framework_id();
    *acknowledge->mutable_task_id() = status.task_id();
    acknowledge->set_uuid(status.uuid());
    send(std::move(message));

    const auto sent = sent_.find(status.task_id().value());
    if (sent == sent_.end()) return;  // repeated, its acknowledgement was under way
    switch (status.state()) {
        case v1::TASK_STARTING:
            return;
        case v1::TASK_RUNNING:
            running_times_.add(now - sent->second);
            last_running_ = now;
            return;
        case v1::TASK_FINISHED:
            finished_times_.add(now - sent->second);
            last_finished_ = now;
            sent_.erase(sent);
            return;
        default:
            throw std::runtime_error(status.task_id().value() + " ended as " + v1::TaskState_Name(status.state()) +
                                     ": " + status.message());
    }
}

void MasterEnd::reset_counts() {
    running_times_ = {};
    finished_times_ = {};
}

async::awaitable<MasterEnd::Serial> MasterEnd::serial(unsigned tasks) {
    reset_counts();
    for (unsigned i = 0; i < tasks; ++i) {
        launch();
        co_await receive_until([this] { return sent_.empty(); });
    }
    co_return Serial{std::move(running_times_), std::move(finished_times_)};
}

async::awaitable<Crowd> MasterEnd::crowd(unsigned tasks) {
    co_return co_await stream(tasks, tasks);
}

async::awaitable<Crowd> MasterEnd::stream(unsigned tasks, unsigned in_flight) {
    reset_counts();
    const auto start = Clock::now();
    unsigned launched = 0;
    while (finished_times_.count() < tasks) {
        while (launched < tasks && sent_.size() < in_flight) {
            launch();
            ++launched;
        }
        const auto before = finished_times_.count();
        co_await receive_until([&] { return finished_times_.count() > before; });
    }
    co_return Crowd{per_second(tasks, last_running_ - start), per_second(tasks, last_finished_ - start)};
}

}  // namespace fairlead::bench
