#pragma once
// What outlives the boot in which tasks ran, and what the next one tells of them. Nothing of a task is left then:
// where its end was written down in time that is told, and of every other one only that it is gone, as it may have
// run. Pure functions.

#include "nodeagentd/core/state.hpp"

#include <optional>
#include <string>

namespace fairlead::nodeagentd::core {

// The short form of a record: whose task it was, what it held, and its end where there is one to be told. None where a
// later boot has nothing to tell.
std::optional<internal::ContainerRecord> kept_over_a_reboot(const internal::ContainerRecord& record);

bool is_of_an_earlier_boot(const internal::ContainerRecord& record, const std::string& boot_id);

// Of a task that had been launched here in an earlier boot, and whose end nobody wrote down.
v1::TaskStatus gone_with_the_boot();
// Whether a status says no more than that.
bool is_gone_with_the_boot(const v1::TaskStatus& status);

// Of a task that a master believes to be here and that has left no trace. `rebooted`: the master may have launched it
// in an earlier boot.
v1::TaskStatus answer_for_unknown(const internal::TaskKey& key, bool rebooted);

}  // namespace fairlead::nodeagentd::core
