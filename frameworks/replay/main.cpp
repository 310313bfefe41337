// fairlead-replay: two or more frameworks replay a recorded trace side by side, from the same
// moment on.

#include "common/async/deadline.hpp"
#include "common/http/client.hpp"
#include "frameworks/replay/replayer.hpp"
#include "frameworks/replay/report.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <list>
#include <sstream>

namespace fairlead::frameworks::replay {

namespace {

constexpr auto tick_period = std::chrono::milliseconds(50);
constexpr auto subscribe_deadline = std::chrono::seconds(60);
constexpr auto agents_deadline = std::chrono::seconds(20);
constexpr std::size_t bar_width = 30, plot_width = 64;

struct Options {
    std::vector<std::string> masters{"http://localhost:5050"};
    std::string trace, label = "quickstart", user = "root", maptask;
    std::vector<std::string> frameworks;
    std::size_t jobs = 50;
    double time_scale = 50, bytes_scale = 1, cpus = 0.25, mem_mb = 64;
    unsigned copies = 3;
    std::uint64_t seed = 1;
    double wait_host = 1, wait_rack = 1;
    unsigned give_up_minutes = 15;
};

class Screen {
  public:
    Screen() : terminal_(isatty(STDOUT_FILENO) == 1) {}

    void show(const std::vector<Named>& frameworks, base::Instant now) {
        if (now < next_) return;
        next_ =
            now + (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000));
        if (terminal_ && drawn_ > 0) fmt::print("\033[{}A", drawn_);
        drawn_ = frameworks.size();
        for (const auto& framework : frameworks)
            fmt::print("{}{}\n", terminal_ ? "\033[2K" : "", progress_line(framework, bar_width));
        std::fflush(stdout);
    }
    void show_last(const std::vector<Named>& frameworks) { show(frameworks, next_); }

  private:
    bool terminal_;
    std::size_t drawn_ = 0;
    base::Instant next_{};
};

struct Member {
    Member(async::Executor strand, ReplayerOptions options, Ledger ledger)
        : replayer(strand, std::move(options), std::move(ledger)) {}
    Replayer replayer;
    bool ended = false;
    base::Status outcome;
};

async::awaitable<void> run_member(Member& member) {
    member.outcome = co_await member.replayer.run();
    member.ended = true;
}

// One word on what went wrong, or nothing.
std::string trouble_of(const std::list<Member>& members) {
    for (const auto& member : members)
        if (member.ended)
            return member.replayer.name() + ": " +
                   (member.outcome ? "ended early" : member.outcome.error().message());
    return {};
}

template <typename Predicate>
bool all(const std::list<Member>& members, Predicate predicate) {
    for (const auto& member : members)
        if (!predicate(member.replayer)) return false;
    return true;
}

// Of the first of these masters that tells.
async::awaitable<base::Result<std::vector<sdk::Site>>> agents_of(const std::vector<std::string>& masters) {
    base::Error last(base::ErrorCode::invalid_argument, "no master was given");
    for (const auto& master : masters) {
        const auto url = http::parse_url(master, 5050);
        if (!url) co_return url.error().in("master " + master);
        http::Client client(co_await async::asio::this_coro::executor, *url);
        http::ClientRequest request("GET", "/slaves");
        const auto answer = co_await client.request(std::move(request), agents_deadline);
        if (answer && answer->status == 200) co_return parse_agents(answer->body);
        last = answer ? base::Error(base::ErrorCode::unavailable, fmt::format("it answers {}", answer->status))
                      : answer.error();
        last = last.in("/slaves of " + master);
    }
    co_return last;
}

async::awaitable<std::string> replay(std::list<Member>& members, const std::vector<Named>& named,
                                     const Options& options) {
    const auto now = [] { return base::read_clocks().instant; };
    const auto subscribe_until = now() + subscribe_deadline;
    while (!all(members, [](const Replayer& r) { return r.is_subscribed(); })) {
        if (auto trouble = trouble_of(members); !trouble.empty()) co_return trouble;
        if (now() > subscribe_until) co_return "not all frameworks could subscribe within a minute";
        co_await async::sleep_for(tick_period);
    }
    std::vector<sdk::Site> hosts;
    if (options.copies > 0) {
        auto agents = co_await agents_of(options.masters);
        if (!agents) co_return "cannot tell where data could be: " + agents.error().message();
        hosts = std::move(*agents);
    }
    const auto start = now();
    std::uint64_t number = 0;  // each framework has data of its own
    for (auto& member : members) member.replayer.start(start, Blocks(hosts, options.copies, options.seed + number++));
    Screen screen;
    while (!all(members, [](const Replayer& r) { return r.over(); })) {
        if (auto trouble = trouble_of(members); !trouble.empty()) co_return trouble;
        if (now() > start + std::chrono::minutes(options.give_up_minutes)) {
            screen.show_last(named);
            co_return fmt::format("not done after {} minutes", options.give_up_minutes);
        }
        for (auto& member : members) member.replayer.tick();
        screen.show(named, now());
        co_await async::sleep_for(tick_period);
    }
    screen.show_last(named);
    co_return std::string();
}

int report(const Options& options, const std::list<Member>& members,
           const std::vector<Named>& named, const std::string& trouble) {
    std::size_t finished = 0, lost = 0;
    for (const auto& framework : named) {
        finished += framework.ledger->finished_count();
        lost += framework.ledger->task_count() - framework.ledger->finished_count();
    }
    fmt::print("\n{}\n{}", summary(named), share_plot(named, plot_width));
    fmt::print(
        "\nLook at: the job wait of both (the same work, so it should be alike), and the plot: "
        "while one\n"
        "framework has nothing to do the other may hold the whole cluster; while both want it, "
        "half each.\n");
    if (!trouble.empty()) fmt::print(stderr, "fairlead-replay: {}\n", trouble);
    for (const auto& member : members)
        if (!member.replayer.last_trouble().empty())
            fmt::print(stderr, "fairlead-replay: {}: last trouble: {}\n", member.replayer.name(),
                       member.replayer.last_trouble());
    fmt::print("\n{}: {} tasks finished, {} lost\n", options.label, finished, lost);
    return lost > 0 || !trouble.empty() ? 1 : 0;
}

int run(const Options& options) {
    std::ifstream file(options.trace);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
        fmt::print(stderr, "fairlead-replay: cannot read {}\n", options.trace);
        return 2;
    }
    auto trace = parse_trace(text.str(), options.jobs);
    if (!trace) {
        fmt::print(stderr, "fairlead-replay: {}: {}\n", options.trace, trace.error().message());
        return 2;
    }
    async::asio::io_context context(1);
    std::list<Member> members;
    std::vector<Named> named;
    for (const auto& framework : options.frameworks) {
        const auto colon = framework.find(':');
        ReplayerOptions replayer{options.masters,
                                 framework.substr(0, colon),
                                 framework.substr(colon + 1),
                                 options.user,
                                 options.maptask,
                                 options.cpus,
                                 options.mem_mb,
                                 {base::seconds_clamped(options.wait_host), base::seconds_clamped(options.wait_rack)}};
        members.emplace_back(context.get_executor(), std::move(replayer),
                             Ledger(*trace, {options.time_scale, options.bytes_scale}));
        named.push_back({members.back().replayer.name(), &members.back().replayer.ledger()});
        async::asio::co_spawn(context, run_member(members.back()), async::asio::detached);
    }
    std::string trouble;
    async::asio::co_spawn(
        context,
        [&]() -> async::awaitable<void> {
            trouble = co_await replay(members, named, options);
            for (auto& member : members) co_await member.replayer.stop();
        },
        [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
    context.run();
    return report(options, members, named, trouble);
}

std::string beside_this_program(const char* name) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? name : (self.parent_path() / name).string();
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.trace = "/usr/share/fairlead/swim/FB-2009_samples_24_times_1hr_0_first50jobs.tsv";
    options.maptask = beside_this_program("fairlead-maptask");
    CLI::App app("Replays the jobs of a SWIM trace with several frameworks that share one cluster.",
                 "fairlead-replay");
    app.add_option("--master", options.masters, "Masters: host:port or URL")->capture_default_str();
    app.add_option("--trace", options.trace, "The trace, tab-separated")->capture_default_str();
    app.add_option("--jobs", options.jobs, "Jobs from the beginning of the trace")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--time-scale", options.time_scale, "Submit times are divided by this")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--bytes-scale", options.bytes_scale,
                   "Bytes of each map task are multiplied by this")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--framework", options.frameworks, "NAME:ROLE; one for each framework")
        ->required()
        ->allow_extra_args(false)
        ->check([](const std::string& text) {
            const auto colon = text.find(':');
            return colon == std::string::npos || colon == 0 || colon + 1 == text.size()
                       ? "'" + text + "' is not NAME:ROLE"
                       : std::string();
        });
    app.add_option("--cpus-per-map", options.cpus, "CPUs of a map task")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--mem-per-map", options.mem_mb, "Memory of a map task, in MB")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--copies", options.copies,
                   "Copies of each block of input, on hosts by --seed; 0: nowhere in particular")
        ->capture_default_str()
        ->check(CLI::Range(0, 100));
    app.add_option("--seed", options.seed, "Of where the copies are")->capture_default_str();
    app.add_option("--wait-host", options.wait_host, "Seconds that a job waits for a host with its input")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--wait-rack", options.wait_rack, "Further seconds that it waits for a host of the same rack")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--user", options.user, "Account that the tasks run as")->capture_default_str();
    app.add_option("--maptask", options.maptask, "The program of a map task, as agents have it")
        ->capture_default_str();
    app.add_option("--label", options.label, "First word of the last line")->capture_default_str();
    app.add_option("--give-up-after", options.give_up_minutes, "Minutes")->capture_default_str();
    app.footer(
        "The whole fifty jobs read 16.2 GB for each framework: a minute or so on two cores at the "
        "defaults.\n"
        "Exit status: 0 all tasks finished; 1 some were lost, or it could not be done; 2 wrong "
        "usage.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return run(options);
}

}  // namespace fairlead::frameworks::replay

int main(int argc, char** argv) {
    try {
        return fairlead::frameworks::replay::main(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fairlead-replay: {}\n", error.what());
        return 1;
    }
}
