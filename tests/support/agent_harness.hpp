#pragma once
// An agent's core with everything around it played by the test: the checkpoints are a map that
// outlives the agent, as the disk does, time stands until it is moved, and the invariants are
// checked after every step. The runtime does nothing by itself: a test says what became of a
// container.

#include "nodeagentd/core/core.hpp"
#include "nodeagentd/core/invariants.hpp"
#include "nodeagentd/core/reboot.hpp"
#include "tests/support/master_messages.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::tests {

class AgentHarness {
  public:
    using Output = nodeagentd::core::Output;
    static constexpr const char* framework = "f";
    static constexpr const char* cluster = "harbour";

    explicit AgentHarness(nodeagentd::core::CoreOptions options = with(agent_info("agent1")))
        : options_(std::move(options)) {
        fresh_core();
    }

    static nodeagentd::core::CoreOptions with(const v1::AgentInfo& info) {
        nodeagentd::core::CoreOptions options;
        options.agent_info = info;
        options.version = "0.1.0";
        options.boot_id = "boot";
        return options;
    }

    Output step(const nodeagentd::core::Input& input) {
        Output output = core_->step(now_, input);
        for (const auto& persist : output.persist) write_down(persist);
        for (const auto& broken : nodeagentd::core::broken_invariants(state()))
            ADD_FAILURE() << broken;
        return output;
    }
    Output pass(base::Duration time) {
        now_.instant += time;
        now_.wall += time;
        return step(nodeagentd::core::TimePassed{});
    }

    // --- the process ---
    // A new one that has nothing but what is on disk. What it wants from the runtime is in the
    // output; nothing has been heard of any container yet.
    Output restart() {
        fresh_core();
        return step(found_on_disk());
    }
    Output restart(nodeagentd::core::CoreOptions options) {
        options_ = std::move(options);
        return restart();
    }
    // The host was booted: of the tasks nothing is left but what is kept of their records.
    Output reboot() {
        options_.boot_id += ", and again";
        for (const auto& [id, record] : std::exchange(container_records, {}))
            if (auto kept = nodeagentd::core::kept_over_a_reboot(record)) container_records[id] = *std::move(kept);
        return restart();
    }
    nodeagentd::core::Recovered found_on_disk() const {
        nodeagentd::core::Recovered found;
        found.agent = agent_record;
        for (const auto& [id, record] : framework_records) found.frameworks.push_back(record);
        for (const auto& [id, record] : container_records) found.containers.push_back(record);
        return found;
    }

    // --- the link ---
    Output open_link() {
        link_ = nodeagentd::core::LinkId{static_cast<std::uint64_t>(link_) + 1};
        return step(nodeagentd::core::LinkOpened{link_});
    }
    Output close_link() { return step(nodeagentd::core::LinkClosed{link_}); }
    Output from_master(internal::FromMaster message, std::uint64_t epoch = 3) {
        message.set_epoch(epoch);
        return step(nodeagentd::core::LinkMessage{
            link_, std::make_shared<internal::FromMaster>(std::move(message))});
    }
    static internal::FromMaster registered_message() {
        internal::FromMaster message;
        auto& registered = *message.mutable_registered();
        registered.mutable_agent_id()->set_value("A");
        registered.set_cluster_id(cluster);
        registered.set_ping_interval_ms(15'000);
        registered.set_ping_timeout_ms(75'000);
        return message;
    }
    Output link_up() {
        open_link();
        return from_master(registered_message());
    }
    // From nothing to an agent that waits for work.
    void start() {
        restart();
        step(nodeagentd::core::RuntimeSettled{});
        link_up();
    }

    // --- what a master says ---
    Output launch(const v1::TaskInfo& task, std::initializer_list<Capability::Type> capabilities = {
                                                Capability::PARTITION_AWARE}) {
        internal::FromMaster message;
        auto& launch = *message.mutable_launch_tasks();
        *launch.mutable_framework_info() = framework_info(capabilities);
        launch.mutable_framework_info()->mutable_id()->set_value(framework);
        *launch.add_tasks() = task;
        return from_master(std::move(message));
    }
    Output launch(const std::string& id, double cpus = 1) {
        return launch(command_task(id, "A", cpus));
    }
    Output kill(const std::string& id, std::optional<base::Duration> grace = std::nullopt) {
        internal::FromMaster message;
        auto& kill = *message.mutable_kill_task();
        kill.mutable_framework_id()->set_value(framework);
        kill.mutable_task_id()->set_value(id);
        if (grace)
            kill.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(grace->count());
        return from_master(std::move(message));
    }
    Output revoke(const std::string& id, const std::string& why) {
        internal::FromMaster message;
        auto& kill = *message.mutable_kill_task();
        kill.mutable_framework_id()->set_value(framework);
        kill.mutable_task_id()->set_value(id);
        kill.set_reason(v1::TaskStatus::REASON_TASK_REVOKED);
        kill.set_message(why);
        return from_master(std::move(message));
    }
    Output acknowledge(const std::string& id, const std::string& uuid) {
        internal::FromMaster message;
        auto& acknowledge = *message.mutable_acknowledge_status();
        acknowledge.mutable_framework_id()->set_value(framework);
        acknowledge.mutable_task_id()->set_value(id);
        acknowledge.set_uuid(uuid);
        return from_master(std::move(message));
    }
    Output acknowledge(const v1::TaskStatus& status) {
        return acknowledge(status.task_id().value(), status.uuid());
    }
    Output shut_down_framework() {
        internal::FromMaster message;
        message.mutable_shutdown_framework()->mutable_framework_id()->set_value(framework);
        return from_master(std::move(message));
    }

    // --- what a runtime says ---
    Output started(const std::string& id) {
        return step(nodeagentd::core::ContainerStarted{container(id), 42, id + ".scope"});
    }
    Output start_failed(const std::string& id, const std::string& why) {
        return step(nodeagentd::core::ContainerStartFailed{container(id), why});
    }
    Output ended(const std::string& id, int exit_status = 0) {
        nodeagentd::core::ContainerEnded end;
        end.container_id = container(id);
        end.exit_status = exit_status;
        return step(end);
    }

    // --- looking ---
    const nodeagentd::core::State& state() const { return core_->state(); }
    std::optional<base::Instant> next_deadline() const { return core_->next_deadline(); }
    base::ContainerId container(const std::string& id) const {
        const auto found = state().tasks.find({base::FrameworkId(framework), base::TaskId(id)});
        return found == state().tasks.end() ? base::ContainerId("none") : found->second;
    }
    const nodeagentd::core::Container* find(const std::string& id) const {
        const auto found = state().containers.find(container(id));
        return found == state().containers.end() ? nullptr : &found->second;
    }
    static std::vector<internal::FromAgent> sent(const Output& output) {
        std::vector<internal::FromAgent> messages;
        for (const auto& send : output.sends)
            if (const auto* one = std::get_if<nodeagentd::core::SendToMaster>(&send))
                messages.push_back(*one->message);
        return messages;
    }
    static std::vector<v1::TaskStatus> updates(const Output& output) {
        std::vector<v1::TaskStatus> statuses;
        for (const auto& message : sent(output))
            if (message.has_status_update()) statuses.push_back(message.status_update().status());
        return statuses;
    }
    template <typename Action>
    static std::vector<Action> actions(const Output& output) {
        std::vector<Action> found;
        for (const auto& action : output.actions)
            if (const auto* one = std::get_if<Action>(&action)) found.push_back(*one);
        return found;
    }
    // How long the agent stays away from a master at least; none: it has not closed the link.
    static std::optional<base::Duration> pause_after(const Output& output) {
        for (const auto& send : output.sends)
            if (const auto* close = std::get_if<nodeagentd::core::CloseLink>(&send)) return close->pause_min;
        return std::nullopt;
    }
    static bool link_closed_by(const Output& output) {
        for (const auto& send : output.sends)
            if (std::holds_alternative<nodeagentd::core::CloseLink>(send)) return true;
        return false;
    }

    // --- the disk ---
    std::optional<internal::AgentRecord> agent_record;
    std::map<std::string, internal::FrameworkRecord> framework_records;
    std::map<std::string, internal::ContainerRecord> container_records;

  private:
    void fresh_core() { core_ = std::make_unique<nodeagentd::core::Core>(options_, ++seed_); }

    void write_down(const nodeagentd::core::Persist& persist) {
        namespace core = nodeagentd::core;
        if (const auto* agent = std::get_if<core::PersistAgent>(&persist))
            agent_record = agent->record;
        else if (const auto* one = std::get_if<core::PersistFramework>(&persist))
            framework_records[one->record.framework_info().id().value()] = one->record;
        else if (const auto* gone = std::get_if<core::ForgetFramework>(&persist))
            framework_records.erase(gone->framework_id.value());
        else if (const auto* container = std::get_if<core::PersistContainer>(&persist))
            container_records[container->record->container_id().value()] = *container->record;
        else
            container_records.erase(std::get<core::ForgetContainer>(persist).container_id.value());
    }

    nodeagentd::core::CoreOptions options_;
    std::unique_ptr<nodeagentd::core::Core> core_;
    std::uint64_t seed_ = 0;
    base::Moment now_{base::Instant(std::chrono::hours(1)), base::WallTime(std::chrono::hours(500'000))};
    nodeagentd::core::LinkId link_{};
};

}  // namespace fairlead::tests
