#pragma once
// A task as the master knows it.

#include "common/resources/resources.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "masterd/core/packed.hpp"
#include "masterd/core/shared_id.hpp"
#include "masterd/core/slots.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace fairlead::masterd::core {

// There may be a million of them: every byte counts here.
struct Task {
    SharedId<base::TaskId> id;
    FrameworkSlot framework = 0;
    AgentSlot agent = 0;
    SharedId<base::AgentId> agent_id;
    v1::TaskState state = v1::TASK_STAGING;  // the newest known, maybe ahead of what was forwarded
    v1::TaskState forwarded = v1::TASK_STAGING;  // of the newest update that its agent has let out
    std::uint32_t position_on_agent = 0;
    SharedId<base::Role> role;
    resources::Resources resources;
    bool holds_resources = false;
    bool is_short = false;  // has the time limit of an offer for short tasks
    base::Instant since{};  // launched, or first heard of by this master
    bool kill_wanted = false;  // to be told to the agent when it is back
    bool kill_sent = false;    // to its agent, which may have fallen silent since
    bool end_told = false;     // an update with its end has been sent to its scheduler
    bool end_heard = false;    // last_status is that of its end
    bool is_unacknowledged = false;  // it is over and counted in the books, until its framework has acknowledged that
    std::shared_ptr<const v1::RevocationPolicy> revocation_policy;  // null: it says nothing of that
    // What people and tools see of it beside these fields; see task_records.hpp.
    Packed<v1::Task> info;
    Packed<v1::TaskStatus> last_status;  // the newest that its agent sent
    double last_status_time = 0;         // seconds since 1970; 0: none
};
using TaskTable = std::unordered_map<SharedId<base::TaskId>, Task, SharedIdHash<base::TaskId>, std::equal_to<>>;

bool is_terminal(v1::TaskState state);
// Empty: it stands alone.
const std::string& gang_of(const Task& task);

}  // namespace fairlead::masterd::core
