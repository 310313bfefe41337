// What the registry in ZooKeeper takes a cluster of so many agents: to admit all of them, to read all of them at a
// master's start, and to take over. Prints one object of JSON: for each, seconds on the clock and of our own processor
// time.

#include "masterd/registry/zookeeper_registry.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace fairlead::bench {
namespace {

using async::awaitable;
using masterd::registry::ZookeeperRegistry;
namespace mc = masterd::core;
using Opened = std::shared_ptr<ZookeeperRegistry>;

struct Times {
    double wall_s = 0, cpu_s = 0;

    static Times now() {
        ::rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        const auto seconds = [](const ::timeval& time) {
            return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
        };
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now().time_since_epoch();
        return {wall.count(), seconds(usage.ru_utime) + seconds(usage.ru_stime)};
    }
    Times since(const Times& start) const { return {wall_s - start.wall_s, cpu_s - start.cpu_s}; }
};

template <typename Outcome>
void expect(const Outcome& outcome) {
    if (!outcome) throw std::runtime_error(outcome.error().message());
}

std::vector<mc::Persist> admissions(int first, int end) {
    std::vector<mc::Persist> changes;
    for (int i = first; i < end; ++i) {
        mc::AgentRecord record;
        record.id = base::AgentId(fmt::format("0f3a6e0c-70d1-4f52-9a0b-6a1d5c2e9f11-S{}", i));
        record.standing = mc::AgentRecord::Standing::admitted;
        changes.emplace_back(mc::PersistAgent{record});
    }
    return changes;
}

class Experiment {
  public:
    Experiment(zookeeper::Url url, int agents, int newcomers)
        : url_(std::move(url)), agents_(agents), newcomers_(newcomers) {}

    void run() {
        const auto done = [this](std::exception_ptr failure) {
            context_.stop();
            if (failure) std::rethrow_exception(failure);
        };
        async::asio::co_spawn(context_, measure(), done);
        context_.run();
    }

  private:
    awaitable<void> measure() {
        const Opened first = co_await open();
        auto epoch = co_await take_over(first, 0);
        auto start = Times::now();
        auto changes = admissions(0, agents_);
        expect(co_await first->write(epoch, std::move(changes)));
        report("admit", start);

        start = Times::now();
        const Opened second = co_await open();
        report("start", start);
        start = Times::now();
        epoch = co_await take_over(second, agents_);
        report("take_over", start);

        const Opened third = co_await open();
        changes = admissions(agents_, agents_ + newcomers_);
        expect(co_await second->write(epoch, std::move(changes)));
        start = Times::now();
        co_await take_over(third, agents_ + newcomers_);
        report("take_over_newcomers", start);
        start = Times::now();
        co_await take_over(third, agents_ + newcomers_);
        report("take_over_nothing_known", start);
    }

    awaitable<Opened> open() {
        ZookeeperRegistry::Options options;
        options.url = url_;
        options.patience = std::chrono::minutes(1);
        auto opened = std::make_shared<ZookeeperRegistry>(context_.get_executor(), options);
        expect(co_await opened->open());
        co_return opened;
    }
    awaitable<std::uint64_t> take_over(Opened registry, int agents) {
        const auto epoch = co_await registry->begin_epoch();
        expect(epoch);
        const auto read = co_await registry->read();
        expect(read);
        if (std::ssize(read->agents) != agents) throw std::runtime_error("agents are missing");
        co_return *epoch;
    }
    void report(std::string_view what, const Times& start) {
        const Times took = Times::now().since(start);
        std::cout << (std::exchange(first_, false) ? "{" : ", ")
                  << fmt::format("\"{}\": {{\"wall_s\": {:.4f}, \"cpu_s\": {:.4f}}}", what, took.wall_s, took.cpu_s);
    }

    const zookeeper::Url url_;
    const int agents_, newcomers_;
    bool first_ = true;
    async::asio::io_context context_;
};

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
    CLI::App app("Measures the registry in ZooKeeper.");
    std::string zookeeper;
    app.add_option("--zookeeper", zookeeper, "A zk:// URL whose path does not exist")->required();
    int agents = 50'000, newcomers = 1'000;
    app.add_option("--agents", agents, "In the cluster")->check(CLI::PositiveNumber);
    app.add_option("--newcomers", newcomers, "Admitted since the standby has read ahead")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    auto url = fairlead::zookeeper::parse_url(zookeeper);
    if (!url) {
        std::cerr << url.error().message() << "\n";
        return EXIT_FAILURE;
    }
    try {
        fairlead::bench::Experiment(*std::move(url), agents, newcomers).run();
    } catch (const std::exception& failure) {
        std::cerr << failure.what() << "\n";
        return EXIT_FAILURE;
    }
    std::cout << "}\n";
    return EXIT_SUCCESS;
}
