#include "common/log/log.hpp"

#include "common/log/backlog.hpp"
#include "common/log/message_ids.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

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

void send(Backlog::Line line) {
    std::vector<iovec> parts;
    parts.reserve(line.size());
    for (std::string& field : line) parts.push_back({field.data(), field.size()});
    ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

// What every entry has beside its own fields.
void complete(Backlog::Line& line, Priority priority) {
    line.push_back("PRIORITY=" + std::to_string(static_cast<int>(priority)));
    line.push_back(std::string("SYSLOG_IDENTIFIER=") + ::program_invocation_short_name);
}

Backlog::Line lines_lost(std::size_t count) {
    Backlog::Line line{fmt::format("MESSAGE=Here {} lines are missing: the journal took none for too long", count),
                       fmt::format("MESSAGE_ID={}", message_ids::lines_lost), fmt::format("LINES_LOST={}", count)};
    complete(line, Priority::warning);
    return line;
}

// Never destroyed: anybody may write until the very end.
Backlog& journal() {
    static Backlog* const backlog = [] {
        auto* made = new Backlog(send, lines_lost, Backlog::Limits());
        std::atexit(flush);
        return made;
    }();
    return *backlog;
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
    complete(fields_, priority_);
    journal().put(std::move(fields_));
}

void flush() {
    constexpr std::chrono::seconds patience{2};
    if (has_journal()) journal().flush(patience);
}

}  // namespace fairlead::log
