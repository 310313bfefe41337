// The contract of the runtime port, kept by the runtime with real supervisors and a stand-in for
// PID 1.

#include "common/async/asio.hpp"
#include "nodeagentd/runtime/runtime.hpp"
#include "tests/support/fake_systemd.hpp"
#include "tests/support/runtime_contract.hpp"

#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using nodeagentd::runtime::SystemdRuntime;

class ProcessWorld : public RuntimeWorld {
  public:
    ProcessWorld()
        : place_(std::filesystem::temp_directory_path() /
                 ("fairlead-runtime-" + std::to_string(::getpid()))),
          systemd_((std::filesystem::create_directories(place_), place_ / "systemd")) {
        born();
    }
    ~ProcessWorld() override {
        runtime_.reset();
        std::filesystem::remove_all(place_);
    }

    nodeagentd::ports::Runtime& runtime() override { return *runtime_; }
    void agent_dies() override {
        runtime_.reset();
        io_.restart();
        io_.poll();
        born();
    }
    std::optional<nodeagentd::ports::RuntimeEvent> next_event(base::Duration within) override {
        const auto until = std::chrono::steady_clock::now() + within;
        while (events_.empty() && std::chrono::steady_clock::now() < until) {
            io_.restart();
            io_.run_one_until(until);
        }
        if (events_.empty()) return std::nullopt;
        auto event = std::move(events_.front());
        events_.pop_front();
        if (const auto* started = std::get_if<nodeagentd::ports::Started>(&event))
            units_[started->container] = started->unit;
        return event;
    }
    std::string sandbox_of(const std::string& name) override { return place_ / name; }
    void make_file(const std::string& path) override { std::ofstream(path) << "a file"; }
    void administrator_stops(const base::ContainerId& id) override {
        systemd_.stop(units_.at(id));
    }
    void administrator_kills(const base::ContainerId& id) override {
        systemd_.kill(units_.at(id), SIGKILL);
    }
    void supervisor_is_killed(const base::ContainerId& id) override {
        for (const pid_t pid : systemd_.processes(units_.at(id)))
            if (is_child(pid)) ::kill(pid, SIGKILL);
    }
    bool is_anything_left(const base::ContainerId& id) override {
        return !systemd_.processes(units_.at(id)).empty();
    }
    FakeSystemd& systemd() { return systemd_; }

  private:
    // Of this process: as supervisors are, and tasks are not.
    static bool is_child(pid_t pid) {
        std::ifstream status("/proc/" + std::to_string(pid) + "/status");
        for (std::string word; status >> word;)
            if (word == "PPid:") return status >> word && word == std::to_string(::getpid());
        return false;
    }
    void born() {
        events_.clear();
        nodeagentd::runtime::Options options;
        options.supervisor = SUPERVISOR;
        options.run_directory = place_ / "agent";
        options.unit_calls.socket = place_ / "systemd";
        options.hello_wait = 2s;
        runtime_ = std::make_unique<SystemdRuntime>(io_.get_executor(), options);
        if (const auto open = runtime_->open(); !open)
            throw std::runtime_error(open.error().message());
        runtime_->set_sink([this](auto event) { events_.push_back(std::move(event)); });
    }

    std::filesystem::path place_;
    FakeSystemd systemd_;
    async::asio::io_context io_{1};
    std::unique_ptr<SystemdRuntime> runtime_;
    std::deque<nodeagentd::ports::RuntimeEvent> events_;
    std::map<base::ContainerId, std::string> units_;
};

std::unique_ptr<RuntimeWorld> make_process_world() {
    return ::geteuid() == 0 ? std::make_unique<ProcessWorld>() : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Processes, RuntimeContract, testing::Values(&make_process_world));

class LostConnection : public RuntimeContract {};
INSTANTIATE_TEST_SUITE_P(Processes, LostConnection, testing::Values(&make_process_world));

TEST_P(LostConnection, LosesNoContainer) {
    constexpr int many = 100;
    runtime().recover({});
    const auto steady = run(spec("steady", waits));
    for (int i = 0; i < many; ++i) runtime().start(spec("burst-" + std::to_string(i), "exit 0"));
    static_cast<ProcessWorld&>(*world_).systemd().drop_connections();
    for (int ended = 0; ended < many;) {
        const auto event = world_->next_event(soon);
        ASSERT_TRUE(event) << ended;
        const auto* const failed = std::get_if<StartFailed>(&*event);
        ASSERT_EQ(failed, nullptr) << failed->message;
        if (const auto* end = std::get_if<Exited>(&*event)) {
            ++ended;
            runtime().release(end->container);
        }
    }
    runtime().stop(steady, std::nullopt);
    EXPECT_EQ(expect<Exited>().cause, EndCause::stop_requested);
    EXPECT_EQ(runtime().metrics().bus_reconnects, 1U);
}

class SandboxOfATask : public RuntimeContract {};
INSTANTIATE_TEST_SUITE_P(Processes, SandboxOfATask, testing::Values(&make_process_world));

TEST_P(SandboxOfATask, IsMadeWithTheFoldersAboveItAndBelongsToTheTasksUser) {
    runtime().recover({});
    auto one = spec("framework/task/run", "stat -c '%a %U' . ..");
    one.id = base::ContainerId("run");
    one.user = "nobody";
    run(one);
    EXPECT_EQ(expect<Exited>().wait_status, 0);
    world_->await_output("framework/task/run", "750 nobody\n755 root\n");
    runtime().release(one.id);
}

TEST_P(SandboxOfATask, IsNeverWhereALinkLeads) {
    runtime().recover({});
    auto one = spec("link", waits);
    std::filesystem::create_directory(world_->sandbox_of("elsewhere"));
    std::filesystem::create_directory_symlink(world_->sandbox_of("elsewhere"), one.sandbox);
    runtime().start(one);
    const auto failed = expect<StartFailed>();
    EXPECT_EQ(failed.failure, StartFailure::environment);
    EXPECT_EQ(failed.message, "The sandbox cannot be made: Not a directory");
    EXPECT_TRUE(std::filesystem::is_empty(world_->sandbox_of("elsewhere")));
}

TEST(NoSystemd, IsAClearErrorAtTheStart) {
    async::asio::io_context io(1);
    nodeagentd::runtime::Options options;
    options.run_directory =
        std::filesystem::temp_directory_path() / ("fairlead-none-" + std::to_string(::getpid()));
    options.unit_calls.socket = "/nonexistent/socket";
    if (std::filesystem::exists("/run/dbus/system_bus_socket"))
        GTEST_SKIP() << "this host has a system bus";
    SystemdRuntime runtime(io.get_executor(), options);
    const auto open = runtime.open();
    ASSERT_FALSE(open);
    EXPECT_NE(open.error().message().find("systemd cannot be reached over the system bus"),
              std::string::npos)
        << open.error().message();
    std::filesystem::remove_all(options.run_directory);
}

}  // namespace
}  // namespace fairlead::test
