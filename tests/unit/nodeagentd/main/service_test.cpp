#include "nodeagentd/service.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace fairlead::nodeagentd {
namespace {

struct NoRuntime : ports::Runtime {
    void set_sink(ports::RuntimeSink) override {}
    void recover(std::vector<ports::KnownContainer>, std::vector<ports::EndedContainer>, ports::StrangersSink) override {}
    void start(ports::ContainerSpec) override {}
    void stop(base::ContainerId, std::optional<base::Duration>) override {}
    void release(base::ContainerId) override {}
    ports::RuntimeMetrics metrics() const override { return {}; }
};

struct NoFetcher : ports::Fetcher {
    void set_sink(std::function<void(ports::Fetched)>) override {}
    void fetch(ports::FetchRequest) override {}
    void cancel(const base::ContainerId&) override {}
    ports::FetchCounters counters() const override { return {}; }
};

// Where systemd would hear us.
class NotifySocket {
  public:
    NotifySocket() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        const std::string name = "fairlead-service-test-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data(), name.size());  // in no folder
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
        ::setenv("WATCHDOG_USEC", "30000000", 1);
    }
    ~NotifySocket() {
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("WATCHDOG_USEC");
        ::close(socket_);
    }
    // Nothing: nobody has said anything.
    std::string heard() {
        std::string text(4096, '\0');
        const auto size = ::recv(socket_, text.data(), text.size(), 0);
        return text.substr(0, size > 0 ? static_cast<std::size_t>(size) : 0);
    }

  private:
    const int socket_;
};

TEST(Service, AnswersTheWatchdogBeforeWhatWaitsInAFullMailbox) {
    NotifySocket systemd;
    async::asio::io_context io;
    NoRuntime runtime;
    NoFetcher fetcher;
    driver::World world;
    world.runtime = &runtime;
    world.fetcher = &fetcher;
    world.persist = [](const core::Persist&) { return base::Status(); };
    world.persist_agent = [](internal::AgentRecord, std::function<void(base::Status)> done) { done({}); };
    world.report = [](const core::Report&) {};
    driver::Driver driver(io.get_executor(), std::make_unique<core::Core>(core::CoreOptions{}, 7), world);
    std::optional<std::string> heard_by_then;
    while (driver.look([&](const core::State&) {
        if (!heard_by_then) heard_by_then = systemd.heard();
    })) {
    }
    Service service(driver);
    async::asio::co_spawn(io, service.watch(), async::asio::detached);
    async::asio::co_spawn(io, driver.run({}), async::asio::detached);
    io.poll();
    ASSERT_TRUE(heard_by_then);
    EXPECT_NE(heard_by_then->find("WATCHDOG=1"), std::string::npos) << *heard_by_then;
    driver.stop();
    io.restart();
    io.poll();
}

TEST(StatusLine, TellsWhatTheAgentIsAbout) {
    core::State state;
    state.agent_id = base::AgentId("c-S1");
    state.total = resources::Resources::parse("cpus:4;mem:7000").value();
    state.used = resources::Resources::parse("cpus:1.5;mem:512").value();
    state.containers[base::ContainerId("a")].record.set_phase(internal::ContainerRecord::RUNNING);
    EXPECT_EQ(status_line(state), "taking back what the last process left: 1 task running");
    state.settled = true;
    EXPECT_EQ(status_line(state), "looking for a master: 1 task running");
    state.turned_away = "this agent belongs to cluster c";
    EXPECT_EQ(status_line(state), "turned away, trying again: this agent belongs to cluster c; 1 task running");
    state.turned_away.clear();
    state.link = core::LinkId{1};
    state.master = "master1:5050";
    EXPECT_EQ(status_line(state), "registering with master1:5050: 1 task running");
    state.registered = true;
    state.containers[base::ContainerId("b")].record.set_phase(internal::ContainerRecord::RUNNING);
    state.containers[base::ContainerId("c")].record.set_phase(internal::ContainerRecord::STARTING);
    state.containers[base::ContainerId("d")].record.set_phase(internal::ContainerRecord::ENDED);
    EXPECT_EQ(status_line(state),
              "registered with master1:5050 as c-S1: 2 tasks running, 1 starting; "
              "cpus 1.5 of 4, mem 512 of 7000 MB taken");
}

}  // namespace
}  // namespace fairlead::nodeagentd
