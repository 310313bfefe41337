// What a master does about leading, with a real driver and core, elections over a real ZooKeeper, and a registry that
// does what the test wants.

#include "masterd/leadership.hpp"

#include "common/async/deadline.hpp"
#include "tests/support/zookeeper_server.hpp"
#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <utility>

namespace fairlead::masterd {
namespace {

using async::awaitable;
using base::Error;
using base::ErrorCode;
using tests::ZookeeperServer;
using namespace std::chrono_literals;

struct NoOffers final : allocator::Module {
    allocator::Plan plan(const allocator::Snapshot&, const allocator::Changes&) override { return {}; }
};

// One for all masters of a test, or what one of them sees of it.
class SharedRegistry final : public registry::Registry {
  public:
    const std::string& cluster_id() const override { return cluster_id_; }
    std::string place() const override { return "here"; }
    awaitable<base::Status> read_ahead() override {
        ++reads_ahead;
        if (damage) co_return *damage;
        co_return base::Status();
    }
    awaitable<base::Result<std::uint64_t>> begin_epoch() override {
        ++attempts;
        if (hangs) co_await async::sleep_for(1h);
        if (refusal) co_return *refusal;
        co_return ++epoch;
    }
    awaitable<base::Result<core::Inheritance>> read() override {
        if (damage) co_return *damage;
        co_return core::Inheritance();
    }
    awaitable<base::Status> write(std::uint64_t, std::vector<core::Persist>) override { co_return base::Status(); }

    std::uint64_t epoch = 0;
    int attempts = 0, reads_ahead = 0;
    std::optional<Error> refusal, damage;
    bool hangs = false;

  private:
    std::string cluster_id_ = "c";
};

v1::MasterInfo master(const std::string& name) {
    v1::MasterInfo info;
    info.set_id(name);
    info.set_ip(16777343);
    info.set_port(5050);
    info.set_hostname(name);
    return info;
}

// What a test wants to be otherwise than with every master.
struct Peculiarities {
    std::shared_ptr<SharedRegistry> registry;  // its own
    std::function<awaitable<base::Status>()> open_registry;
    std::optional<Leadership::Patience> patience;
};

struct Master {
    Master(async::asio::io_context& context, const std::string& name, std::optional<election::ElectionOptions> election,
           Peculiarities with)
        : changed(context.get_executor()),
          driver(context.get_executor(), std::make_unique<core::Core>(core::CoreOptions{}, std::make_unique<NoOffers>(), 1),
                 [](const core::Report&) {}),
          leadership(context.get_executor(),
                     {driver, std::move(with.registry), std::move(with.open_registry), master(name), standing,
                      [this] { changed.ring(); }},
                     std::move(election), [this](Leadership::Cause why, const Error& error) {
                         cause = why;
                         fatal = error.message();
                         changed.ring();
                     },
                     with.patience) {
        const auto rethrow = [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        };
        async::asio::co_spawn(context, driver.run(), rethrow);
        async::asio::co_spawn(context, leadership.run(), rethrow);
    }

    template <typename Condition>
    awaitable<void> until(Condition condition) {
        for (int i = 0; i < 3000; ++i) {
            if (condition()) co_return;
            co_await changed.wait_for(10ms);  // the driver takes its turn in between
        }
        throw std::runtime_error("it did not happen");
    }
    awaitable<void> until_leading() {
        return until([this] { return driver.leading(); });
    }
    awaitable<void> until_standby_of(std::string authority) {
        return until([this, authority] { return standing->view().authority == authority; });
    }
    awaitable<void> stop() {
        co_await leadership.resign();
        driver.stop();
    }

    async::Wake changed;
    std::shared_ptr<api::Standing> standing = std::make_shared<api::Standing>();
    driver::Driver driver;
    std::optional<Leadership::Cause> cause;
    std::string fatal;
    Leadership leadership;
};

class LeadershipTest : public testing::Test {
  protected:
    std::unique_ptr<Master> alone() {
        return std::make_unique<Master>(context_, "a", std::nullopt, Peculiarities{registry_, {}, {}});
    }
    std::unique_ptr<Master> among_others(const std::string& name, Peculiarities with = {}) {
        static std::atomic<int> tests{0};
        if (url_.path.empty()) url_.path = "/leaders/of" + std::to_string(++tests);
        url_.servers = {ZookeeperServer::shared().address()};
        election::ElectionOptions options;
        options.url = url_;
        options.session_timeout = 2s;
        if (!with.registry) with.registry = registry_;
        return std::make_unique<Master>(context_, name, options, std::move(with));
    }
    template <typename Body>
    void run(Body body) {
        async::run_coroutine(context_, std::move(body));
    }

    async::asio::io_context context_;
    std::shared_ptr<SharedRegistry> registry_ = std::make_shared<SharedRegistry>();
    zookeeper::Url url_;
};

TEST_F(LeadershipTest, WhoIsAloneLeadsFromItsStart) {
    run([&]() -> awaitable<void> {
        auto a = alone();
        EXPECT_EQ(a->standing->view().leader, api::Standing::Leader::own);
        co_await a->until_leading();
        EXPECT_EQ(registry_->epoch, 1u);
        co_await a->stop();
    });
}

TEST_F(LeadershipTest, WhoIsAloneAndCannotLeadSaysSo) {
    registry_->refusal = Error(ErrorCode::io, "the disk is full");
    run([&]() -> awaitable<void> {
        auto a = alone();
        co_await a->until([&] { return a->cause.has_value(); });
        EXPECT_EQ(a->cause, Leadership::Cause::environment);
        EXPECT_EQ(a->fatal, "the disk is full");
        co_await a->stop();
    });
}

TEST_F(LeadershipTest, OneLeadsAndTheNextTakesOverUnderALaterEpoch) {
    run([&]() -> awaitable<void> {
        auto a = among_others("a");
        EXPECT_EQ(a->standing->view().leader, api::Standing::Leader::unknown);
        co_await a->until_leading();
        auto b = among_others("b");
        co_await b->until_standby_of("a:5050");
        EXPECT_FALSE(b->driver.leading());
        co_await a->stop();
        co_await b->until_leading();
        EXPECT_EQ(b->standing->view().leader, api::Standing::Leader::own);
        EXPECT_EQ(registry_->epoch, 2u);
        co_await b->stop();
    });
}

TEST_F(LeadershipTest, ALeaderThatZookeeperDoesNotHearStandsByAndComesBack) {
    run([&]() -> awaitable<void> {
        auto a = among_others("a");
        co_await a->until_leading();
        ZookeeperServer::shared().freeze();
        co_await a->until([&] { return !a->driver.leading(); });
        co_await a->until([&] { return a->standing->view().leader == api::Standing::Leader::unknown; });
        ZookeeperServer::shared().thaw();
        co_await a->until_leading();
        EXPECT_EQ(registry_->epoch, 2u);
        EXPECT_FALSE(a->cause);
        co_await a->stop();
    });
}

TEST_F(LeadershipTest, ARegistryThatIsAwayIsTriedUntilItIsBack) {
    run([&]() -> awaitable<void> {
        registry_->refusal = Error(ErrorCode::unavailable, "away");
        auto a = among_others("a");
        co_await a->until([&] { return a->standing->view().leader == api::Standing::Leader::own; });
        EXPECT_FALSE(a->driver.leading());
        registry_->refusal.reset();
        co_await a->until_leading();
        co_await a->stop();
    });
}

TEST_F(LeadershipTest, ALeaderThatCannotWriteLetsAnotherTry) {
    run([&]() -> awaitable<void> {
        auto a = among_others("a");
        co_await a->until_leading();
        auto b = among_others("b");
        co_await b->until_standby_of("a:5050");
        a->leadership.give_up(Error(ErrorCode::unavailable, "the registry cannot be written"));
        co_await b->until_leading();
        co_await a->until_standby_of("b:5050");
        EXPECT_FALSE(a->driver.leading());
        co_await a->stop();
        co_await b->stop();
    });
}

TEST_F(LeadershipTest, ADamagedRegistryEndsNobody) {
    const auto damaged = std::make_shared<SharedRegistry>();
    damaged->damage = Error(ErrorCode::malformed, "znode /x is damaged");
    run([&]() -> awaitable<void> {
        auto a = among_others("a", {damaged, {}, Leadership::Patience{.take_over_for = 1h, .rest = 100ms}});
        co_await a->until([&] { return !a->standing->view().trouble.empty(); });
        auto b = among_others("b");
        co_await b->until_leading();
        co_await a->until_standby_of("b:5050");
        EXPECT_EQ(a->standing->view().trouble, "znode /x is damaged");
        EXPECT_FALSE(a->cause) << a->fatal;
        damaged->damage.reset();
        co_await b->stop();
        co_await a->until_leading();  // in the end it is whole again, and it is its turn
        EXPECT_EQ(a->standing->view().trouble, "");
        co_await a->stop();
    });
}

TEST_F(LeadershipTest, WhoIsElectedAndCannotTakeOverDoesNotStandInTheWayOfOthers) {
    const auto away = std::make_shared<SharedRegistry>();
    away->refusal = Error(ErrorCode::unavailable, "away");
    run([&]() -> awaitable<void> {
        auto a = among_others("a", {away, {}, Leadership::Patience{.take_over_for = 500ms, .rest = 1h}});
        co_await a->until([&] { return away->attempts > 0; });
        auto b = among_others("b");
        co_await b->until_leading();
        co_await a->until_standby_of("b:5050");
        EXPECT_GE(away->attempts, 2) << "it was tried again, as it might have passed";
        EXPECT_EQ(a->standing->view().trouble, "away");
        EXPECT_FALSE(a->cause) << a->fatal;
        co_await a->stop();
        co_await b->stop();
    });
}

TEST_F(LeadershipTest, AnAttemptToTakeOverThatHangsIsEnded) {
    const auto stuck = std::make_shared<SharedRegistry>();
    stuck->hangs = true;
    run([&]() -> awaitable<void> {
        const Leadership::Patience little{.take_over_for = 1ms, .attempt_max = 100ms, .rest = 1h};
        auto a = among_others("a", {stuck, {}, little});
        co_await a->until([&] { return stuck->attempts > 0; });
        auto b = among_others("b");
        co_await b->until_leading();
        EXPECT_NE(a->standing->view().trouble.find("no end within the deadline"), std::string::npos);
        co_await a->stop();
        co_await b->stop();
    });
}

TEST_F(LeadershipTest, AStandbyReadsAheadAndTellsOfDamageBeforeItIsElected) {
    const auto seen_by_b = std::make_shared<SharedRegistry>();
    run([&]() -> awaitable<void> {
        auto a = among_others("a");
        co_await a->until_leading();
        auto b = among_others("b", {seen_by_b, {}, Leadership::Patience{.rest = 1h, .read_ahead_every = 10ms}});
        co_await b->until_standby_of("a:5050");
        co_await b->until([&] { return seen_by_b->reads_ahead >= 3; });
        EXPECT_EQ(b->standing->view().trouble, "");
        seen_by_b->damage = Error(ErrorCode::malformed, "znode /x is damaged");
        co_await b->until([&] { return b->standing->view().trouble == "znode /x is damaged"; });
        seen_by_b->damage.reset();
        co_await b->until([&] { return b->standing->view().trouble.empty(); });
        EXPECT_FALSE(b->cause) << b->fatal;
        co_await a->stop();
        co_await b->until_leading();
        co_await b->stop();
    });
}

TEST_F(LeadershipTest, WhoCannotOpenTheRegistrySaysSoAtItsStartAndDoesNotContend) {
    run([&]() -> awaitable<void> {
        for (const auto& [code, cause] : {std::pair(ErrorCode::malformed, Leadership::Cause::environment),
                                          std::pair(ErrorCode::permission_denied, Leadership::Cause::configuration)}) {
            const auto refuse = [code = code]() -> awaitable<base::Status> {
                co_return Error(code, "it is not for us");
            };
            auto a = among_others("a", {nullptr, refuse, {}});
            co_await a->until([&] { return a->cause.has_value(); });
            EXPECT_EQ(a->cause, cause);
            EXPECT_EQ(a->fatal, "it is not for us");
            EXPECT_EQ(a->standing->view().leader, api::Standing::Leader::unknown);
            auto b = among_others("b");  // would be behind an `a` that contends
            co_await b->until_leading();
            co_await b->stop();
            co_await a->stop();
        }
    });
}

TEST_F(LeadershipTest, WhoCannotOpenTheRegistryYetContendsWhenItCan) {
    run([&]() -> awaitable<void> {
        int attempts = 0;
        const auto open = [&]() -> awaitable<base::Status> {
            if (++attempts == 1) co_return Error(ErrorCode::unavailable, "not yet");
            co_return base::Status();
        };
        auto a = among_others("a", {nullptr, open, {}});
        co_await a->until([&] { return attempts == 1; });
        auto b = among_others("b");
        co_await b->until_leading();
        co_await a->until_standby_of("b:5050");
        EXPECT_EQ(attempts, 2);
        co_await b->stop();
        co_await a->until_leading();
        co_await a->stop();
    });
}

// Found by the simulation: the lease was over for the core, and extended in the same moment for the election.
TEST_F(LeadershipTest, WhoseCoreHasStoppedByItselfTakesOverAnew) {
    run([&]() -> awaitable<void> {
        auto a = among_others("a");
        co_await a->until_leading();
        EXPECT_EQ(registry_->epoch, 1u);
        a->driver.stop_leading("its lease is over");
        co_await a->until([&] { return registry_->epoch == 2 && a->driver.leading(); });
        co_await a->stop();
    });
}

}  // namespace
}  // namespace fairlead::masterd
