#include "masterd/core/task.hpp"

namespace fairlead::masterd::core {

bool is_terminal(v1::TaskState state) {
    switch (state) {
        case v1::TASK_FINISHED:
        case v1::TASK_FAILED:
        case v1::TASK_KILLED:
        case v1::TASK_ERROR:
        case v1::TASK_LOST:
        case v1::TASK_DROPPED:
        case v1::TASK_GONE:
        case v1::TASK_GONE_BY_OPERATOR:
            return true;
        default:
            return false;
    }
}

const std::string& gang_of(const Task& task) {
    static const std::string none;
    return task.revocation_policy ? task.revocation_policy->gang() : none;
}

}  // namespace fairlead::masterd::core
