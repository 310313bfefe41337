// The load of bench/run swarm: thousands of agents and hundreds of frameworks around real masters. Does what lines on its
// standard input say, one after the other, and answers each with one JSON object on a line. Times are those of
// CLOCK_MONOTONIC, in ns, as whoever started this reads them, too.
//
//   agents TIMEOUT_S             connect them all; answers when all are registered
//   frameworks N TIMEOUT_S       subscribe so many, and the probe; they launch from then on
//   length MEAN_S DEVIATION_S    of the tasks from now on
//   waiting TIMEOUT_S            answers when all agents have a link that waits for the next leader, or the time is over
//   run SECONDS                  let it run, and count
//   probe N LENGTH_S             the probe launches so many tasks, one after another
//   watch SINCE_NS               from now on, look for the first launch by a later leader than those that have led
//   back SINCE_NS TIMEOUT_S      answers when all agents have registered and all frameworks subscribed since
//   finish TIMEOUT_S             no more launches; when all tasks are over, compares what ran with what was told

#include "bench/swarm/crowd.hpp"
#include "bench/swarm/framework.hpp"
#include "common/detection/detector.hpp"
#include "common/http/url.hpp"
#include "common/zookeeper/url.hpp"

#include <CLI/CLI.hpp>

#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <future>
#include <iostream>
#include <sstream>

namespace fairlead::bench {
namespace {

struct Options {
    std::vector<std::string> masters;
    std::string zookeeper;
    std::uint32_t agents = 1000;
    std::uint32_t agents_per_thread = 9'000;  // of two sockets each, where a process may have 20,000
    double slots = 2;
    double connects_per_second = 5000;
    unsigned doors = 0;  // of a wide master
    bool waiting_links = true;
};

constexpr std::chrono::milliseconds look_again{5};

double ms_between(base::Instant from, base::Instant to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

// For a JSON string: nothing that would end it.
std::string quoted(std::string text) {
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '"' || c == '\\' || c < ' '; }, '\'');
    return text;
}

class Swarm {
  public:
    explicit Swarm(Options options)
        : options_(std::move(options)), strand_(async::asio::make_strand(io_)), work_(async::asio::make_work_guard(io_)) {
        board_.masters = options_.masters;
        thread_ = std::thread([this] { io_.run(); });
    }
    ~Swarm() {
        io_.stop();
        thread_.join();
    }

    std::string obey(const std::string& line) {
        std::istringstream words(line);
        std::string command;
        words >> command;
        const auto number = [&] {
            double value = 0;
            if (!(words >> value)) throw std::runtime_error("a number is missing: " + line);
            return value;
        };
        const auto moment = [&] {
            std::int64_t ns = 0;
            if (!(words >> ns)) throw std::runtime_error("a moment is missing: " + line);
            return base::Instant(base::Duration(ns));
        };
        if (command == "agents") return connect_agents(number());
        if (command == "frameworks") {
            const double count = number();
            return subscribe(static_cast<std::uint32_t>(count), number());
        }
        if (command == "length") {
            const double mean = number(), deviation = number();
            return set_length(mean, deviation);
        }
        if (command == "waiting") return waiting(number());
        if (command == "run") return run(number());
        if (command == "probe") {
            const double tasks = number();
            return probe(static_cast<unsigned>(tasks), number());
        }
        if (command == "watch") return watch(moment());
        if (command == "back") {
            const auto since = moment();
            return back(since, number());
        }
        if (command == "finish") return finish(number());
        throw std::runtime_error("no such command: " + line);
    }

  private:
    // Runs on the frameworks' strand.
    template <typename What>
    auto ask(What what) {
        const auto task = std::make_shared<std::packaged_task<decltype(what())()>>(std::move(what));
        async::asio::post(strand_, [task] { (*task)(); });
        return task->get_future().get();
    }
    template <typename Condition>
    bool wait(double seconds, Condition condition) {
        const auto end = Clock::now() + std::chrono::duration<double>(seconds);
        while (!condition()) {
            if (Clock::now() > end) return false;
            std::this_thread::sleep_for(look_again);
        }
        return true;
    }
    [[noreturn]] void give_up(const std::string& what) {
        std::string trouble = ask([&] { return board_.trouble; });
        for (auto& crowd : crowds_) trouble += "; agents: " + crowd->last_trouble();
        throw std::runtime_error(what + " (" + trouble + ")");
    }

    std::string connect_agents(double timeout) {
        std::vector<http::tcp::endpoint> masters;
        for (const auto& text : options_.masters) {
            const auto url = http::parse_url(text, 5050);
            const auto endpoint = url ? http::parse_endpoint(url->host, url->port) : url.error();
            if (!endpoint) throw std::runtime_error(endpoint.error().message());
            masters.push_back(*endpoint);
        }
        const auto start = base::read_clocks().instant;
        for (std::uint32_t first = 0; first < options_.agents; first += options_.agents_per_thread)
            crowds_.push_back(std::make_unique<Crowd>(CrowdOptions{
                masters, first, std::min(options_.agents_per_thread, options_.agents - first), options_.slots,
                options_.connects_per_second / ((options_.agents + options_.agents_per_thread - 1) / options_.agents_per_thread),
                static_cast<std::uint16_t>(options_.doors > 0 ? 1 + crowds_.size() % options_.doors : 0), first + 1,
                options_.waiting_links}));
        follow_zookeeper();
        if (!wait(timeout, [&] { return sum(&CrowdCounts::registered) == options_.agents; }))
            give_up(fmt::format("{} of {} agents have registered", sum(&CrowdCounts::registered), options_.agents));
        return fmt::format(R"({{"seconds": {:.3f}}})", ms_between(start, base::read_clocks().instant) / 1000);
    }

    // One detector for all: a session for each would be a load on ZooKeeper, not on the master.
    void follow_zookeeper() {
        if (options_.zookeeper.empty()) return;
        const auto url = zookeeper::parse_url(options_.zookeeper);
        if (!url) throw std::runtime_error(url.error().message());
        async::asio::co_spawn(strand_, detection::follow_leader(*url, {}, [this](const std::optional<v1::MasterInfo>& info) {
                                  if (!info) return;
                                  const auto endpoint = http::parse_endpoint(
                                      info->address().ip(), static_cast<std::uint16_t>(info->address().port()));
                                  if (!endpoint) return;
                                  for (auto& crowd : crowds_) crowd->leader_is(*endpoint);
                                  const auto address = fmt::format("{}:{}", info->address().ip(), info->address().port());
                                  for (auto& worker : workers_) (void)worker->scheduler().leader_is(address);
                                  if (probe_) (void)probe_->scheduler().leader_is(address);
                              }), async::asio::detached);
    }

    std::string subscribe(std::uint32_t count, double timeout) {
        const auto start = base::read_clocks().instant;
        ask([&] {
            board_.cut_tasks = static_cast<std::uint64_t>(options_.agents * options_.slots / count) + 1;
            for (std::uint32_t i = 0; i < count; ++i) {
                workers_.push_back(std::make_unique<Worker>(strand_, board_, i));
                async::asio::co_spawn(strand_, workers_.back()->run(), async::asio::detached);
            }
            probe_ = std::make_unique<Probe>(strand_, board_);
            async::asio::co_spawn(strand_, probe_->run(), async::asio::detached);
            return 0;
        });
        if (!wait(timeout, [&] { return subscribed_since({}).first == workers_.size() + 1; }))
            give_up("not all frameworks have subscribed");
        return fmt::format(R"({{"seconds": {:.3f}}})", ms_between(start, base::read_clocks().instant) / 1000);
    }

    std::pair<std::size_t, base::Instant> subscribed_since(base::Instant since) {
        return ask([&] {
            std::pair<std::size_t, base::Instant> result(probe_->is_subscribed() ? 1 : 0, base::Instant());
            for (const auto& worker : workers_) {
                if (!worker->is_subscribed() || worker->subscribed_at() < since) continue;
                ++result.first;
                result.second = std::max(result.second, worker->subscribed_at());
            }
            return result;
        });
    }

    std::string set_length(double mean, double deviation) {
        ask([&] {
            board_.length_mean_s = mean;
            board_.length_deviation_s = deviation;
            return 0;
        });
        return "{}";
    }

    std::string waiting(double timeout) {
        const auto start = Clock::now();
        (void)wait(timeout, [&] { return sum(&CrowdCounts::waiting_links) == options_.agents; });
        return fmt::format(R"({{"waiting_links": {}, "seconds": {:.3f}}})", sum(&CrowdCounts::waiting_links),
                           std::chrono::duration<double>(Clock::now() - start).count());
    }

    std::string run(double seconds) {
        struct Counts {
            std::uint64_t launched, ended, over, offers, lost, in, out;
        };
        const auto read = [&] {
            return ask([&] {
                return Counts{sum(&CrowdCounts::launched), sum(&CrowdCounts::ended), board_.over, board_.offers, board_.lost,
                              sum(&CrowdCounts::messages_in), sum(&CrowdCounts::messages_out)};
            });
        };
        const auto before = read();
        ask([&] {
            board_.to_running = {};
            board_.sampling = true;
            return 0;
        });
        const auto start = Clock::now();
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        const auto time = Clock::now() - start;
        const auto after = read();
        std::string to_running = ask([&] {
            board_.sampling = false;
            return board_.to_running.json();
        });
        return fmt::format(
            R"({{"launched_per_second": {:.1f}, "over_per_second": {:.1f}, "offers_per_second": {:.1f}, "messages_per_second": {:.0f}, "held": {}, "open": {}, "told_lost": {}, "waiting_links": {}, "launch_to_running": {}}})",
            per_second(after.launched - before.launched, time), per_second(after.over - before.over, time),
            per_second(after.offers - before.offers, time), per_second(after.in + after.out - before.in - before.out, time),
            sum(&CrowdCounts::held), open_tasks(), after.lost - before.lost,
            sum(&CrowdCounts::waiting_links), to_running);
    }

    std::string probe(unsigned tasks, double length) {
        std::promise<Probe::Results> done;
        ask([&] {
            probe_->start(tasks, length, [&](Probe::Results results) { done.set_value(std::move(results)); });
            return 0;
        });
        auto future = done.get_future();
        if (future.wait_for(std::chrono::duration<double>(tasks * (length + 30))) != std::future_status::ready)
            give_up("the probe's tasks are not over");
        auto results = future.get();
        return fmt::format(R"({{"to_running": {}, "overhead": {}}})", results.to_running.json(), results.overhead.json());
    }

    std::string watch(base::Instant since) {
        for (auto& crowd : crowds_) crowd->inside([&] { crowd->await_launch_by_next_leader(); });
        ask([&] {
            board_.running_since = since;
            board_.first_running = base::Instant::max();
            return 0;
        });
        return "{}";
    }

    std::string back(base::Instant since, double timeout) {
        Back agents;
        base::Instant frameworks, launch = base::Instant::max();
        const bool done = wait(timeout, [&] {
            agents = {};
            launch = base::Instant::max();
            for (auto& crowd : crowds_) {
                crowd->inside([&] {
                    const Back some = crowd->back_since(since);
                    agents.agents += some.agents;
                    agents.on_waiting_links += some.on_waiting_links;
                    agents.last = std::max(agents.last, some.last);
                    launch = std::min(launch, crowd->first_launch());
                });
            }
            const auto [some, last] = subscribed_since(since);
            frameworks = last;
            return agents.agents == options_.agents && some == workers_.size() + 1 && launch != base::Instant::max();
        });
        if (!done)
            give_up(fmt::format("{} of {} agents and {} of {} frameworks are back", sum(&CrowdCounts::registered),
                                options_.agents, subscribed_since(since).first, workers_.size() + 1));
        const auto running = ask([&] { return board_.first_running; });
        return fmt::format(R"({{"agents_ms": {:.1f}, "frameworks_ms": {:.1f}, "launch_ms": {:.1f}, "running_ms": {:.1f}, "on_waiting_links": {}, "stale_epochs": {}, "refused": {}, "told_lost": {}}})",
                           ms_between(since, agents.last), ms_between(since, frameworks), ms_between(since, launch),
                           ms_between(since, running), agents.on_waiting_links, sum(&CrowdCounts::stale_epochs), sum(&CrowdCounts::refused),
                           ask([&] { return board_.lost; }));
    }

    std::string finish(double timeout) {
        ask([&] {
            board_.launching = false;
            for (auto& worker : workers_) worker->rest();
            return 0;
        });
        auto asked_again = Clock::now();
        const bool done = wait(timeout, [&] {
            if (Clock::now() - asked_again > std::chrono::seconds(15)) {  // as a framework does that hears nothing
                asked_again = Clock::now();
                ask([&] {
                    for (auto& worker : workers_) worker->ask_for_tasks();
                    return 0;
                });
            }
            return open_tasks() == 0 && sum(&CrowdCounts::held) == 0;
        });
        const auto open = open_tasks();
        std::vector<Ledger*> ledgers{&board_.ledger};
        for (auto& crowd : crowds_) ledgers.push_back(&crowd->ledger());
        // Nothing is launched any more, and nothing ends: the ledgers stand still.
        const auto verdict = compare(std::move(ledgers));
        return fmt::format(R"({{"settled": {}, "open": {}, "held": {}, "resent": {}, "broken_links": {}, "calls_failed": {}, "trouble": "{}", {}}})",
                           done, open, sum(&CrowdCounts::held), sum(&CrowdCounts::resent), sum(&CrowdCounts::broken),
                           ask([&] { return board_.calls_failed; }), quoted(ask([&] { return board_.trouble; })), verdict.json());
    }

    std::size_t open_tasks() {
        return ask([&] {
            std::size_t count = 0;
            for (const auto& worker : workers_) count += worker->open_tasks();
            return count;
        });
    }
    std::uint64_t sum(std::atomic<std::uint64_t> CrowdCounts::*count) const {
        std::uint64_t total = 0;
        for (const auto& crowd : crowds_) total += crowd->counts().*count;
        return total;
    }

    const Options options_;
    async::asio::io_context io_{1};
    async::asio::strand<async::asio::io_context::executor_type> strand_;
    async::asio::executor_work_guard<async::asio::io_context::executor_type> work_;
    FrameworksBoard board_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<Probe> probe_;
    std::vector<std::unique_ptr<Crowd>> crowds_;
    std::thread thread_;
};

int serve(const Options& options) {
    Swarm swarm(options);
    std::string line;
    while (std::getline(std::cin, line)) {
        try {
            std::cout << swarm.obey(line) << std::endl;
        } catch (const std::exception& failure) {
            fmt::print(stderr, "fairlead-bench-swarm: {}: {}\n", line, failure.what());
            std::fflush(stderr);
            std::quick_exit(1);
        }
    }
    std::cout.flush();
    std::quick_exit(0);  // nobody waits for a hundred thousand sockets to be closed in order
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
    fairlead::bench::Options options;
    CLI::App app("Many agents and frameworks around real masters; obeys lines on standard input");
    app.add_option("--master", options.masters, "host:port; tried in turn")->required();
    app.add_option("--zookeeper", options.zookeeper, "Agents and frameworks are told who leads by this zk:// URL");
    app.add_option("--agents", options.agents, "How many")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--agents-per-thread", options.agents_per_thread, "Each thread has its own table of descriptors")
        ->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--slots", options.slots, "Tasks at once on an agent")->capture_default_str();
    app.add_option("--connects-per-second", options.connects_per_second, "At the start")->capture_default_str();
    app.add_option("--doors", options.doors, "The masters are wide ones (wide_server.hpp) with so many doors");
    app.add_flag("!--no-waiting-links", options.waiting_links, "Agents keep no link with the master that would lead next");
    CLI11_PARSE(app, argc, argv);
    return fairlead::bench::serve(options);
}
