// The contract of the runtime port, kept by the runtime on the systemd of this host, and what only a
// real one can show: units that people can read, output in the journal, a systemd that re-executes
// itself. Run by ./test on a booted host of a bed, as root.

#include "common/async/asio.hpp"
#include "nodeagentd/runtime/runtime.hpp"
#include "nodeagentd/runtime/unit_names.hpp"
#include "tests/support/runtime_contract.hpp"

#include <array>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using nodeagentd::runtime::SystemdRuntime;

const std::string place = "/run/fairlead-test";

std::string shell(const std::string& command) {
    std::string out;
    FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::array<char, 4096> buffer;
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
        out.append(buffer.data(), got);
    ::pclose(pipe);
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

class SystemdWorld : public RuntimeWorld {
  public:
    SystemdWorld() {
        std::filesystem::remove_all(place);
        std::filesystem::create_directories(place);
        born();
    }
    ~SystemdWorld() override {
        agent_dies();
        runtime_->recover({});  // whatever a failed test has left is nobody's now
        next_event(200ms);
        shell("systemctl stop 'fairlead-*.scope' 'fairlead-*.slice'; "
              "systemctl reset-failed 'fairlead-*'");
    }

    nodeagentd::ports::Runtime& runtime() override { return *runtime_; }

    void agent_dies() override {
        runtime_.reset();
        io_->restart();
        io_->poll();
        born();
    }
    std::optional<nodeagentd::ports::RuntimeEvent> next_event(base::Duration within) override {
        const auto until = std::chrono::steady_clock::now() + within;
        while (events_.empty() && std::chrono::steady_clock::now() < until) {
            io_->restart();
            io_->run_one_until(until);
        }
        if (events_.empty()) return std::nullopt;
        auto event = std::move(events_.front());
        events_.pop_front();
        if (const auto* started = std::get_if<nodeagentd::ports::Started>(&event))
            units_[started->container] = started->unit;
        return event;
    }
    std::string sandbox_of(const std::string& name) override { return place + "/" + name; }
    void make_file(const std::string& path) override { std::ofstream(path) << "a file"; }

    void administrator_stops(const base::ContainerId& id) override {
        shell("systemctl stop --no-block '" + units_.at(id) + "'");
    }
    void administrator_kills(const base::ContainerId& id) override {
        shell("systemctl kill --signal=KILL '" + units_.at(id) + "'");
    }
    void supervisor_is_killed(const base::ContainerId& id) override {
        for (const auto& pid : processes(id))
            if (is_child(pid)) shell("kill -9 " + pid);
    }
    bool is_anything_left(const base::ContainerId& id) override { return !processes(id).empty(); }

    const std::string& unit(const base::ContainerId& id) { return units_.at(id); }

  private:
    // Of this process: as supervisors are, and tasks are not.
    static bool is_child(const std::string& pid) {
        return shell("ps -o ppid= -p " + pid + " | tr -d ' '") == std::to_string(::getpid());
    }
    void born() {
        events_.clear();
        nodeagentd::runtime::Options options;
        options.supervisor = SUPERVISOR;
        options.run_directory = place + "/agent";
        options.hello_wait = 2s;
        options.slice_linger = 500ms;
        runtime_ = std::make_unique<SystemdRuntime>(io_->get_executor(), options);
        if (const auto open = runtime_->open(); !open)
            throw std::runtime_error(open.error().message());
        runtime_->set_sink([this](auto event) { events_.push_back(std::move(event)); });
    }
    std::vector<std::string> processes(const base::ContainerId& id) {
        std::vector<std::string> pids;
        const std::string group = shell("systemctl show -P ControlGroup '" + units_.at(id) + "'");
        if (group.empty()) return pids;
        std::istringstream text(
            shell("cat /sys/fs/cgroup" + group + "/cgroup.procs /sys/fs/cgroup/unified" + group +
                  "/cgroup.procs /sys/fs/cgroup/systemd" + group + "/cgroup.procs | sort -u"));
        for (std::string line; std::getline(text, line);)
            if (line.find_first_not_of("0123456789") == std::string::npos) pids.push_back(line);
        return pids;
    }

    std::unique_ptr<async::asio::io_context> io_ = std::make_unique<async::asio::io_context>(1);
    std::unique_ptr<SystemdRuntime> runtime_;
    std::deque<nodeagentd::ports::RuntimeEvent> events_;
    std::map<base::ContainerId, std::string> units_;
};

std::unique_ptr<RuntimeWorld> make_systemd_world() {
    return std::make_unique<SystemdWorld>();
}

INSTANTIATE_TEST_SUITE_P(Systemd, RuntimeContract, testing::Values(&make_systemd_world));

class RuntimeOnSystemd : public RuntimeContract {
  protected:
    SystemdWorld& world() { return static_cast<SystemdWorld&>(*world_); }
    std::string show(const std::string& unit, const std::string& property) {
        return shell("systemctl show -P " + property + " '" + unit + "'");
    }
    // What `look` finds within ten seconds, while the runtime goes on.
    template <typename Look>
    bool becomes_true(Look look) {
        for (int i = 0; i < 100; ++i) {
            if (look()) return true;
            world_->next_event(100ms);
        }
        return false;
    }
};

INSTANTIATE_TEST_SUITE_P(Systemd, RuntimeOnSystemd, testing::Values(&make_systemd_world));

TEST_P(RuntimeOnSystemd, UnitsAreReadable) {
    runtime().recover({});
    auto one = spec("readable", waits);
    one.resources = {0.5, 1.5, 64U << 20, std::nullopt, 77};
    const auto id = run(one);
    const std::string scope = world().unit(id);
    EXPECT_EQ(scope, "fairlead-contract-readable.scope");
    EXPECT_EQ(show(scope, "Description"), "Task readable of framework Contract");
    EXPECT_EQ(show(scope, "Slice"), "fairlead-contract.slice");
    EXPECT_EQ(show(scope, "CPUWeight"), "50");
    EXPECT_EQ(show(scope, "CPUQuotaPerSecUSec"), "1.500000s");
    EXPECT_EQ(show(scope, "MemoryMax"), std::to_string(64U << 20));
    EXPECT_EQ(show(scope, "TasksMax"), "77");
    EXPECT_EQ(show(scope, "TimeoutStopUSec"), "3s");
    EXPECT_EQ(show("fairlead-contract.slice", "Description"),
              "Tasks of Contract (framework contract)");
    EXPECT_EQ(show("fairlead-contract.slice", "CPUWeight"), "50");
    run(spec("second", waits));
    EXPECT_TRUE(
        becomes_true([&] { return show("fairlead-contract.slice", "CPUWeight") == "60"; }));
}

TEST_P(RuntimeOnSystemd, NothingIsLeftOfAFrameworkThatIsGone) {
    runtime().recover({});
    const auto ends = run(spec("ends", "exit 0"));
    expect<Exited>();
    runtime().release(ends);
    const auto stubborn_one = run_stubborn("stubborn");
    runtime().stop(stubborn_one, 100ms);
    expect<ScopeGone>();
    runtime().release(stubborn_one);
    EXPECT_TRUE(becomes_true([&] {
        return shell("systemctl list-units --all --plain --no-legend 'fairlead-*'").empty();
    })) << shell("systemctl list-units --all 'fairlead-*'");
}

TEST_P(RuntimeOnSystemd, LeftProcessesAreStoppedByTheRelease) {
    runtime().recover({});
    const auto id = run(spec("leaves", "sleep 1000 & exit 0"));
    EXPECT_EQ(expect<Exited>().cause, EndCause::own);
    EXPECT_TRUE(world_->is_anything_left(id));
    runtime().release(id);
    EXPECT_TRUE(becomes_true([&] { return !world_->is_anything_left(id); }));
}

TEST_P(RuntimeOnSystemd, OutputIsInTheJournalUnderTheScopeAndInTheSandbox) {
    runtime().recover({});
    const auto one = spec("prints", "echo to-out; echo '<3>an error' >&2; printf unfinished");
    run(one);
    expect<Exited>();
    runtime().release(one.id);
    const std::string query = "journalctl -q -o cat -u fairlead-contract-prints.scope ";
    const auto has = [&](const std::string& more, const std::string& line) {
        return becomes_true([&] {
            return ("\n" + shell(query + more) + "\n").find("\n" + line + "\n") != std::string::npos;
        });
    };
    EXPECT_TRUE(has("", "to-out"));
    EXPECT_TRUE(has("TASK_ID=prints FRAMEWORK_ID=contract", "unfinished"));
    EXPECT_TRUE(has("-p 3", "an error"));
    EXPECT_EQ(shell("cat " + one.sandbox + "/stdout"), "to-out\nunfinished");
    EXPECT_EQ(shell("cat " + one.sandbox + "/stderr"), "<3>an error");
}

TEST_P(RuntimeOnSystemd, MuchOutputIsWholeInTheSandbox) {
    runtime().recover({});
    const auto one = spec("chatty", "seq 1 200000");
    run(one);
    EXPECT_EQ(expect<Exited>().cause, EndCause::own);
    EXPECT_EQ(shell("md5sum < " + one.sandbox + "/stdout"), shell("seq 1 200000 | md5sum"));
    runtime().release(one.id);
}

TEST_P(RuntimeOnSystemd, ATaskHasItsUserItsEnvironmentAndNothingElse) {
    runtime().recover({});
    auto one = spec("clean", "id -un; pwd; env | grep -v -e ^_= -e ^PWD= -e ^SHLVL=; ls /proc/self/fd | wc -w");
    one.user = "nobody";
    one.environment.push_back({"GREETING", "hello"});
    run(one);
    expect<Exited>();
    EXPECT_EQ(shell("cat " + one.sandbox + "/stdout"),
              "nobody\n" + one.sandbox + "\nGREETING=hello\nPATH=/usr/bin:/bin\n4");
    runtime().release(one.id);
}

TEST_P(RuntimeOnSystemd, StrangeIdsRun) {
    runtime().recover({});
    int number = 0;
    for (const std::string& task :
         {std::string("a/b"), std::string("two words"), std::string("\xF0\x9F\x9A\xA2"),
          std::string(300, 'x'), std::string(".."), std::string("%n $HOME 'q' \"q\" \\x2d")}) {
        auto one = spec("strange", "exit 0");
        one.id = base::ContainerId("container-strange-" + std::to_string(number++));
        one.task = base::TaskId(task);
        one.task_name = task;
        run(one);
        expect<Exited>();
        runtime().release(one.id);
    }
}

TEST_P(RuntimeOnSystemd, AnEnvironmentThatIsTooBigIsRefusedByName) {
    runtime().recover({});
    auto one = spec("big", "exit 0");
    one.environment.push_back({"BIG", std::string(3 << 20, 'x')});
    runtime().start(one);
    const auto failed = expect<StartFailed>();
    EXPECT_EQ(failed.failure, StartFailure::command);
    EXPECT_NE(failed.message.find("Argument list too long"), std::string::npos) << failed.message;
    runtime().release(one.id);
    one.environment.back().second.resize(8 << 20);
    fails(one, StartFailure::invalid_spec);
}

TEST_P(RuntimeOnSystemd, AnAdministratorsSignalIsToldAsSuch) {
    runtime().recover({});
    const auto id = run(spec("signalled", waits));
    shell("systemctl kill " + world().unit(id));
    EXPECT_EQ(expect<Exited>().cause, EndCause::administrator);
    runtime().release(id);
}

TEST_P(RuntimeOnSystemd, SystemdMayReexecuteItselfAtAnyTime) {
    constexpr int many = 200;
    runtime().recover({});
    const auto steady = run(spec("steady", waits));
    for (int i = 0; i < many; ++i) runtime().start(spec("burst-" + std::to_string(i), "exit 0"));
    shell("systemctl --no-block daemon-reexec");
    int ended = 0;
    while (ended < many) {
        const auto event = world_->next_event(soon);
        ASSERT_TRUE(event) << ended;
        const auto* const failed = std::get_if<StartFailed>(&*event);
        EXPECT_EQ(failed, nullptr) << failed->message;
        if (const auto* end = std::get_if<Exited>(&*event)) {
            ++ended;
            runtime().release(end->container);
        }
    }
    EXPECT_TRUE(becomes_true([&] { return runtime().metrics().bus_reconnects > 0; }));
    runtime().stop(steady, std::nullopt);
    EXPECT_EQ(expect<Exited>().cause, EndCause::stop_requested);
}

TEST_P(RuntimeOnSystemd, StartsAsFastAsPid1CanMakeScopes) {
    constexpr int many = 2000;
    runtime().recover({});
    run(spec("first", waits));  // its slice
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < many; ++i) runtime().start(spec("fast-" + std::to_string(i), "exit 0"));
    for (int ended = 0; ended < many;) {
        const auto event = world_->next_event(soon);
        ASSERT_TRUE(event);
        if (const auto* end = std::get_if<Exited>(&*event)) {
            ++ended;
            runtime().release(end->container);
        }
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const auto metrics = runtime().metrics();
    std::printf("%.0f tasks/s; unit call p50 %.1f ms, p99 %.1f ms; start p50 %.1f ms\n",
                many / seconds, static_cast<double>(metrics.unit_call_latency_p50.count()) / 1000,
                static_cast<double>(metrics.unit_call_latency_p99.count()) / 1000,
                static_cast<double>(metrics.start_latency_p50.count()) / 1000);
    EXPECT_LE(metrics.unit_calls_in_flight, 32U);
}

}  // namespace
}  // namespace fairlead::test
