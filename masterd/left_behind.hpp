#pragma once
// Work that may never end: it runs on a thread of its own and is waited for no longer than so. What has not come back by
// then is left behind: nobody looks at it again, and it goes on until the process ends.

#include "common/base/instant.hpp"

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>

namespace fairlead::masterd {

// A thread that takes no signals of the process, called so in the system's lists.
std::thread quiet_thread(const char* name, std::function<void()> work);

void note_thread_left_behind();
// Then the process must end without taking down what such a thread may still use (_exit).
bool any_thread_left_behind();

// `work` must own all that it touches, and throw nothing. Nothing: it was left behind.
template <typename Work>
auto finish_within(base::Duration time, Work work) -> std::optional<std::invoke_result_t<Work>> {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Work>()>>(std::move(work));
    auto result = task->get_future();
    quiet_thread("in-time", [task] { (*task)(); }).detach();
    if (result.wait_for(time) == std::future_status::ready) return result.get();
    note_thread_left_behind();
    return std::nullopt;
}

}  // namespace fairlead::masterd
