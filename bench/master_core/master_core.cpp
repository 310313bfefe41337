// What a master's core costs in memory and time: bytes for each agent and task, and nanoseconds for each kind of input,
// at several sizes of the cluster. The time of an input must not follow the size. Allocation is measured elsewhere: here a
// module that offers one named agent stands in for it.

#include "masterd/core/core.hpp"
#include "tests/support/master_messages.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <cstdlib>

namespace fairlead {
namespace {

using namespace masterd::core;
using v1::scheduler::Call;
using v1::scheduler::Event;

constexpr int tasks_per_agent = 10;
constexpr int frameworks = 50;
constexpr int agents_per_sample = 200;
constexpr double bytes_per_agent_max = 2048, bytes_per_task_max = 1024;

std::size_t bytes_in_use() {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

struct OneOffer final : allocator::Module {
    std::optional<allocator::OfferLine> next;
    allocator::Plan plan(const allocator::Snapshot& snapshot, const allocator::Changes&) override {
        if (!next) return {};
        next->resources = snapshot.agents[next->agent].available;
        return {{*std::exchange(next, std::nullopt)}};
    }
};

// Adds up what steps of one kind have taken.
struct Stopwatch {
    std::chrono::nanoseconds total{};
    int count = 0;
    double nanoseconds() const { return count == 0 ? 0 : static_cast<double>(total.count()) / count; }
};

class Master {
  public:
    explicit Master(int agents) : agents_(agents) {
        LeadershipGained gained{1, {}};
        gained.master_info.set_id("11111111-2222-4333-8444-555555555555");
        gained.master_info.set_ip(1);
        gained.master_info.set_port(5050);
        step(gained);
        for (int i = 0; i < frameworks; ++i) subscribe();
    }

    void register_agents() {
        for (int i = 0; i < agents_; ++i) {
            const LinkId link{static_cast<std::uint64_t>(i)};
            step(LinkOpened{link, fmt::format("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255)});
            v1::AgentInfo info = tests::agent_info(fmt::format("host{:05}.example.org", i), 64, 262144);
            *info.add_resources() = tests::scalar("disk", 1'000'000);
            for (const char* name : {"rack", "kernel", "zone"}) {
                auto& attribute = *info.add_attributes();
                attribute.set_name(name);
                attribute.set_type(v1::Value::TEXT);
                attribute.mutable_text()->set_value(fmt::format("{}-{}", name, i % 40));
            }
            auto message = std::make_shared<internal::FromAgent>(tests::register_message(info));
            timed(registrations, LinkMessage{link, message});
        }
    }

    void launch_everywhere() {
        for (int i = 0; i < agents_; ++i) launch(static_cast<allocator::AgentSlot>(i));
    }

    // The steady life of a cluster on some of its agents: tasks end, are acknowledged, and others take their place.
    void turn_over() {
        for (int i = 0; i < std::min(agents_, agents_per_sample); ++i) {
            const auto slot = static_cast<allocator::AgentSlot>(static_cast<std::size_t>(i) * agents_ / agents_per_sample);
            const Agent& agent = core_.state().books.agent(slot);
            const auto tasks = agent.tasks;
            std::vector<std::pair<std::string, std::string>> ended;
            for (const Task* task : tasks)
                ended.emplace_back(core_.state().books.framework(task->framework).id.value(), task->id.value());
            for (const auto& [framework, task] : ended) {
                tell_status(agent, framework, task, v1::TASK_FINISHED);
                acknowledge(framework, agent.id.value(), task);
            }
            launch(slot);
        }
    }

    Stopwatch registrations, accepts, updates, acknowledgements;

  private:
    Output step(const Input& input) {
        now_.instant += std::chrono::microseconds(1);
        now_.wall += std::chrono::microseconds(1);
        return core_.step(now_, input);
    }
    Output timed(Stopwatch& watch, const Input& input) {
        const auto start = std::chrono::steady_clock::now();
        Output output = step(input);
        watch.total += std::chrono::steady_clock::now() - start;
        ++watch.count;
        return output;
    }

    void subscribe() {
        const auto call = std::make_shared<const Call>(tests::subscribe_call(tests::framework_info()));
        for (const auto& effect : step(CallArrived{RequestId{next_request_++}, call, {}, {}}).effects)
            if (const auto* open = std::get_if<OpenStream>(&effect)) streams_.push_back(open->stream_id);
    }

    void launch(allocator::AgentSlot slot) {
        const auto framework = static_cast<allocator::FrameworkSlot>(slot % frameworks);
        module_->next = allocator::OfferLine{framework, *core_.state().books.roles().find(base::Role("*")), slot, {}};
        std::string offer;
        for (const auto& effect : step(AllocationDue{}).effects)
            if (const auto* sent = std::get_if<SendEvent>(&effect); sent && sent->event->has_offers())
                offer = sent->event->offers().offers(0).id().value();
        const std::string id = core_.state().books.framework(framework).id.value();
        const std::string agent = core_.state().books.agent(slot).id.value();
        std::vector<v1::TaskInfo> tasks;
        for (int i = 0; i < tasks_per_agent; ++i)
            tasks.push_back(tests::command_task(fmt::format("job-{:06}", next_task_++), agent));
        auto call = std::make_shared<Call>(tests::accept_call(id, {offer}, tasks));
        call->mutable_accept()->mutable_filters()->set_refuse_seconds(0);
        timed(accepts, CallArrived{RequestId{next_request_++}, call, streams_[framework], {}});
        for (const auto& task : tasks)
            tell_status(core_.state().books.agent(slot), id, task.task_id().value(), v1::TASK_RUNNING);
    }

    void tell_status(const Agent& agent, const std::string& framework, const std::string& task, v1::TaskState state) {
        auto message = std::make_shared<internal::FromAgent>(
            tests::status_update(framework, task, state, "0123456789abcdef"));
        auto& status = *message->mutable_status_update()->mutable_status();
        status.mutable_container_status()->mutable_container_id()->set_value("0b9f1c62-55a4-4d0e-9a53-0a3c8f1f7f10");
        status.set_timestamp(1e9);
        timed(updates, LinkMessage{*agent.link, message});
    }

    void acknowledge(const std::string& framework, const std::string& agent, const std::string& task) {
        auto call = std::make_shared<Call>(tests::call_of(framework, Call::ACKNOWLEDGE));
        call->mutable_acknowledge()->mutable_agent_id()->set_value(agent);
        call->mutable_acknowledge()->mutable_task_id()->set_value(task);
        call->mutable_acknowledge()->set_uuid("0123456789abcdef");
        const auto slot = core_.state().books.framework(base::FrameworkId(framework))->slot;
        timed(acknowledgements, CallArrived{RequestId{next_request_++}, call, streams_[slot], {}});
    }

    int agents_;
    std::unique_ptr<OneOffer> owned_ = std::make_unique<OneOffer>();
    OneOffer* module_ = owned_.get();
    Core core_{{}, std::move(owned_), 1};
    base::Moment now_{};
    std::vector<std::string> streams_;
    std::uint64_t next_request_ = 1'000'000'000;
    int next_task_ = 0;
};

void measure(int agents) {
    Master master(agents);
    const std::size_t empty = bytes_in_use();
    master.register_agents();
    const std::size_t with_agents = bytes_in_use();
    master.launch_everywhere();
    const std::size_t with_tasks = bytes_in_use();
    const double per_agent = static_cast<double>(with_agents - empty) / agents;
    const double per_task = static_cast<double>(with_tasks - with_agents) / (agents * tasks_per_agent);
    const Stopwatch registrations = master.registrations;
    master.accepts = master.updates = master.acknowledgements = {};
    master.turn_over();
    fmt::print("{:>7} {:>8} {:>12.0f} {:>11.0f} {:>13.0f} {:>13.0f} {:>10.0f} {:>10.0f}\n", agents,
               agents * tasks_per_agent, per_agent, per_task, registrations.nanoseconds(), master.accepts.nanoseconds(),
               master.updates.nanoseconds(), master.acknowledgements.nanoseconds());
}

}  // namespace
}  // namespace fairlead

int main() {
    fmt::print("A master's core: {} frameworks, {} tasks an agent; wanted: at most {} bytes an agent, {} a task.\n",
               fairlead::frameworks, fairlead::tasks_per_agent, fairlead::bytes_per_agent_max,
               fairlead::bytes_per_task_max);
    fmt::print("{:>7} {:>8} {:>12} {:>11} {:>13} {:>13} {:>10} {:>10}\n", "agents", "tasks", "bytes/agent", "bytes/task",
               "register ns", "accept 10 ns", "update ns", "ack ns");
    for (const int agents : {1000, 10'000, 50'000}) fairlead::measure(agents);
}
