// Walks of random inputs, many of them nonsense, with restarts at any moment: the harness checks
// the invariants after each step, and when everything is over nothing is left on the disk.

#include "common/base/prng.hpp"
#include "tests/support/agent_harness.hpp"
#include "tests/support/reservation_messages.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
namespace core = nodeagentd::core;

class RandomWalk {
  public:
    explicit RandomWalk(std::uint64_t seed) : prng_(seed), agent_(options()) { agent_.start(); }

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) one_step();
        settle();
        EXPECT_TRUE(agent_.state().containers.empty());
        EXPECT_TRUE(agent_.state().used.empty());
        EXPECT_TRUE(agent_.state().discarded.empty());
        EXPECT_TRUE(agent_.container_records.empty());
        EXPECT_TRUE(agent_.framework_records.empty());
        EXPECT_FALSE(agent_.state().updates.next_due().has_value());
    }

  private:
    core::CoreOptions options() {
        auto options = AgentHarness::with(agent_info("agent1", prng_.chance(0.8) ? 4 : 2));
        options.registration_part_bytes_max = prng_.chance(0.5) ? 1 : 4096;
        return options;
    }

    void one_step() {
        switch (prng_.below(16)) {
            case 0:
            case 1:
            case 2:
                return launch();
            case 3:
            case 4:
                return note(agent_.started(task()));
            case 5:
            case 6:
                return note(agent_.ended(task(), static_cast<int>(prng_.below(2))));
            case 7:
                return note(agent_.start_failed(task(), "could not start"));
            case 8:
                return note(agent_.kill(task(), grace()));
            case 9:
            case 10:
            case 11:
                return acknowledge();
            case 12:
                if (prng_.chance(0.3)) return reserve();
                return note(agent_.pass(std::chrono::seconds(prng_.below(40))));
            case 13:
                return prng_.chance(0.3) ? note(agent_.shut_down_framework()) : relink();
            case 14:
                return prng_.chance(0.5) ? relink() : note(agent_.close_link());
            default:
                return prng_.chance(0.3) ? prng_.chance(0.2) ? reboot() : restart() : relink();
        }
    }
    void launch() {
        auto info = command_task(task(), "A", 0.5 * static_cast<double>(1 + prng_.below(4)));
        if (prng_.chance(0.3)) *info.mutable_resources(0) = reserved(info.resources(0), "eng");
        if (prng_.chance(0.3)) {
            const auto begin = 31000 + 10 * prng_.below(3);
            *info.add_resources() = ports(begin, begin + 9);
        }
        note(agent_.launch(info));
    }
    // Also what the agent does not have, or what tasks hold.
    void reserve() {
        internal::FromMaster message;
        auto& keep = *message.mutable_keep_reservations();
        keep.set_number(1);
        for (auto left = prng_.below(3); left > 0; --left)
            *keep.add_reserved() = reserved(prng_.chance(0.5) ? scalar("cpus", static_cast<double>(1 + prng_.below(4)))
                                                              : ports(31000 + 10 * left, 31009 + 10 * left),
                                            prng_.chance(0.5) ? "eng" : "web");
        note(agent_.from_master(message));
    }
    void acknowledge() {
        if (told_.empty()) return;
        const auto status = told_[prng_.below(told_.size())];
        note(agent_.acknowledge(status));
    }
    void relink() {
        note(agent_.open_link());
        auto message = AgentHarness::registered_message();
        if (prng_.chance(0.1)) message.mutable_registered()->set_cluster_id("another");
        if (prng_.chance(0.3)) {
            auto& key = *message.mutable_registered()->add_known_tasks();
            key.mutable_framework_id()->set_value(AgentHarness::framework);
            key.mutable_task_id()->set_value(task());
        }
        if (prng_.chance(0.3)) {
            internal::FromMaster more;
            more.mutable_register_more();
            note(agent_.from_master(more));
        }
        note(agent_.from_master(message, 1 + prng_.below(3)));
    }
    void restart() {
        note(agent_.restart(options()));
        for (int i = 0; i < 4; ++i) {
            if (prng_.chance(0.5)) note(agent_.started(task()));
            if (prng_.chance(0.2)) note(agent_.ended(task()));
            if (prng_.chance(0.2)) relink();
        }
        note(agent_.step(core::RuntimeSettled{}));
        relink();
    }
    // Also with some of what was kept of it lost in the power cut.
    void reboot() {
        std::erase_if(agent_.container_records, [this](const auto&) { return prng_.chance(0.2); });
        note(agent_.reboot());
        EXPECT_TRUE(agent_.state().used.empty());
        note(agent_.step(core::RuntimeSettled{}));
        relink();
    }
    // Every container ends and every update is acknowledged.
    void settle() {
        agent_.restart();
        agent_.step(core::RuntimeSettled{});
        agent_.open_link();
        told_.clear();
        note(agent_.from_master(AgentHarness::registered_message(), 1'000));
        for (int i = 0; i < 1'000 && !agent_.state().containers.empty(); ++i) {
            const auto told = std::exchange(told_, {});
            for (const auto& status : told) {
                internal::FromMaster message;
                auto& acknowledge = *message.mutable_acknowledge_status();
                acknowledge.mutable_framework_id()->set_value(AgentHarness::framework);
                *acknowledge.mutable_task_id() = status.task_id();
                acknowledge.set_uuid(status.uuid());
                note(agent_.from_master(message, 1'000));
            }
            for (int t = 0; t < tasks; ++t) {
                const auto* container = agent_.find("t" + std::to_string(t));
                if (container != nullptr && container->holds_resources())
                    note(agent_.ended("t" + std::to_string(t)));
            }
        }
    }
    void note(const AgentHarness::Output& output) {
        for (auto& status : AgentHarness::updates(output)) told_.push_back(std::move(status));
        if (told_.size() > 100) told_.erase(told_.begin(), told_.begin() + 50);
    }

    std::string task() { return "t" + std::to_string(prng_.below(tasks)); }
    std::optional<base::Duration> grace() {
        if (prng_.chance(0.5)) return std::nullopt;
        return std::chrono::seconds(prng_.below(30));
    }

    static constexpr int tasks = 8;
    base::Prng prng_;
    AgentHarness agent_;
    std::vector<v1::TaskStatus> told_;  // sent at some time
};

TEST(AgentRandomWalk, HoldsTheInvariantsAndLeavesNothingBehind) {
    for (std::uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomWalk(seed).run(500);
    }
}

}  // namespace
}  // namespace fairlead::tests
