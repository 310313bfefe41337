#include "masterd/journal.hpp"

#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"

#include <fmt/format.h>

#include <optional>

namespace fairlead::masterd {

using Kind = core::Report::Kind;
namespace ids = log::message_ids;

Shape shape_of(Kind kind) {
    using enum log::Priority;
    switch (kind) {
        case Kind::leadership_lost: return {warning, ids::leadership_lost, "master/leaderships_lost"};
        case Kind::framework_subscribed: return {notice, ids::framework_subscribed, "master/frameworks_subscribed"};
        case Kind::framework_standby: return {info, ids::framework_subscribed, "master/schedulers_standing_by"};
        case Kind::framework_standby_gone:
            return {info, ids::framework_disconnected, "master/schedulers_standing_by_gone"};
        case Kind::framework_resubscribed: return {notice, ids::framework_subscribed, "master/frameworks_resubscribed"};
        case Kind::framework_disconnected: return {notice, ids::framework_disconnected, "master/frameworks_lost"};
        case Kind::framework_removed: return {notice, ids::framework_removed, "master/frameworks_removed"};
        case Kind::framework_refused: return {warning, ids::framework_refused, "master/frameworks_refused"};
        case Kind::agent_registered: return {notice, ids::agent_registered, "master/slave_registrations"};
        case Kind::agent_reregistered: return {notice, ids::agent_registered, "master/slave_reregistrations"};
        case Kind::agent_disconnected: return {warning, ids::agent_disconnected, "master/slave_disconnections"};
        case Kind::agent_unreachable: return {warning, ids::agent_unreachable, "master/slave_unreachable_completed"};
        case Kind::agent_removed: return {notice, ids::agent_removed, "master/slave_removals"};
        case Kind::agent_refused: return {warning, ids::agent_refused, "master/slave_registrations_refused"};
        case Kind::later_epoch_claimed: return {warning, ids::later_epoch_claimed, "master/later_epochs_claimed"};
        case Kind::task_added: return {debug, {}, "master/tasks_launched"};
        case Kind::task_updated: return {debug, {}, "master/valid_status_updates"};
        case Kind::task_removed: return {debug, {}, "master/tasks_forgotten"};
        case Kind::task_refused: return {info, ids::task_refused, "master/tasks_refused"};
        case Kind::task_stray: return {warning, ids::task_stray, "master/tasks_stray"};
        case Kind::offer_sent: return {debug, {}, "master/offers_sent"};
        case Kind::offer_accepted: return {debug, {}, "master/offers_accepted"};
        case Kind::offer_declined: return {debug, {}, "master/offers_declined"};
        case Kind::offer_rescinded: return {debug, {}, "master/offers_rescinded"};
        case Kind::offers_withheld: return {warning, ids::ends_unacknowledged, "master/offers_withheld"};
        case Kind::inverse_offer_sent: return {debug, {}, "master/inverse_offers_sent"};
        case Kind::inverse_offer_accepted: return {debug, {}, "master/inverse_offers_accepted"};
        case Kind::inverse_offer_declined: return {debug, {}, "master/inverse_offers_declined"};
        case Kind::inverse_offer_rescinded: return {debug, {}, "master/inverse_offers_rescinded"};
        case Kind::revocation_asked: return {notice, ids::revocation_asked, "master/revocations_asked"};
        case Kind::revocation_called_off: return {notice, ids::revocation_called_off, "master/revocations_called_off"};
        case Kind::revocation_killed: return {notice, ids::revocation_killed, "master/revocations_killed"};
        case Kind::roles_ordered: return {notice, ids::roles_ordered, "master/role_orders"};
        case Kind::reservations_changed: return {info, ids::reservations_changed, "master/reservation_changes"};
        case Kind::reservations_lost: return {warning, ids::reservations_lost, "master/reservations_lost"};
        case Kind::plan_refused: return {warning, ids::allocation_module_wrong, "allocator/plans_refused"};
        case Kind::call_dropped: return {info, ids::call_dropped, "master/dropped_messages"};
    }
    return {debug, {}, "master/other_events"};
}

namespace {

const char* ended_counter(v1::TaskState state) {
    switch (state) {
        case v1::TASK_FINISHED: return "master/tasks_finished";
        case v1::TASK_FAILED: return "master/tasks_failed";
        case v1::TASK_KILLED: return "master/tasks_killed";
        case v1::TASK_LOST: return "master/tasks_lost";
        case v1::TASK_ERROR: return "master/tasks_error";
        case v1::TASK_DROPPED: return "master/tasks_dropped";
        case v1::TASK_GONE: return "master/tasks_gone";
        case v1::TASK_GONE_BY_OPERATOR: return "master/tasks_gone_by_operator";
        default: return nullptr;
    }
}

const char* text_of(core::ConnectionEnd::Kind kind) {
    using End = core::ConnectionEnd::Kind;
    switch (kind) {
        case End::lost: return "lost";
        case End::too_slow: return "too-slow";
        case End::too_fast: return "too-fast";
        case End::malformed: return "malformed";
        case End::silent: return "silent";
    }
    return "";
}

// Of the ends that look like any other but for their reason.
const char* cut_off_counter(const core::Report& report) {
    if (report.connection_end != core::ConnectionEnd::Kind::too_slow) return nullptr;
    return report.kind == Kind::agent_disconnected ? "master/agents_too_slow" : "master/schedulers_too_slow";
}

// Lines in a window about agents that come and go, of which there may be very many.
constexpr std::uint64_t lines_about_agents_max = 1000;

struct Source {
    std::string name;
    std::uint64_t lines_max = LineLimit::a_few;
};

// Of what there may be very many lines; none: of others there are not.
std::optional<Source> source_of(const core::Report& report) {
    const auto framework = [&] { return Source{"framework " + report.framework_id.value()}; };
    switch (report.kind) {
        case Kind::call_dropped:
        case Kind::framework_standby_gone:
        case Kind::offers_withheld:
        case Kind::task_stray:
        case Kind::task_refused: return framework();
        case Kind::reservations_changed:
            if (report.framework_id.empty()) return std::nullopt;
            return framework();
        case Kind::framework_refused: return Source{"refused frameworks"};
        case Kind::agent_refused: return Source{"refused agents"};
        case Kind::later_epoch_claimed: return Source{"agents that have served a later epoch"};
        case Kind::agent_registered:
        case Kind::agent_reregistered: return Source{"agents that registered", lines_about_agents_max};
        case Kind::agent_disconnected: return Source{"agents whose links broke", lines_about_agents_max};
        case Kind::agent_unreachable: return Source{"unreachable agents", lines_about_agents_max};
        case Kind::plan_refused: return Source{"the allocation module"};
        default: return std::nullopt;
    }
}

}  // namespace

std::vector<std::pair<std::string_view, std::string>> fields_of(const core::Report& report) {
    std::vector<std::pair<std::string_view, std::string>> fields;
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) fields.emplace_back(name, value);
    };
    add("FRAMEWORK_ID", report.framework_id.value());
    add("AGENT_ID", report.agent_id.value());
    add("TASK_ID", report.task_id.value());
    add("OFFER_ID", report.offer_id.value());
    if (report.task_state) add("TASK_STATE", v1::TaskState_Name(*report.task_state));
    if (report.connection_end) add("CONNECTION_END", text_of(*report.connection_end));
    return fields;
}

void journal(const core::Report& report, std::map<std::string, double>& counters, LineLimit& lines, base::Instant now) {
    const Shape shape = shape_of(report.kind);
    ++counters[shape.counter];
    if (report.task_state && report.kind == Kind::task_updated)
        if (const char* counter = ended_counter(*report.task_state)) ++counters[counter];
    if (const char* counter = cut_off_counter(report)) ++counters[counter];
    if (shape.priority == log::Priority::debug) return;
    if (const auto source = source_of(report); source && !lines.allow(source->name, now, source->lines_max)) return;
    log::Entry entry(shape.priority, report.message);
    entry.id(shape.message_id);
    for (const auto& [name, value] : fields_of(report)) entry.field(name, value);
}

void journal_held_back(LineLimit& lines, base::Instant now) {
    for (const auto& [source, count] : lines.take_held_back(now))
        log::Entry(log::Priority::warning, fmt::format("{} more lines about {} were not written", count,
                                                       source.empty() ? "further clients" : source))
            .id(ids::lines_held_back);
}

}  // namespace fairlead::masterd
