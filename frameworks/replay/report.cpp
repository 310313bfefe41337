#include "frameworks/replay/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::frameworks::replay {

namespace {

std::size_t name_width(const std::vector<Named>& frameworks) {
    std::size_t width = 10;
    for (const auto& framework : frameworks) width = std::max(width, framework.name.size());
    return width;
}

std::string spread_text(const Spread& spread) {
    return fmt::format("{:.2f} / {:.2f} / {:.2f}", spread.median, spread.p95, spread.max);
}

// Tasks whose input is known to be somewhere.
std::size_t placed(const Named& framework) {
    std::size_t tasks = 0;
    for (const auto where : {sdk::Locality::host, sdk::Locality::rack, sdk::Locality::anywhere})
        tasks += framework.ledger->placed_at(where);
    return tasks;
}

}  // namespace

std::string progress_line(const Named& framework, std::size_t width) {
    const auto& ledger = *framework.ledger;
    const auto total = std::max<std::size_t>(1, ledger.task_count());
    const auto done = ledger.finished_count() * width / total;
    std::string bar;
    for (std::size_t i = 0; i < width; ++i) bar += i < done ? "█" : "░";
    auto line = fmt::format("{:<10} {} {}/{} tasks, {} running, {} waiting", framework.name, bar,
                            ledger.finished_count(), ledger.task_count(), ledger.running_count(),
                            ledger.ready_count());
    if (ledger.failed_attempts() > 0) line += fmt::format(", {} retried", ledger.failed_attempts());
    return line;
}

std::string summary(const std::vector<Named>& frameworks) {
    std::string text;
    const auto row = [&](std::string_view title, auto&& cell) {
        text += fmt::format("{:<38}", title);
        for (const auto& framework : frameworks) text += fmt::format("  {:>22}", cell(framework));
        text += "\n";
    };
    row("", [](const Named& f) { return f.name; });
    row("jobs finished", [](const Named& f) {
        return fmt::format("{}/{}", f.ledger->jobs_finished(), f.ledger->jobs().size());
    });
    row("tasks finished", [](const Named& f) {
        return fmt::format("{}/{}", f.ledger->finished_count(), f.ledger->task_count());
    });
    row("attempts that failed",
        [](const Named& f) { return std::to_string(f.ledger->failed_attempts()); });
    row("makespan, s", [](const Named& f) { return fmt::format("{:.1f}", f.ledger->makespan()); });
    row("job wait, s (median / p95 / max)",
        [](const Named& f) { return spread_text(spread_of(f.ledger->job_waits())); });
    row("task wait, s (median / p95 / max)",
        [](const Named& f) { return spread_text(spread_of(f.ledger->task_waits())); });
    const bool somewhere = std::any_of(frameworks.begin(), frameworks.end(),
                                       [](const Named& f) { return placed(f) > 0; });
    if (somewhere)
        row("near its input, % (host / rack / any)", [](const Named& f) {
            const auto all = static_cast<double>(std::max<std::size_t>(placed(f), 1));
            const auto part = [&](sdk::Locality where) {
                return 100 * static_cast<double>(f.ledger->placed_at(where)) / all;
            };
            return fmt::format("{:.0f} / {:.0f} / {:.0f}", part(sdk::Locality::host), part(sdk::Locality::rack),
                               part(sdk::Locality::anywhere));
        });
    row("CPU seconds", [](const Named& f) {
        const auto known = f.ledger->cpu_seconds_known();
        return known == f.ledger->finished_count()
                   ? fmt::format("{:.1f}", f.ledger->cpu_seconds())
                   : fmt::format("{:.1f} ({} tasks read)", f.ledger->cpu_seconds(), known);
    });
    return text;
}

std::string share_plot(const std::vector<Named>& frameworks, std::size_t width) {
    static const char* const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double until = 0, highest = 0;
    for (const auto& framework : frameworks) until = std::max(until, framework.ledger->makespan());
    std::vector<std::vector<double>> rows;
    for (const auto& framework : frameworks) {
        rows.push_back(framework.ledger->held_over_time(width, until));
        for (const double held : rows.back()) highest = std::max(highest, held);
    }
    if (!(highest > 0)) return {};
    const auto label = name_width(frameworks);
    std::string text = fmt::format("cpus held over time (full height is {:.2f} cpus)\n", highest);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        text += fmt::format("  {:<{}} |", frameworks[i].name, label);
        for (const double held : rows[i]) {
            // Anything held at all is seen.
            const auto level =
                held <= 0 ? 0 : std::clamp(static_cast<int>(held / highest * 8 + 0.5), 1, 8);
            text += blocks[level];
        }
        text += "|\n";
    }
    text += fmt::format("  {:<{}} 0 s{:>{}}\n", "", label + 1, fmt::format("{:.0f} s", until),
                        width - 2);
    return text;
}

}  // namespace fairlead::frameworks::replay
