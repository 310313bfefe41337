#include "nodeagentd/runtime/unit_calls.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace fairlead::nodeagentd::runtime {

namespace asio = async::asio;
using base::ErrorCode;

namespace {

// A unit whose processes cannot be killed (a disk that does not answer) is looked at after this.
constexpr base::Duration stop_job_max = std::chrono::hours(1);

base::Instant now() {
    return base::read_clocks().instant;
}

base::Status job_outcome(const base::Result<std::string>& job) {
    if (!job) return job.error();
    if (*job == "done") return {};
    return base::Error(ErrorCode::io, "systemd ended the job with `" + *job + "`");
}

// No such unit: what was to be gone is gone.
base::Status gone_is_fine(base::Status outcome) {
    if (!outcome && outcome.error().code() == ErrorCode::not_found) return {};
    return outcome;
}

UnitFacts read_facts(sd_bus_message* message) {
    UnitFacts facts;
    std::uint64_t entered_us = 0;
    std::uint64_t left_us = 0;
    const auto read_text = [&](const char*& text) {
        return sd_bus_message_read(message, "v", "s", &text) >= 0;
    };
    const char* name = nullptr;
    const char* text = nullptr;
    sd_bus_message_enter_container(message, 'a', "{sv}");
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        sd_bus_message_read(message, "s", &name);
        const std::string_view property = name;
        if (property == "ActiveState") {
            if (read_text(text)) facts.state = unit_state(text);
        } else if (property == "Result") {
            if (read_text(text)) facts.result = text;
        } else if (property == "ActiveEnterTimestampMonotonic") {
            sd_bus_message_read(message, "v", "t", &entered_us);
        } else if (property == "ActiveExitTimestampMonotonic") {
            sd_bus_message_read(message, "v", "t", &left_us);
        } else {
            sd_bus_message_skip(message, "v");
        }
        sd_bus_message_exit_container(message);
    }
    if (entered_us > 0 && left_us >= entered_us)
        facts.active_time = std::chrono::microseconds(left_us - entered_us);
    return facts;
}

std::vector<ListedUnit> read_units(sd_bus_message* message) {
    std::vector<ListedUnit> units;
    const char *name, *description, *load, *active, *sub, *following, *path, *job_type, *job_path;
    std::uint32_t job = 0;
    sd_bus_message_enter_container(message, 'a', "(ssssssouso)");
    while (sd_bus_message_read(message, "(ssssssouso)", &name, &description, &load, &active, &sub,
                               &following, &path, &job, &job_type, &job_path) > 0)
        units.push_back({name, unit_state(active)});
    return units;
}

// A call that brings something back: `read` fills the value from the reply, `done` gets it.
template <typename T, typename Read>
systemd::Bus::Reply into(std::shared_ptr<T> value, Read read,
                         std::function<void(base::Status)> over) {
    return [value, read, over = std::move(over)](base::Result<sd_bus_message*> reply) {
        if (!reply) return over(reply.error());
        *value = read(*reply);
        over({});
    };
}

template <typename T>
std::function<void(base::Status)> with(std::shared_ptr<T> value,
                                       std::function<void(base::Result<T>)> done) {
    return [value, done = std::move(done)](base::Status outcome) {
        done(outcome ? base::Result<T>(std::move(*value)) : base::Result<T>(outcome.error()));
    };
}

systemd::Bus::Reply without_value(std::function<void(base::Status)> over) {
    return [over = std::move(over)](base::Result<sd_bus_message*> reply) {
        over(reply ? base::Status() : base::Status(reply.error()));
    };
}

}  // namespace

UnitCalls::UnitCalls(async::Executor executor, Options options)
    : executor_(executor),
      options_(options),
      bus_(std::make_unique<systemd::Bus>(executor, options.socket)),
      queue_(options.bounds),
      deadline_timer_(executor),
      alive_(std::make_shared<UnitCalls*>(this)) {
    bus_->on_restored([this] {
        ++reconnects_;
        queue_.resume();
        go_on_soon();
        if (restored_) restored_();
    });
}

UnitCalls::~UnitCalls() {
    *alive_ = nullptr;
}

void UnitCalls::close() {
    *alive_ = nullptr;
    deadline_timer_.cancel();
    calls_.clear();
    bus_.reset();
}

base::Status UnitCalls::open() {
    return bus_->open(options_.deadline);
}

void UnitCalls::start_unit(std::function<base::Status()> when_due, Fill fill, Done done) {
    submit(
        Lane::start, Repeat::never,
        [this, when_due = std::move(when_due), fill = std::move(fill)](base::Duration left,
                                                                       Over over) {
            if (const auto yes = when_due(); !yes) {
                return asio::post(executor_, [over = std::move(over), yes] { over(yes); });
            }
            bus_->call_job("StartTransientUnit", left, left, fill, nullptr,
                          [over = std::move(over)](const base::Result<std::string>& job) {
                              over(job_outcome(job));
                          });
        },
        std::move(done));
}

void UnitCalls::stop_unit(std::string unit, Done done) {
    stop_again(std::make_shared<Stop>(Stop{std::move(unit), std::move(done), false}));
}

void UnitCalls::stop_again(const std::shared_ptr<Stop>& stop) {
    stop->taken = false;
    submit(
        Lane::urgent, Repeat::when_outcome_unknown,
        [this, stop](base::Duration left, Over over) {
            bus_->call_job(
                "StopUnit", left, stop_job_max,
                [&](sd_bus_message* m) {
                    return sd_bus_message_append(m, "ss", stop->unit.c_str(), "replace");
                },
                [stop, over] {
                    stop->taken = true;
                    over({});
                },
                [this, alive = alive_, stop, over](const base::Result<std::string>& job) {
                    if (*alive == nullptr) return;
                    const base::Status outcome = gone_is_fine(job_outcome(job));
                    stop->taken ? stop_ended(stop, outcome) : over(outcome);
                });
        },
        [this, stop](const base::Status& outcome) {
            if (!stop->taken) stop_ended(stop, outcome);
        });
}

void UnitCalls::stop_ended(const std::shared_ptr<Stop>& stop, const base::Status& outcome) {
    // The connection was lost: the job goes on without us, and to ask for it again does no harm.
    const bool lost = !outcome && outcome.error().code() == ErrorCode::outcome_unknown;
    if (lost && !bus_->serves()) return stop_again(stop);
    if (stop->done) stop->done(outcome);
}

void UnitCalls::kill_unit(std::string unit, int signal, Done done) {
    submit(
        Lane::urgent, Repeat::when_outcome_unknown,
        [this, unit = std::move(unit), signal](base::Duration left, Over over) {
            bus_->call(
                "KillUnit", left,
                [&](sd_bus_message* m) {
                    return sd_bus_message_append(m, "ssi", unit.c_str(), "all", signal);
                },
                without_value([over = std::move(over)](base::Status outcome) {
                    over(gone_is_fine(std::move(outcome)));
                }));
        },
        std::move(done));
}

void UnitCalls::forget_unit(std::string unit, Done done) {
    submit(
        Lane::urgent, Repeat::when_outcome_unknown,
        [this, unit = std::move(unit)](base::Duration left, Over over) {
            bus_->call(
                "ResetFailedUnit", left,
                [&](sd_bus_message* m) { return sd_bus_message_append(m, "s", unit.c_str()); },
                without_value([over = std::move(over)](base::Status outcome) {
                    over(gone_is_fine(std::move(outcome)));
                }));
        },
        std::move(done));
}

void UnitCalls::set_properties(Fill fill, Done done) {
    submit(
        Lane::urgent, Repeat::when_outcome_unknown,
        [this, fill = std::move(fill)](base::Duration left, Over over) {
            bus_->call("SetUnitProperties", left, fill, without_value(std::move(over)));
        },
        std::move(done));
}

void UnitCalls::look_at_unit(std::string unit, std::function<void(base::Result<UnitFacts>)> done) {
    const auto facts = std::make_shared<UnitFacts>();
    submit(
        Lane::urgent, Repeat::when_outcome_unknown,
        [this, unit = std::move(unit), facts](base::Duration left, Over over) {
            bus_->unit_properties(unit, left, into(facts, read_facts, std::move(over)));
        },
        with(facts, std::move(done)));
}

void UnitCalls::look_for_processes(std::string unit, std::function<void(base::Result<bool>)> done) {
    const auto any = std::make_shared<bool>(false);
    const auto read = [](sd_bus_message* message) {
        return sd_bus_message_enter_container(message, 'a', "(sus)") > 0 &&
               sd_bus_message_at_end(message, 0) == 0;
    };
    submit(
        Lane::urgent, Repeat::when_outcome_unknown,
        [this, unit = std::move(unit), any, read](base::Duration left, Over over) {
            bus_->call(
                "GetUnitProcesses", left,
                [&](sd_bus_message* m) { return sd_bus_message_append(m, "s", unit.c_str()); },
                into(any, read, [over = std::move(over)](base::Status outcome) {
                    over(gone_is_fine(std::move(outcome)));
                }));
        },
        with(any, std::move(done)));
}

void UnitCalls::list_units(std::vector<std::string> patterns,
                           std::function<void(base::Result<std::vector<ListedUnit>>)> done) {
    const auto units = std::make_shared<std::vector<ListedUnit>>();
    submit(
        Lane::urgent, Repeat::when_outcome_unknown,
        [this, patterns = std::move(patterns), units](base::Duration left, Over over) {
            bus_->call(
                "ListUnitsByPatterns", left,
                [&](sd_bus_message* m) {
                    std::vector<char*> words;
                    for (const auto& one : patterns) words.push_back(const_cast<char*>(one.c_str()));
                    words.push_back(nullptr);
                    const int r = sd_bus_message_append(m, "as", 0);
                    return r < 0 ? r : sd_bus_message_append_strv(m, words.data());
                },
                into(units, read_units, std::move(over)));
        },
        with(units, std::move(done)));
}

void UnitCalls::measure(ports::RuntimeMetrics& metrics) const {
    metrics.unit_calls_in_flight = queue_.in_flight();
    metrics.unit_calls_queued = queue_.queued();
    metrics.unit_calls_finished = latency_.count();
    metrics.unit_calls_failed = failed_;
    metrics.unit_calls_refused = refused_;
    metrics.unit_calls_expired = expired_;
    metrics.unit_call_latency_sum = latency_.sum();
    metrics.unit_call_latency_p50 = latency_.quantile(0.50);
    metrics.unit_call_latency_p99 = latency_.quantile(0.99);
    metrics.bus_reconnects = reconnects_;
}

void UnitCalls::submit(Lane lane, Repeat repeat, Make make, Done done) {
    if (!bus_) return;
    const base::Instant deadline = now() + options_.deadline;
    const auto ticket = queue_.add(lane, deadline);
    if (!ticket) {
        ++refused_;
        const base::Error full(
            ErrorCode::limit_exceeded,
            fmt::format("{} starts are waiting for systemd already, no more are taken",
                        queue_.bounds().starts_queued_max));
        return asio::post(executor_, [done = std::move(done), full] { done(full); });
    }
    calls_.emplace(*ticket, Call{lane, repeat, deadline, std::move(make), std::move(done)});
    go_on();
    watch_deadlines();
}

void UnitCalls::go_on() {
    while (const auto ticket = queue_.next()) make(*ticket);
}

// From within an answer: the stack unwinds first.
void UnitCalls::go_on_soon() {
    asio::post(executor_, [alive = alive_] {
        if (*alive != nullptr) (*alive)->go_on();
    });
}

void UnitCalls::make(CallQueue::Ticket ticket) {
    const Call& call = calls_.at(ticket);
    const base::Instant began = now();
    call.make(call.deadline - began, [alive = alive_, ticket, began](base::Status outcome) {
        if (*alive != nullptr) (*alive)->over(ticket, began, std::move(outcome));
    });
}

void UnitCalls::over(CallQueue::Ticket ticket, base::Instant began, base::Status outcome) {
    const Call& call = calls_.at(ticket);
    const ErrorCode code = outcome ? ErrorCode::io : outcome.error().code();
    const bool never_sent = code == ErrorCode::unavailable;
    const bool again = never_sent || (code == ErrorCode::outcome_unknown &&
                                      call.repeat == Repeat::when_outcome_unknown);
    if (again && call.deadline > now()) {
        queue_.put_back(ticket, call.lane, call.deadline);
        if (!bus_->serves()) queue_.pause();
        watch_deadlines();
        return go_on_soon();
    }
    queue_.finished();
    latency_.add(std::chrono::duration_cast<std::chrono::microseconds>(now() - began));
    if (!outcome) ++failed_;
    finish(ticket, std::move(outcome));
    go_on();
}

void UnitCalls::finish(CallQueue::Ticket ticket, base::Status outcome) {
    const auto found = calls_.find(ticket);
    const Done done = std::move(found->second.done);
    calls_.erase(found);
    if (done) done(std::move(outcome));
}

void UnitCalls::watch_deadlines() {
    const auto next = queue_.next_deadline();
    if (watching_ || !next) return;
    watching_ = true;
    deadline_timer_.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(*next - now()));
    deadline_timer_.async_wait([alive = alive_](boost::system::error_code error) {
        if (*alive == nullptr || error) return;
        UnitCalls& self = **alive;
        self.watching_ = false;
        for (const auto ticket : self.queue_.expire(now())) {
            ++self.expired_;
            self.finish(ticket, base::Error(ErrorCode::timed_out,
                                            "its turn with systemd did not come in time"));
        }
        self.watch_deadlines();
    });
}

}  // namespace fairlead::nodeagentd::runtime
