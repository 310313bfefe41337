// Does what a container's machine says, and tells the machine what came of it.

#include "common/log/log.hpp"
#include "nodeagentd/runtime/launch_record.hpp"
#include "nodeagentd/runtime/runtime_state.hpp"
#include "nodeagentd/runtime/supervisor_process.hpp"
#include "nodeagentd/runtime/supervisor_words.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace fairlead::nodeagentd::runtime {

namespace asio = async::asio;
using base::ErrorCode;
using ports::StartFailure;

namespace {

template <typename... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

std::chrono::steady_clock::duration steady(base::Duration time) {
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
}

}  // namespace

std::string SystemdRuntime::State::report_path(const Container& container) const {
    return options.run_directory + "/" + container.spec.id.value() + ".report";
}

void SystemdRuntime::State::feed(const ContainerPointer& c, const Happening& happening) {
    if (!closed) carry_out(c, c->machine.on(happening));
}

void SystemdRuntime::State::carry_out(const ContainerPointer& c, const Deeds& deeds) {
    const auto then = [self = shared_from_this(), c](auto happening) {
        return [self, c, happening](const auto&...) { self->feed(c, happening); };
    };
    const Overloaded each{
        [&](const Place&) { place(c); },
        [&](const SendLaunch&) {
            const auto sent = c->channel->send_launch(launch_record(
                c->spec, c->credentials, c->unit, listener.path(), report_path(*c)));
            if (!sent) feed(c, CommandFailed{StartFailure::environment, sent.error().message()});
        },
        [&](const DropSupervisor&) {
            if (c->channel) c->channel->close();
            c->channel.reset();
            bury(executor, std::exchange(c->supervisor, -1));
        },
        [&](const FindReport&) { find_report(c); },
        [&](const StopUnit&) { calls.stop_unit(c->unit, then(UnitStopped{})); },
        [&](const SignalUnit& one) { calls.kill_unit(c->unit, one.signal, nullptr); },
        [&](const KillAfter& one) { kill_after(c, one.grace); },
        [&](const Wait& one) {
            c->wait = std::make_unique<asio::steady_timer>(executor, steady(one.time));
            c->wait->async_wait([over = then(TimeOver{})](boost::system::error_code error) {
                if (!error) over();
            });
        },
        [&](const LookForProcesses&) {
            calls.look_for_processes(
                c->unit, [self = shared_from_this(), c](const base::Result<bool>& any) {
                    self->feed(c, ProcessesSeen{any && *any});
                });
        },
        [&](const LookAtUnit&) {
            calls.look_at_unit(
                c->unit, [self = shared_from_this(), c](const base::Result<UnitFacts>& facts) {
                    self->feed(c, UnitSeen{facts ? *facts : UnitFacts()});
                });
        },
        [&](const ForgetUnit&) { calls.forget_unit(c->unit, nullptr); },
        [&](const Tell& one) {
            if (std::holds_alternative<ports::Started>(one.event))
                start_latency.add(std::chrono::duration_cast<std::chrono::microseconds>(
                    base::read_clocks().instant - c->asked_at));
            emit(one.event);
        },
    };
    for (const auto& deed : deeds) std::visit(each, deed);
}

// A supervisor is taken when its turn with systemd has come, not before: thousands of starts at
// once are thousands of lines in a queue and not thousands of processes.
void SystemdRuntime::State::place(const ContainerPointer& c) {
    if (!slices.stands(c->slice)) return waiting_for_slice[c->slice].push_back(c);
    calls.start_unit(
        [this, c]() -> base::Status {
            if (c->machine.is_placing()) return spawn(c);
            return base::Error(ErrorCode::cancelled, "it was stopped");
        },
        [this, c](sd_bus_message* m) {
            int r = sd_bus_message_append(m, "ss", c->unit.c_str(), "fail");
            if (r >= 0)
                r = append_with_process(
                    m, c->supervisor,
                    scope_properties(c->spec, c->slice, agent_unit, host_cpus));
            return r < 0 ? r : sd_bus_message_append(m, "a(sa(sv))", 0);
        },
        [self = shared_from_this(), c](const base::Status& outcome) {
            if (!self->closed) self->placed(c, outcome);
        });
}

base::Status SystemdRuntime::State::spawn(const ContainerPointer& c) {
    if (c->channel) return {};  // the call before this one did not reach systemd
    auto spawned = reserve.take();
    c->may_spawn = spawned.has_value();
    if (!spawned) return spawned.error();
    c->supervisor = spawned->pid;
    c->channel = std::move(spawned->channel);
    listen(c->channel, c);
    return {};
}

void SystemdRuntime::State::placed(const ContainerPointer& c, const base::Status& outcome) {
    if (outcome) return feed(c, ScopeStands{});
    const ErrorCode code = outcome.error().code();
    if (code == ErrorCode::already_exists) return feed(c, ScopeInTheWay{});
    if (code == ErrorCode::outcome_unknown) return feed(c, ScopeOutcomeUnknown{});
    // A scope whose supervisor ended before it stood is a failed unit.
    if (code == ErrorCode::io) calls.forget_unit(c->unit, nullptr);
    if (!c->may_spawn)
        return feed(c, PlaceRefused{StartFailure::environment, outcome.error().message()});
    feed(c, PlaceRefused{StartFailure::bus,
                         "systemd did not start " + c->unit + ": " + outcome.error().message()});
}

void SystemdRuntime::State::listen(const std::shared_ptr<SupervisorChannel>& channel,
                                   const ContainerPointer& container) {
    const auto whose = std::make_shared<std::weak_ptr<Container>>(container);
    channel->listen(
        [self = weak_from_this(), whose, raw = channel.get()](const supervisor::Message& message) {
            const auto state = self.lock();
            if (!state || state->closed) return;
            if (whose->expired()) *whose = state->adopt(raw->shared_from_this(), message);
            const ContainerPointer c = whose->lock();
            if (!c) return;
            const std::string command = c->spec.argv.empty() ? std::string() : c->spec.argv[0];
            if (const auto meaning = understand(message, command)) state->feed(c, *meaning);
        },
        [self = weak_from_this(), whose, raw = channel.get()] {
            const auto state = self.lock();
            const ContainerPointer c = whose->lock();
            if (!state || !c || c->channel.get() != raw) return;
            c->channel.reset();
            bury(state->executor, std::exchange(c->supervisor, -1));
            state->feed(c, SupervisorLost{});
        });
}

// A supervisor that outlived an agent process, or had lost its connection.
ContainerPointer SystemdRuntime::State::adopt(std::shared_ptr<SupervisorChannel> channel,
                                              const supervisor::Message& hello) {
    const auto at = containers.find(base::ContainerId(std::string(hello.key, hello.key_bytes)));
    if (at == containers.end() || at->second->machine.is_over()) {
        // Nobody waits for it any more: it may go if its task is over, and if not, the list of units
        // has it too, and it is stopped.
        channel->acknowledge();
        return nullptr;
    }
    at->second->channel = std::move(channel);
    return at->second;
}

void SystemdRuntime::State::find_report(const ContainerPointer& c) {
    supervisor::Message message;
    const int fd = ::open(report_path(*c).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const ssize_t got = fd < 0 ? -1 : ::read(fd, &message, sizeof message);
    if (fd >= 0) ::close(fd);
    if (got <= 0 || !supervisor::is_valid(message, static_cast<std::size_t>(got)))
        return feed(c, NoReportFound{});
    const auto meaning = understand(message, "");
    feed(c, meaning ? *meaning : Happening(NoReportFound{}));
}

void SystemdRuntime::State::kill_after(const ContainerPointer& c, base::Duration grace) {
    const auto due = std::chrono::steady_clock::now() + steady(grace);
    if (c->kill && c->kill->expiry() <= due) return;
    c->kill = std::make_unique<asio::steady_timer>(executor, due);
    c->kill->async_wait([self = shared_from_this(), c](boost::system::error_code error) {
        if (!error && !c->machine.is_over()) self->calls.kill_unit(c->unit, SIGKILL, nullptr);
    });
}

}  // namespace fairlead::nodeagentd::runtime
