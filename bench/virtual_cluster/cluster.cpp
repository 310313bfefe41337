#include "bench/virtual_cluster/cluster.hpp"

#include "bench/virtual_cluster/framework.hpp"
#include "tests/support/master_messages.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

namespace fairlead::bench {

using namespace std::chrono_literals;
using v1::scheduler::Call;
namespace mc = masterd::core;

namespace {

constexpr auto network_delay_min = 200us;
constexpr std::uint64_t network_delay_spread_ns = 800'000;
constexpr std::string_view sleep_command = "sleep ";

double amount(const google::protobuf::RepeatedPtrField<v1::Resource>& resources, std::string_view name) {
    double sum = 0;
    for (const auto& resource : resources)
        if (resource.name() == name) sum += resource.scalar().value();
    return sum;
}

}  // namespace

VirtualCluster::VirtualCluster(std::unique_ptr<allocator::Module> module, std::uint64_t seed,
                               mc::CoreOptions options)
    : prng_(seed), core_(std::move(options), std::move(module), seed) {
    mc::LeadershipGained gained{1, {}};
    gained.master_info.set_id("m");
    gained.master_info.set_ip(16777343);
    gained.master_info.set_port(5050);
    step(gained);
}

void VirtualCluster::add(const Machine& machine) {
    const std::size_t number = agents_.size();
    const mc::LinkId link{number + 1};
    agents_.push_back({{}, link});
    agent_of_link_[link] = number;
    cpus_ += machine.cpus;
    mem_mb_ += machine.mem_mb;
    step(mc::LinkOpened{link, fmt::format("10.0.{}.{}", number / 250, number % 250 + 1)});
    v1::AgentInfo info;
    info.set_hostname(machine.host);
    *info.add_resources() = tests::scalar("cpus", machine.cpus);
    *info.add_resources() = tests::scalar("mem", machine.mem_mb);
    for (const auto& [name, value] : machine.attributes) {
        auto& attribute = *info.add_attributes();
        attribute.set_name(name);
        attribute.set_type(v1::Value::TEXT);
        attribute.mutable_text()->set_value(value);
    }
    say(number, std::make_shared<internal::FromAgent>(tests::register_message(info)));
}

void VirtualCluster::order(mc::RoleOrder order) {
    step(mc::RolesOrdered{mc::RequestId{next_request_++}, {std::move(order)}, true});
}

bool VirtualCluster::run_until(const std::function<bool()>& holds, base::Duration time_max) {
    const auto end = now() + time_max;
    while (!holds())
        if (!timeline_.run_one(end)) return false;
    return true;
}

VirtualCluster::Counts VirtualCluster::counts() {
    use(0, 0);
    return counts_;
}

void VirtualCluster::subscribe(VirtualFramework& framework, v1::FrameworkInfo info,
                               v1::scheduler::OfferConstraints constraints) {
    const mc::RequestId stream{next_request_++};
    peer_of_stream_[stream] = peers_.size();
    framework.peer_ = peers_.size();
    peers_.push_back({&framework});
    auto call = std::make_shared<Call>(tests::subscribe_call(info));
    *call->mutable_subscribe()->mutable_offer_constraints() = std::move(constraints);
    step(mc::CallArrived{stream, call, {}, {}});
}

void VirtualCluster::call(VirtualFramework& framework, std::shared_ptr<Call> call) {
    if (call->type() == Call::UPDATE_FRAMEWORK) ++counts_.updates_of_frameworks;
    deliver(peers_[framework.peer_].to_master_free, [this, &framework, call = std::move(call)] {
        call->mutable_framework_id()->set_value(framework.id_);
        step(mc::CallArrived{mc::RequestId{next_request_++}, call, framework.stream_id_, {}});
    });
}

void VirtualCluster::step(const mc::Input& input) {
    const mc::Output output = core_.step(timeline_.now(), input);
    for (const mc::Report& report : output.reports) {
        counts_.offers += report.kind == mc::Report::Kind::offer_sent;
        counts_.declines += report.kind == mc::Report::Kind::offer_declined;
        counts_.launches += report.kind == mc::Report::Kind::task_added;
        // Nothing may go wrong here but by the frameworks' or the module's fault, and then the figures mean nothing.
        if (report.kind == mc::Report::Kind::plan_refused || report.kind == mc::Report::Kind::task_refused ||
            report.kind == mc::Report::Kind::framework_refused || report.kind == mc::Report::Kind::agent_refused)
            throw std::logic_error(report.message);
    }
    for (const mc::Effect& effect : output.effects) carry_out(effect);
    // As the driver does it: when nothing else of this moment is waiting.
    if (output.allocation_wanted && !allocation_planned_) {
        allocation_planned_ = true;
        timeline_.after(0ns, [this] {
            allocation_planned_ = false;
            step(mc::AllocationDue{});
        });
    }
    plan_deadline();
}

void VirtualCluster::plan_deadline() {
    const auto deadline = core_.next_deadline();
    if (!deadline || (deadline_ && *deadline_ <= *deadline)) return;
    deadline_ = deadline;
    timeline_.at(*deadline, [this, due = *deadline] {
        if (deadline_ != due) return;  // an earlier one was planned since
        deadline_.reset();
        step(mc::TimePassed{});
    });
}

void VirtualCluster::deliver(base::Instant& channel_free, std::function<void()> event) {
    const auto delay = network_delay_min + std::chrono::nanoseconds(prng_.below(network_delay_spread_ns));
    channel_free = std::max(channel_free, now() + delay);
    timeline_.at(channel_free, std::move(event));
}

void VirtualCluster::carry_out(const mc::Effect& effect) {
    if (const auto* open = std::get_if<mc::OpenStream>(&effect)) {
        peers_[peer_of_stream_.at(open->request)].framework->stream_id_ = open->stream_id;
    } else if (const auto* sent = std::get_if<mc::SendEvent>(&effect)) {
        Peer& peer = peers_[peer_of_stream_.at(sent->stream)];
        deliver(peer.from_master_free, [&peer, event = sent->event] { peer.framework->hear(*event); });
    } else if (const auto* message = std::get_if<mc::SendToAgent>(&effect)) {
        const std::size_t agent = agent_of_link_.at(message->link);
        deliver(agents_[agent].from_master_free, [this, agent, what = message->message] { hear(agent, *what); });
    } else if (const auto* reply = std::get_if<mc::Reply>(&effect)) {
        if (reply->status / 100 != 2) throw std::logic_error(reply->body);
    }
}

void VirtualCluster::say(std::size_t agent, std::shared_ptr<internal::FromAgent> message) {
    deliver(agents_[agent].to_master_free, [this, link = agents_[agent].link, message = std::move(message)] {
        step(mc::LinkMessage{link, message});
    });
}

void VirtualCluster::hear(std::size_t agent, const internal::FromMaster& message) {
    if (message.has_registered()) {
        agents_[agent].id = message.registered().agent_id().value();
    } else if (message.has_ping()) {
        auto pong = std::make_shared<internal::FromAgent>();
        pong->mutable_pong();
        say(agent, pong);
    } else if (message.has_launch_tasks()) {
        for (const auto& task : message.launch_tasks().tasks()) start(agent, message.launch_tasks(), task);
    } else if (!message.has_acknowledge_status() && !message.has_update_framework()) {
        throw std::logic_error("no machine here knows what to do with " + message.ShortDebugString());
    }
}

void VirtualCluster::start(std::size_t agent, const internal::LaunchTasks& launch, const v1::TaskInfo& task) {
    const std::string& command = task.command().value();
    if (!command.starts_with(sleep_command)) throw std::logic_error("a task that does not say how long it takes");
    const double seconds = std::strtod(command.c_str() + sleep_command.size(), nullptr);
    const double cpus = amount(task.resources(), "cpus"), mem_mb = amount(task.resources(), "mem");
    use(cpus, mem_mb);
    report(agent, launch.framework_info().id(), task.task_id(), v1::TASK_RUNNING);
    timeline_.after(base::seconds_clamped(seconds),
                    [this, agent, framework = launch.framework_info().id(), id = task.task_id(), cpus, mem_mb] {
                        use(-cpus, -mem_mb);
                        report(agent, framework, id, v1::TASK_FINISHED);
                    });
}

void VirtualCluster::report(std::size_t agent, const v1::FrameworkID& framework, const v1::TaskID& task,
                            v1::TaskState state) {
    auto message = std::make_shared<internal::FromAgent>(
        tests::status_update(framework.value(), task.value(), state, "0123456789abcdef"));
    message->mutable_status_update()->mutable_status()->mutable_agent_id()->set_value(agents_[agent].id);
    say(agent, std::move(message));
}

void VirtualCluster::use(double cpus, double mem_mb) {
    const double passed = std::chrono::duration<double>(now() - used_since_).count();
    counts_.cpu_seconds += used_cpus_ * passed;
    counts_.mem_mb_seconds += used_mem_mb_ * passed;
    used_since_ = now();
    used_cpus_ += cpus;
    used_mem_mb_ += mem_mb;
}

}  // namespace fairlead::bench
