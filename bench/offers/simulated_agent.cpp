#include "bench/offers/simulated_agent.hpp"

#include "common/base/uuid.hpp"
#include "sdk/task.hpp"

#include <stdexcept>

namespace fairlead::bench {

async::awaitable<void> SimulatedAgent::run() {
    http::Client client(co_await async::asio::this_coro::executor, master_);
    auto socket = co_await client.upgrade("/fairlead/agent-link", "fairlead-agent-link/1", {}, std::chrono::seconds(10));
    if (!socket) throw std::runtime_error(socket.error().message());
    http::LinkStream link(std::move(*socket));
    register_with(link);
    for (;;) {
        const auto frame = co_await link.receive();
        internal::FromMaster message;
        if (!frame) throw std::runtime_error(host_ + ": " + frame.error().message());
        if (!message.ParseFromString(*frame)) throw std::runtime_error("the master sent what is no message");
        if (message.has_refused()) throw std::runtime_error(host_ + " was refused: " + message.refused().reason());
        if (message.has_registered()) {
            agent_id_ = message.registered().agent_id().value();
        } else if (message.has_launch_tasks()) {
            launch(link, message.launch_tasks());
        } else if (message.has_ping()) {
            internal::FromAgent pong;
            pong.mutable_pong();
            link.send(pong.SerializeAsString());
        }
    }
}

void SimulatedAgent::register_with(http::LinkStream& link) const {
    internal::FromAgent message;
    auto* registration = message.mutable_register_();
    registration->mutable_agent_info()->set_hostname(host_);
    *registration->mutable_agent_info()->add_resources() = sdk::scalar("cpus", slots_);
    *registration->mutable_agent_info()->add_resources() = sdk::scalar("mem", slots_ * 1024);
    registration->set_version(FAIRLEAD_VERSION);
    registration->set_boot_id(host_);
    events_.has_room(host_, Clock::now());
    link.send(message.SerializeAsString());
}

void SimulatedAgent::launch(http::LinkStream& link, const internal::LaunchTasks& launch) {
    const auto now = Clock::now();
    for (const auto& task : launch.tasks()) {
        events_.launched(host_, task.task_id().value(), now);
        internal::FromAgent message;
        auto* update = message.mutable_status_update();
        *update->mutable_framework_id() = launch.framework_info().id();
        update->set_latest_state(v1::TASK_FINISHED);
        auto* status = update->mutable_status();
        *status->mutable_task_id() = task.task_id();
        status->mutable_agent_id()->set_value(agent_id_);
        status->mutable_executor_id()->set_value(task.task_id().value());
        status->set_state(v1::TASK_FINISHED);
        status->set_source(v1::TaskStatus::SOURCE_EXECUTOR);
        status->set_timestamp(base::seconds_since_1970(base::read_clocks().wall));
        status->set_uuid(base::Uuid::draw(prng_).bytes());
        events_.has_room(host_, Clock::now());
        link.send(message.SerializeAsString());
    }
}

}  // namespace fairlead::bench
