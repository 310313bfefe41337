#pragma once
// What every registry of a master promises, whatever it is made of. A Place makes registries that are all the same one,
// as different processes and later lives see it: it has open(), an awaitable of a shared pointer.

#include "masterd/registry/registry.hpp"
#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace fairlead::tests {

namespace registry = masterd::registry;
namespace mc = masterd::core;
using Standing = mc::AgentRecord::Standing;

inline mc::PersistAgent written_agent(const std::string& id, Standing standing = Standing::admitted, int since_s = 1) {
    return {{base::AgentId(id), standing, base::WallTime(std::chrono::seconds(since_s))}};
}
inline mc::PersistEndedFramework written_framework(const std::string& id) { return {base::FrameworkId(id)}; }

template <typename Place>
class RegistryContract : public testing::Test {
  protected:
    using Opened = std::shared_ptr<registry::Registry>;

    // `body` is a coroutine.
    template <typename Body>
    void run(Body body) {
        async::run_coroutine(place.context, std::move(body));
    }
    template <typename... Changes>
    static async::awaitable<base::Status> write(registry::Registry& to, std::uint64_t epoch, Changes... changes) {
        std::vector<mc::Persist> all;
        (all.emplace_back(std::move(changes)), ...);
        return to.write(epoch, std::move(all));
    }
    static async::awaitable<std::uint64_t> begin(Opened opened) {
        const auto epoch = co_await opened->begin_epoch();
        co_return epoch.value();
    }
    // As a master that takes over.
    async::awaitable<std::uint64_t> take_over(Opened opened, mc::Inheritance* inheritance = nullptr) {
        const auto epoch = co_await opened->begin_epoch();
        auto read = co_await opened->read();
        if (!read) throw std::runtime_error(read.error().message());
        if (inheritance != nullptr) *inheritance = *std::move(read);
        co_return epoch.value();
    }

    Place place;
};

TYPED_TEST_SUITE_P(RegistryContract);

TYPED_TEST_P(RegistryContract, EpochsNeverComeTwice) {
    this->run([this]() -> async::awaitable<void> {
        const auto first = co_await this->place.open();
        std::vector<std::uint64_t> epochs;
        for (int i = 0; i < 2; ++i) epochs.push_back(co_await this->begin(first));
        const auto second = co_await this->place.open();
        epochs.push_back(co_await this->begin(second));
        epochs.push_back(co_await this->begin(first));
        EXPECT_EQ(epochs, (std::vector<std::uint64_t>{1, 2, 3, 4}));
    });
}

TYPED_TEST_P(RegistryContract, TheClusterKeepsItsName) {
    this->run([this]() -> async::awaitable<void> {
        const auto first = co_await this->place.open();
        const auto second = co_await this->place.open();
        EXPECT_EQ(first->cluster_id().size(), 36u);
        EXPECT_EQ(first->cluster_id(), second->cluster_id());
    });
}

TYPED_TEST_P(RegistryContract, WhatWasWrittenIsReadByTheNextLife) {
    this->run([this]() -> async::awaitable<void> {
        mc::RoleOrders quota{2.5, {}, {}};
        quota.guarantee.add("cpus", resources::Milli(1500));
        quota.limit.set("gpus", resources::Milli{});  // none at all
        const base::Role eng("eng/ads"), batch("batch");
        mc::Inheritance inheritance;
        {
            const auto opened = co_await this->place.open();
            const auto epoch = co_await this->take_over(opened, &inheritance);
            EXPECT_TRUE(inheritance.agents.empty());
            std::vector<mc::Persist> changes{
                written_agent("a/%\xc3\xa4", Standing::admitted, 1), written_agent("b", Standing::removed, 2),
                written_agent("d", Standing::gone, 5),
                written_agent("c", Standing::admitted, 3),      written_agent("a/%\xc3\xa4", Standing::unreachable, 4),
                written_framework("f"),                         written_framework("e"),
                written_framework("f"),                         mc::PersistRoleOrders{eng, quota},
                mc::PersistRoleOrders{batch, quota}};
            const auto written = co_await opened->write(epoch, changes);
            EXPECT_TRUE(written) << written.error().message();
            changes = {mc::ForgetAgent{base::AgentId("c")}, mc::ForgetAgent{base::AgentId("never heard of")},
                       written_framework("g"), mc::ForgetEndedFramework{base::FrameworkId("e")},
                       mc::PersistRoleOrders{batch, {}}};
            {
            const base::Status done = co_await opened->write(epoch, changes);
            EXPECT_TRUE(done) << done.error().message();
        }
        }
        const auto next = co_await this->place.open();
        const auto epoch = co_await this->take_over(next, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 3u);
        if (inheritance.agents.size() != 3) co_return;
        EXPECT_EQ(inheritance.agents[0].id.value(), "b");
        EXPECT_EQ(inheritance.agents[0].standing, Standing::removed);
        EXPECT_EQ(inheritance.agents[0].since, base::WallTime(std::chrono::seconds(2)));
        EXPECT_EQ(inheritance.agents[1].id.value(), "a/%\xc3\xa4");
        EXPECT_EQ(inheritance.agents[1].standing, Standing::unreachable);
        EXPECT_EQ(inheritance.agents[2].standing, Standing::gone);
        const std::vector frameworks{base::FrameworkId("f"), base::FrameworkId("g")};
        EXPECT_EQ(inheritance.ended_frameworks, frameworks);
        const mc::OrdersByRole orders{{eng, quota}};
        EXPECT_EQ(inheritance.role_orders, orders);
        std::vector<mc::Persist> changes{written_framework("h"), mc::PersistRoleOrders{eng, {}},
                                         mc::ForgetAgent{base::AgentId("b")}};
        {
            const base::Status done = co_await next->write(epoch, changes);
            EXPECT_TRUE(done) << done.error().message();
        }
        co_await this->take_over(next, &inheritance);
        EXPECT_EQ(inheritance.ended_frameworks.back().value(), "h");
        EXPECT_TRUE(inheritance.role_orders.empty());
        EXPECT_EQ(inheritance.agents.size(), 2u);
    });
}

TYPED_TEST_P(RegistryContract, WhoHasBeenFollowedCannotWrite) {
    this->run([this]() -> async::awaitable<void> {
        const auto first = co_await this->place.open();
        const auto old = co_await this->take_over(first);
        const auto second = co_await this->place.open();
        const auto epoch = co_await this->take_over(second);
        std::vector<mc::Persist> changes{written_agent("a"), written_agent("b")};
        const auto refused = co_await first->write(old, changes);
        EXPECT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), base::ErrorCode::conflict) << refused.error().message();
        std::vector<mc::Persist> what_holds{mc::PersistRoleOrders{base::Role("of nobody"), {}}};
        const auto refused_too = co_await first->write(old, what_holds);
        EXPECT_FALSE(refused_too) << "also where it would change nothing";
        mc::Inheritance inheritance;
        const auto third = co_await this->place.open();
        {
            const base::Status done = co_await this->write(*second, epoch, written_agent("c"));
            EXPECT_TRUE(done) << done.error().message();
        }
        co_await this->take_over(third, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 1u);
    });
}

TYPED_TEST_P(RegistryContract, WhatAnEarlierTermOfTheSameProcessHasDecidedIsNotWritten) {
    this->run([this]() -> async::awaitable<void> {
        const auto opened = co_await this->place.open();
        const auto old = co_await this->take_over(opened);
        const auto epoch = co_await this->take_over(opened);
        {
            const base::Status done = co_await this->write(*opened, old, written_agent("a"));
            EXPECT_FALSE(done);
        }
        {
            const base::Status done = co_await this->write(*opened, epoch, written_agent("b"));
            EXPECT_TRUE(done) << done.error().message();
        }
        mc::Inheritance inheritance;
        co_await this->take_over(opened, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 1u);
    });
}

TYPED_TEST_P(RegistryContract, ManyChangesAreWrittenAtOnce) {
    this->run([this]() -> async::awaitable<void> {
        const auto opened = co_await this->place.open();
        const auto epoch = co_await this->take_over(opened);
        std::vector<mc::Persist> changes;
        for (int i = 0; i < 5000; ++i) changes.emplace_back(written_agent("agent" + std::to_string(i), Standing::admitted, i));
        const auto written = co_await opened->write(epoch, changes);
        EXPECT_TRUE(written) << written.error().message();
        mc::Inheritance inheritance;
        co_await this->take_over(opened, &inheritance);
        EXPECT_EQ(inheritance.agents.size(), 5000u);
        if (inheritance.agents.size() != 5000) co_return;
        EXPECT_EQ(inheritance.agents[4711].id.value(), "agent4711");
    });
}

REGISTER_TYPED_TEST_SUITE_P(RegistryContract, EpochsNeverComeTwice, TheClusterKeepsItsName, WhatWasWrittenIsReadByTheNextLife,
                            WhoHasBeenFollowedCannotWrite, WhatAnEarlierTermOfTheSameProcessHasDecidedIsNotWritten,
                            ManyChangesAreWrittenAtOnce);

}  // namespace fairlead::tests
