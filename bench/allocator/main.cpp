// fairlead-bench-allocator [OPTIONS]: what the default allocation module needs for one cluster; one JSON object.

#include "allocator/drf/drf.hpp"
#include "allocator/kept_snapshot.hpp"
#include "bench/allocator/cluster.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>

namespace fairlead::bench {
namespace {

constexpr std::size_t changes_measured = 400;
constexpr int passes_measured = 5;
constexpr int rounds_measured = 50;
constexpr double five_seconds = 5;

// Plans over a copy, as a module from a shared object does; what it measures is the copy.
class OverACopy final : public allocator::Module {
  public:
    explicit OverACopy(allocator::Module& inner) : inner_(inner) {}
    allocator::Plan plan(const allocator::Snapshot& snapshot, const allocator::Changes& changes) override {
        const auto started = std::chrono::steady_clock::now();
        noted_.add(snapshot, changes);
        const auto noted = noted_.take();
        kept_.bring_up_to_date(snapshot, noted);
        copied_us.push_back(
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count());
        return inner_.plan(kept_.view(), noted.changes);
    }
    std::vector<double> copied_us;

  private:
    allocator::Module& inner_;
    allocator::NotedChanges noted_;
    allocator::KeptSnapshot kept_;
};

double at(std::vector<double>& values, double part) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

std::string times(std::vector<double> values) {
    return fmt::format(R"({{"p50_us": {:.2f}, "p99_us": {:.2f}}})", at(values, 0.5), at(values, 0.99));
}

std::size_t allocated_bytes() { return mallinfo2().uordblks; }

// Every agent has room, and everybody may be hungry.
double whole_pass(Cluster& cluster, allocator::Module& module, std::vector<allocator::OfferLine>& out) {
    std::vector<double> passes;
    for (int i = 0; i < passes_measured; ++i) {
        for (const auto& line : out) cluster.give_back(line);
        cluster.open_all();
        auto planned = cluster.plan(module);
        passes.push_back(planned.microseconds);
        out = std::move(planned.plan.offers);
    }
    return at(passes, 0.5);
}

// One thing happens, the module is asked, and what it offers is out again; what happens is spread over the cluster.
template <typename Happen>
std::vector<double> changes(Cluster& cluster, allocator::Module& module, std::vector<allocator::OfferLine>& out,
                            Happen&& happen) {
    std::vector<double> measured;
    for (std::size_t i = 0; i < changes_measured && !out.empty(); ++i) {
        cluster.now += std::chrono::milliseconds(20);
        const std::size_t which = i * 7919 % out.size();
        const auto line = out[which];
        if (happen(line)) {
            out[which] = std::move(out.back());
            out.pop_back();
        }
        auto planned = cluster.plan(module);
        measured.push_back(planned.microseconds);
        out.insert(out.end(), planned.plan.offers.begin(), planned.plan.offers.end());
    }
    return measured;
}

// Of a copy: all of it, one agent or framework of it, and all agents with what everybody has refused of them.
void measure_copy(const Shape& shape) {
    Cluster cluster(shape);
    allocator::drf::Drf drf(1);
    const std::size_t before = allocated_bytes();
    OverACopy module(drf);
    auto out = cluster.plan(module).plan.offers;
    const double first = module.copied_us.front();
    const std::size_t bytes = allocated_bytes() - before;
    module.copied_us.clear();
    changes(cluster, module, out, [&](const auto& line) { return cluster.decline(line, five_seconds), true; });
    const std::string change = times(module.copied_us);
    std::size_t filters = 0;
    while (!out.empty()) {
        for (const auto& line : out) cluster.decline(line, 1e6);
        filters += out.size();
        out = cluster.plan(module).plan.offers;
    }
    module.copied_us.clear();
    cluster.touch_all();
    cluster.plan(module);
    fmt::print(R"({{"first_ms": {:.3f}, "bytes_with_drf": {}, "change": {}, "filters": {}, "all_agents_ms": {:.3f}}})"
               "\n",
               first / 1000, bytes, change, filters, module.copied_us.front() / 1000);
}

void measure(const Shape& shape, bool refused) {
    Cluster cluster(shape);
    const std::size_t before = allocated_bytes();
    allocator::drf::Drf module(1);
    auto first = cluster.plan(module);
    const std::size_t bytes = allocated_bytes() - before;
    std::vector<allocator::OfferLine> out = std::move(first.plan.offers);
    const double pass = whole_pass(cluster, module, out);
    const std::size_t offers = out.size();
    const auto ended = changes(cluster, module, out, [&](const auto& line) { return cluster.give_back(line), true; });
    const auto declined =
        changes(cluster, module, out, [&](const auto& line) { return cluster.decline(line, five_seconds), true; });
    const auto revived = changes(cluster, module, out, [&](const auto& line) {
        cluster.suppress(line.framework);
        cluster.plan(module);
        return cluster.revive(line.framework), false;
    });
    fmt::print(R"({{"first_ms": {:.3f}, "pass_ms": {:.3f}, "offers": {}, "bytes": {}, "ended": {}, "declined": {}, )"
               R"("revived": {})",
               first.microseconds / 1000, pass / 1000, offers, bytes, times(ended), times(declined), times(revived));
    if (refused) {
        // Everybody refuses everything, round after round, until nothing is left to offer.
        while (!out.empty()) {
            for (const auto& line : out) cluster.decline(line, 1e6);
            out = cluster.plan(module).plan.offers;
        }
        cluster.open_all();
        fmt::print(R"(, "refused_pass_ms": {:.3f})", cluster.plan(module).microseconds / 1000);
        std::vector<double> opened;
        for (std::size_t i = 0; i < changes_measured; ++i) {
            cluster.open(static_cast<allocator::AgentSlot>(i * 7919 % shape.agents));
            opened.push_back(cluster.plan(module).microseconds);
        }
        fmt::print(R"(, "opened": {})", times(opened));
        cluster.revive(0);
        const auto taken = cluster.plan(module);
        fmt::print(R"(, "revived_alone_ms": {:.3f}, "revived_alone_offers": {})", taken.microseconds / 1000,
                   taken.plan.offers.size());
    }
    fmt::print("}}\n");
}

// Each second the module chooses victims anew: nothing of what it has asked for is under way here.
void measure_need(const Shape& shape) {
    Cluster cluster(shape);
    allocator::drf::Drf module(1);
    cluster.plan(module);
    std::vector<double> rounds, between;
    std::size_t victims = 0;
    for (int i = 0; i < rounds_measured; ++i) {
        cluster.now += std::chrono::seconds(2);
        const auto planned = cluster.plan(module);
        rounds.push_back(planned.microseconds);
        victims = planned.plan.revocations.size();
        cluster.now += std::chrono::milliseconds(20);
        cluster.suppress(1);
        between.push_back(cluster.plan(module).microseconds);
    }
    fmt::print(R"({{"round": {}, "between": {}, "victims": {}}})", times(rounds), times(between), victims);
    fmt::print("\n");
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
    fairlead::bench::Shape shape;
    bool refused = false, copy = false;
    CLI::App app("What the default allocation module needs for a cluster.");
    app.add_option("--agents", shape.agents);
    app.add_option("--frameworks", shape.frameworks);
    app.add_flag("--ports", shape.ports, "17 ranges of ports on each agent");
    app.add_flag("--reservations", shape.reservations, "a quarter of each agent, half of that for a role that nobody is in");
    app.add_flag("--labels", shape.labels, "a reservation with a label of its own on each agent");
    app.add_flag("--quotas", shape.quotas, "a guarantee and a limit for each role");
    app.add_flag("--constraints", shape.constraints, "each framework takes half of the agents");
    app.add_flag("--suppressed", shape.suppressed, "99 of 100 frameworks want nothing");
    app.add_flag("--need", shape.need, "tasks everywhere, and one role below its guarantee: only that is measured");
    app.add_option("--tasks", shape.tasks, "on each agent, as the module sees them");
    app.add_flag("--copy", copy, "measure the copy that a module from a shared object plans over, not the module");
    app.add_flag("--refused", refused, "at the end everybody refuses everything");
    CLI11_PARSE(app, argc, argv);
    if (shape.need)
        fairlead::bench::measure_need(shape);
    else if (copy)
        fairlead::bench::measure_copy(shape);
    else
        fairlead::bench::measure(shape, refused);
}
