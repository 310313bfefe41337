#include "nodeagentd/runtime/runtime.hpp"

#include "common/log/log.hpp"
#include "nodeagentd/runtime/runtime_state.hpp"
#include "nodeagentd/runtime/supervisor_process.hpp"
#include "nodeagentd/runtime/unit_names.hpp"

#include <systemd/sd-login.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace fairlead::nodeagentd::runtime {

namespace asio = async::asio;
namespace fs = std::filesystem;
using base::ErrorCode;
using ports::StartFailure;

namespace {

constexpr auto list_again_pause = std::chrono::seconds(1);
// The kernel refuses beyond a quarter of the stack's limit, 2 MiB by default, by itself and by name.
constexpr std::size_t command_bytes_max = supervisor::record_bytes_max - 64 * 1024;

std::string own_service() {
    char* unit = nullptr;
    if (sd_pid_get_unit(0, &unit) < 0) return {};
    std::string name = unit;
    std::free(unit);
    return name.ends_with(".service") ? name : std::string();
}

bool holds_nul(const std::string& text) {
    return text.find('\0') != std::string::npos;
}

}  // namespace

SystemdRuntime::State::State(const async::Executor& e, Options o)
    : executor(e),
      options(std::move(o)),
      calls(e, options.unit_calls),
      listener(e, options.run_directory + "/supervisor.sock"),
      reserve(e, options.supervisor),
      agent_unit(own_service()),
      host_cpus(std::max(1U, std::thread::hardware_concurrency())),
      list_timer(e),
      weights_timer(e) {}

void SystemdRuntime::State::emit(ports::RuntimeEvent event) {
    asio::post(executor, [self = shared_from_this(), event = std::move(event)]() mutable {
        if (self->sink) self->sink(std::move(event));
    });
}

ContainerPointer SystemdRuntime::State::add(ports::ContainerSpec spec, bool stop_requested) {
    const std::string unit = scope_name(spec.framework, spec.task);
    const auto c = std::make_shared<Container>(ContainerMachine::Facts{
        spec.id, unit, {spec.max_completion_time, spec.kill_grace, stop_requested}});
    c->spec = std::move(spec);
    c->unit = unit;
    c->asked_at = base::read_clocks().instant;
    containers.insert_or_assign(c->spec.id, c);
    join_slice(c);
    return c;
}

// What cannot become a process, whatever host it comes to.
base::Status SystemdRuntime::State::check(const ports::ContainerSpec& spec) const {
    const auto wrong = [](std::string what) { return base::Error(ErrorCode::invalid_argument, what); };
    if (spec.argv.empty() || spec.argv[0].empty()) return wrong("There is no command to run");
    if (spec.id.value().empty() || spec.id.value().size() > supervisor::key_bytes_max ||
        spec.id.value().find('/') != std::string::npos || holds_nul(spec.id.value()))
        return wrong("The container's id is not fit for a file name");
    if (spec.sandbox.empty() || spec.sandbox[0] != '/' || holds_nul(spec.sandbox))
        return wrong("The sandbox is not an absolute path");
    std::size_t bytes = 0;
    for (const auto& argument : spec.argv) {
        if (holds_nul(argument)) return wrong("An argument of the command holds a NUL byte");
        bytes += argument.size() + 1;
    }
    for (const auto& [name, value] : spec.environment) {
        if (name.empty() || name.find('=') != std::string::npos || holds_nul(name))
            return wrong("An environment variable has no name, or one with `=` or NUL in it");
        if (holds_nul(value)) return wrong("The environment variable " + name + " holds a NUL byte");
        bytes += name.size() + value.size() + 2;
    }
    if (bytes > command_bytes_max)
        return wrong("Arguments and environment are larger than " +
                     std::to_string(command_bytes_max) + " bytes");
    return {};
}

void SystemdRuntime::State::found(const std::vector<ListedUnit>& listed) {
    std::map<std::string, ContainerPointer> by_unit;
    std::set<std::string> known;
    for (const auto& [id, c] : containers) {
        by_unit[c->unit] = c;
        known.insert(c->unit);
    }
    RecoveryPlan plan = plan_recovery(listed, known);
    for (const auto& slice : plan.slices) slice_found(slice);
    for (const auto& unit : plan.alive) {
        const auto& c = by_unit[unit];
        carry_out(c, c->machine.found_on_host(options.hello_wait));
        by_unit.erase(unit);
    }
    for (const auto& [unit, c] : by_unit) feed(c, NotOnHost{});
    std::set<std::string> ended;
    for (const auto& [id, unit] : std::exchange(ended_units, {})) ended.insert(unit);
    if (const auto spare = std::exchange(strangers, nullptr))
        async::asio::post(executor, [self = weak_from_this(), spare, units = take_strangers(plan, ended)] {
            if (const auto state = self.lock(); state && !state->closed) spare(units);
        });
    for (const auto& unit : plan.leavings) calls.forget_unit(unit, nullptr);
    for (const auto& unit : plan.orphans) {
        ++orphans_stopped;
        log::Entry(log::Priority::notice, "Unit " + unit +
                                              " is on this host, but no task of this agent: it is "
                                              "being stopped")
            .field("UNIT", unit);
        calls.stop_unit(unit, [self = weak_from_this(), unit](const auto&) {
            if (const auto state = self.lock()) state->calls.forget_unit(unit, nullptr);
        });
    }
}

void SystemdRuntime::State::list_again_later() {
    list_timer.expires_after(list_again_pause);
    list_timer.async_wait([self = weak_from_this()](boost::system::error_code error) {
        const auto state = self.lock();
        if (error || !state || state->closed) return;
        state->calls.list_units(recovery_patterns(), [self](const auto& listed) {
            const auto again = self.lock();
            if (!again || again->closed) return;
            if (listed) return again->found(*listed);
            again->list_again_later();
        });
    });
}

void SystemdRuntime::State::remove_unneeded_reports() const {
    const auto is_needed = [&](const base::ContainerId& id) {
        return containers.contains(id) || (strangers && !ended_units.contains(id));
    };
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(options.run_directory, error))
        if (entry.path().extension() == ".report" && !is_needed(base::ContainerId(entry.path().stem().string())))
            fs::remove(entry.path(), error);
}

// Handlers that are still to come hold the state; after this they find nothing to do.
void SystemdRuntime::State::close() {
    closed = true;
    sink = nullptr;
    strangers = nullptr;
    calls.close();
    reserve.close();
    waiting_for_slice.clear();
    list_timer.cancel();
    weights_timer.cancel();
    linger_timers.clear();
    for (auto& [id, c] : containers) {
        if (c->channel) c->channel->close();
        c->wait.reset();
        c->kill.reset();
    }
    containers.clear();
}

SystemdRuntime::SystemdRuntime(async::Executor executor, Options options)
    : state_(std::make_shared<State>(executor, std::move(options))) {}

SystemdRuntime::~SystemdRuntime() {
    state_->close();
}

base::Status SystemdRuntime::open() {
    if (auto ready = state_->listener.open(); !ready) return ready;
    return state_->calls.open();
}

void SystemdRuntime::set_sink(ports::RuntimeSink sink) {
    state_->sink = std::move(sink);
}

void SystemdRuntime::recover(std::vector<ports::KnownContainer> known, std::vector<ports::EndedContainer> ended,
                             ports::StrangersSink strangers) {
    state_->strangers = std::move(strangers);
    for (const auto& one : ended) state_->ended_units[one.id] = scope_name(one.framework, one.task);
    for (auto& one : known) {
        ports::ContainerSpec spec;
        spec.id = one.id;
        spec.framework = one.framework;
        spec.task = one.task;
        spec.framework_name = one.framework_name;
        spec.resources.cpus = one.cpus;
        spec.kill_grace = one.kill_grace;
        spec.max_completion_time = one.max_completion_time;
        state_->add(std::move(spec), one.stop_requested)->machine.recover();
    }
    state_->remove_unneeded_reports();
    state_->reserve.fill_soon();
    state_->listener.listen([self = std::weak_ptr(state_)](const auto& channel) {
        if (const auto state = self.lock()) state->listen(channel, nullptr);
    });
    state_->calls.list_units(recovery_patterns(), [self = std::weak_ptr(state_)](
                                                      const auto& listed) {
        const auto state = self.lock();
        if (!state || state->closed) return;
        if (listed) return state->found(*listed);
        log::warning("The units of this host cannot be listed, and are asked for again: " +
                     listed.error().message());
        state->list_again_later();
    });
}

void SystemdRuntime::start(ports::ContainerSpec spec) {
    const auto refuse = [&](StartFailure failure, const base::Error& why) {
        state_->emit(ports::StartFailed{spec.id, failure, why.message()});
    };
    if (const auto fit = state_->check(spec); !fit)
        return refuse(StartFailure::invalid_spec, fit.error());
    auto credentials = state_->users.find(spec.user, base::read_clocks().instant);
    if (!credentials) return refuse(StartFailure::invalid_spec, credentials.error());
    const ContainerPointer c = state_->add(spec, false);
    c->credentials = std::move(*credentials);
    state_->carry_out(c, c->machine.start());
}

void SystemdRuntime::stop(base::ContainerId container, std::optional<base::Duration> grace) {
    const auto at = state_->containers.find(container);
    if (at == state_->containers.end()) return;
    const ContainerPointer c = at->second;
    state_->feed(c, StopAsked{grace});
}

void SystemdRuntime::release(base::ContainerId container) {
    const auto at = state_->containers.find(container);
    if (at == state_->containers.end()) return;
    const ContainerPointer c = at->second;
    state_->containers.erase(at);
    c->machine.release();
    c->wait.reset();
    c->kill.reset();
    if (c->channel) c->channel->acknowledge();
    bury(state_->executor, std::exchange(c->supervisor, -1));
    ::unlink(state_->report_path(*c).c_str());
    if (c->machine.tidying() == Tidying::stop_and_forget)
        state_->calls.stop_unit(
            c->unit, [self = std::weak_ptr(state_), unit = c->unit](const auto&) {
                if (const auto state = self.lock()) state->calls.forget_unit(unit, nullptr);
            });
    state_->leave_slice(c);
}

ports::RuntimeMetrics SystemdRuntime::metrics() const {
    ports::RuntimeMetrics metrics;
    state_->calls.measure(metrics);
    metrics.containers = state_->containers.size();
    metrics.starts = state_->start_latency.count();
    metrics.start_latency_p50 = state_->start_latency.quantile(0.50);
    metrics.start_latency_p99 = state_->start_latency.quantile(0.99);
    metrics.orphans_stopped = state_->orphans_stopped;
    return metrics;
}

}  // namespace fairlead::nodeagentd::runtime
