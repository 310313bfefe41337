// Does what the slice book says.

#include "nodeagentd/runtime/runtime_state.hpp"
#include "nodeagentd/runtime/unit_names.hpp"

namespace fairlead::nodeagentd::runtime {

namespace asio = async::asio;

namespace {

// Weights follow what runs, but PID 1 has better things to do than to follow each task of a burst.
constexpr auto weights_pause = std::chrono::milliseconds(250);

}  // namespace

void SystemdRuntime::State::join_slice(const ContainerPointer& c) {
    c->slice = slice_name(c->spec.framework);
    do_to_slice(slices.join({c->slice, c->spec.framework, c->spec.framework_name,
                             c->spec.resources.cpus}));
    set_weights_soon();
}

void SystemdRuntime::State::leave_slice(const ContainerPointer& c) {
    do_to_slice(slices.leave(c->slice, c->spec.resources.cpus));
    set_weights_soon();
}

void SystemdRuntime::State::slice_found(const std::string& slice) {
    do_to_slice(slices.found(slice));
}

void SystemdRuntime::State::do_to_slice(const std::optional<SliceBook::Do>& what) {
    if (!what) return;
    const std::string& slice = what->slice;
    switch (what->what) {
        case SliceBook::What::start:
            return start_slice(slice);
        case SliceBook::What::stop:
            return calls.stop_unit(slice, [self = shared_from_this(), slice](const auto&) {
                if (!self->closed) self->do_to_slice(self->slices.stopped(slice));
            });
        case SliceBook::What::linger: {
            auto& timer = linger_timers[slice];
            timer = std::make_unique<asio::steady_timer>(
                executor, std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                              options.slice_linger));
            timer->async_wait([self = shared_from_this(), slice](boost::system::error_code error) {
                if (error || self->closed) return;
                self->linger_timers.erase(slice);
                self->do_to_slice(self->slices.linger_over(slice));
            });
        }
    }
}

void SystemdRuntime::State::start_slice(const std::string& slice) {
    const auto standing = slices.standing(slice);
    const auto properties = slice_properties(standing.framework_name, standing.framework,
                                             cpu_weight(standing.cpus, host_cpus));
    const auto done = [self = shared_from_this(), slice](const auto&) {
        if (!self->closed) self->slice_stands(slice);
    };
    calls.start_unit(
        [] { return base::Status(); },
        [slice, properties](sd_bus_message* m) {
            int r = sd_bus_message_append(m, "ss", slice.c_str(), "fail");
            if (r >= 0) r = append(m, properties);
            return r < 0 ? r : sd_bus_message_append(m, "a(sa(sv))", 0);
        },
        [self = shared_from_this(), slice, properties, done](const base::Status& outcome) {
            if (outcome || outcome.error().code() != base::ErrorCode::already_exists)
                return done(outcome);
            // It is there from an earlier agent process, or systemd made it for a scope.
            self->calls.set_properties(
                [slice, properties](sd_bus_message* m) {
                    const int r = sd_bus_message_append(m, "sb", slice.c_str(), 1);
                    return r < 0 ? r : append(m, properties);
                },
                done);
        });
}

void SystemdRuntime::State::slice_stands(const std::string& slice) {
    do_to_slice(slices.started(slice));
    const auto waiting = std::exchange(waiting_for_slice[slice], {});
    waiting_for_slice.erase(slice);
    for (const auto& one : waiting)
        if (const auto c = one.lock(); c && c->machine.is_placing()) place(c);
}

void SystemdRuntime::State::set_weights_soon() {
    if (std::exchange(weights_due, true)) return;
    weights_timer.expires_after(weights_pause);
    weights_timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (error || self->closed) return;
        self->weights_due = false;
        self->set_weights();
    });
}

void SystemdRuntime::State::set_weights() {
    for (const auto& slice : slices.take_changed()) {
        const std::uint64_t weight = cpu_weight(slices.standing(slice).cpus, host_cpus);
        calls.set_properties(
            [slice, weight](sd_bus_message* m) {
                const int r = sd_bus_message_append(m, "sb", slice.c_str(), 1);
                return r < 0 ? r : append(m, {{"CPUWeight", weight}});
            },
            nullptr);
    }
}

}  // namespace fairlead::nodeagentd::runtime
