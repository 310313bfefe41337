#include "nodeagentd/journal.hpp"

#include "common/log/message_ids.hpp"

namespace fairlead::nodeagentd {

JournalShape journal_shape(core::Report::Kind kind) {
    using Kind = core::Report::Kind;
    using enum log::Priority;
    namespace ids = log::message_ids;
    switch (kind) {
        case Kind::registered: return {notice, ids::registered_with_master};
        case Kind::reregistered: return {notice, ids::registered_with_master};
        case Kind::refused: return {error, ids::refused_by_master};
        case Kind::disconnected: return {warning, ids::no_link_to_master};
        case Kind::stale_epoch_refused: return {warning, ids::stale_epoch};
        case Kind::task_launched: return {info, ids::task_launched};
        case Kind::task_refused: return {warning, ids::task_refused};
        case Kind::task_running: return {info, ids::task_started};
        case Kind::task_ended: return {info, ids::task_ended};
        case Kind::task_killing: return {info, ids::task_killing};
        case Kind::ends_unacknowledged: return {warning, ids::ends_unacknowledged};
        case Kind::framework_shut_down: return {notice, ids::framework_shut_down};
        case Kind::recovered: return {info, ids::checkpoints_read};
        case Kind::settled: return {notice, ids::tasks_taken_back};
        case Kind::reservations_changed: return {info, ids::reservations_changed};
        case Kind::reservations_lost: return {warning, ids::reservations_lost};
    }
    return {info, {}};
}

void journal(const core::Report& report) {
    const JournalShape shape = journal_shape(report.kind);
    log::Entry(shape.priority, report.message)
        .id(shape.message_id)
        .field("AGENT_ID", report.agent_id.value())
        .field("FRAMEWORK_ID", report.framework_id.value())
        .field("TASK_ID", report.task_id.value())
        .field("UNIT", report.unit)
        // What journalctl -u looks for in entries that others write about a unit.
        .field("OBJECT_SYSTEMD_UNIT", report.unit);
}

}  // namespace fairlead::nodeagentd
