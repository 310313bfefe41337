#include "common/log/log.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace fairlead::log {
namespace {

constexpr const char* journal_socket = "/run/systemd/journal/socket";

// systemd names the stream that it has connected stderr to (systemd.exec(5), JOURNAL_STREAM); any other stderr is where
// somebody wants to read: a terminal, a file, a pipe.
bool decide_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat standard_error {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &standard_error) != 0) return false;
    return fmt::format("{}:{}", standard_error.st_dev, standard_error.st_ino) == stream &&
           ::access(journal_socket, W_OK) == 0;
}

bool has_journal() {
    static const bool decided = decide_journal();
    return decided;
}

void write_line(std::string_view message) {
    std::string line;
    for (const char c : message) line += c == '\n' ? ' ' : c;
    line += '\n';
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

Entry::Entry(Priority priority, std::string_view message) : priority_(priority) { field("MESSAGE", message); }

Entry& Entry::field(std::string_view name, std::string_view value) {
    if (!value.empty()) fields_.push_back(std::string(name) + "=" + std::string(value));
    return *this;
}

Entry::~Entry() {
    if (!has_journal()) {
        constexpr std::string_view prefix = "MESSAGE=";
        if (!fields_.empty()) write_line(std::string_view(fields_.front()).substr(prefix.size()));
        return;
    }
    fields_.push_back("PRIORITY=" + std::to_string(static_cast<int>(priority_)));
    fields_.push_back(std::string("SYSLOG_IDENTIFIER=") + ::program_invocation_short_name);
    std::vector<iovec> parts;
    parts.reserve(fields_.size());
    for (std::string& field : fields_) parts.push_back({field.data(), field.size()});
    ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace fairlead::log
