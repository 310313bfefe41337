#include "cli/run.hpp"

#include <cctype>
#include <cstring>
#include <optional>

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

}  // namespace

int exit_status_of_task(const std::string& state, const std::string& message) {
    if (state == "TASK_FINISHED") return 0;
    if (const auto number = number_after(message, "signal"); number && *number > 0 && *number < 128)
        return 128 + *number;
    if (const auto status = number_after(message, "status"); status && *status > 0 && *status < 256)
        return *status;
    if (state == "TASK_KILLED") return 128 + 15;
    return 1;
}

}  // namespace fairlead::cli
