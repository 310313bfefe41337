#pragma once
// The core's reports as journal entries: `journalctl FRAMEWORK_ID=...` and the like find them, `journalctl -u SCOPE`
// shows them among the task's own output, `journalctl -x` explains them.

#include "common/log/log.hpp"
#include "nodeagentd/core/io.hpp"

#include <string_view>

namespace fairlead::nodeagentd {

struct JournalShape {
    log::Priority priority;
    std::string_view message_id;
};
JournalShape journal_shape(core::Report::Kind kind);

void journal(const core::Report& report);

}  // namespace fairlead::nodeagentd
