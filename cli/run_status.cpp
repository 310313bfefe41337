#include "cli/run.hpp"

#include <cctype>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>

namespace fairlead::cli {

namespace {

// The first number after `word`: 3 in "Command exited with status 3".
std::optional<int> number_after(const std::string& text, const char* word) {
    auto at = text.find(word);
    if (at == std::string::npos) return std::nullopt;
    at += std::strlen(word);
    while (at < text.size() && !std::isdigit(static_cast<unsigned char>(text[at]))) ++at;
    int number = 0;
    bool any = false;
    for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) && number < 1000;
         ++at) {
        number = number * 10 + (text[at] - '0');
        any = true;
    }
    return any ? std::optional(number) : std::nullopt;
}

// 9 in "Command terminated with signal Killed": agents name a signal as strsignal(3) does.
std::optional<int> signal_in(const std::string& text) {
    constexpr std::string_view before = "signal ";
    const auto at = text.find(before);
    if (at == std::string::npos) return std::nullopt;
    const std::string_view name = std::string_view(text).substr(at + before.size());
    std::optional<int> found;
    std::size_t longest = 0;
    for (int number = 1; number < SIGRTMIN; ++number) {
        const char* description = sigdescr_np(number);
        if (description == nullptr || !name.starts_with(description)) continue;
        if (std::strlen(description) <= longest) continue;
        longest = std::strlen(description);
        found = number;
    }
    return found ? found : number_after(text, before.data());
}

}  // namespace

int exit_status_of_task(const v1::TaskStatus& status) {
    const auto& message = status.message();
    if (status.state() == v1::TASK_FINISHED) return 0;
    if (status.reason() == v1::TaskStatus::REASON_MAX_COMPLETION_TIME_REACHED) return 124;
    if (const auto number = signal_in(message); number && *number > 0 && *number < 128)
        return 128 + *number;
    if (const auto own = number_after(message, "status"); own && *own > 0 && *own < 256)
        return *own;
    if (status.state() == v1::TASK_KILLED) return 128 + 15;
    return 1;
}

}  // namespace fairlead::cli
