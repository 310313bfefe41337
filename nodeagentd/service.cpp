#include "nodeagentd/service.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace fairlead::nodeagentd {
namespace {

constexpr std::chrono::seconds interval_max{5};

std::string tasks_text(const core::State& state) {
    using Record = internal::ContainerRecord;
    std::size_t running = 0, starting = 0;
    for (const auto& [id, container] : state.containers) {
        running += container.phase() == Record::RUNNING;
        starting += container.phase() == Record::STARTING || container.phase() == Record::WAITING;
    }
    std::string text = fmt::format("{} task{} running", running, running == 1 ? "" : "s");
    if (starting > 0) text += fmt::format(", {} starting", starting);
    return text;
}

}  // namespace

std::string status_line(const core::State& state) {
    if (!state.settled) return fmt::format("taking back what the last process left: {}", tasks_text(state));
    if (!state.turned_away.empty() && !state.registered)
        return fmt::format("turned away, trying again: {}; {}", state.turned_away, tasks_text(state));
    if (!state.link) return "looking for a master: " + tasks_text(state);
    if (!state.registered) return fmt::format("registering with {}: {}", state.master, tasks_text(state));
    return fmt::format("registered with {} as {}: {}; cpus {:g} of {:g}, mem {:g} of {:g} MB taken", state.master,
                       state.agent_id.value(), tasks_text(state), state.used.cpus().to_double(),
                       state.total.cpus().to_double(), state.used.mem().to_double(), state.total.mem().to_double());
}

async::awaitable<void> Service::watch() {
    std::uint64_t watchdog_us = 0;
    const bool watched = sd_watchdog_enabled(0, &watchdog_us) > 0;
    std::chrono::steady_clock::duration interval = interval_max;
    if (watched) interval = std::min<decltype(interval)>(interval, std::chrono::microseconds(watchdog_us / 3));
    async::asio::steady_timer timer(co_await async::asio::this_coro::executor);
    for (;;) {
        ask(watched);
        timer.expires_after(interval);
        co_await timer.async_wait(async::asio::use_awaitable);
    }
}

void Service::ask(bool watched) {
    driver_.look_at_once([this, watched](const core::State& state) {
        std::string text;
        if (std::string line = status_line(state); line != last_) {
            text = "STATUS=" + line + "\n";
            last_ = std::move(line);
        }
        if (watched) text += "WATCHDOG=1\n";
        if (!text.empty()) sd_notify(0, text.c_str());
    });
}

void Service::take(const core::Report& report) {
    using Kind = core::Report::Kind;
    if (report.kind == Kind::settled) sd_notify(0, "READY=1");
    const bool shows = report.kind == Kind::settled || report.kind == Kind::registered ||
                       report.kind == Kind::reregistered || report.kind == Kind::refused ||
                       report.kind == Kind::disconnected || report.kind == Kind::stale_epoch_refused;
    if (shows) ask(false);
}

void Service::stopping() { sd_notify(0, "STOPPING=1\nSTATUS=ending; tasks go on"); }

}  // namespace fairlead::nodeagentd
