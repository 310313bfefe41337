#pragma once
// Entries in the systemd journal: a sentence for people, a priority, a MESSAGE_ID for what is worth finding again, and
// fields (FRAMEWORK_ID=, TASK_ID=, AGENT_ID= ...) to find it by. Where standard error is not the journal's (a program
// started by hand or in a test) the sentence goes there as one line. Any thread; an entry that cannot be written is
// dropped. Nobody waits for the journal, which may be slow or stopped: entries go through a Backlog.
//
//     log::Entry(log::Priority::info, "task sort.17 is running").id(message_ids::task_started).field("TASK_ID", id);

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::log {

enum class Priority { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

// Written when it goes out of scope.
class Entry {
  public:
    Entry(Priority priority, std::string_view message);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // 32 hex digits from message_ids.hpp.
    Entry& id(std::string_view message_id) { return field("MESSAGE_ID", message_id); }
    // Values may hold anything, newlines too. An empty value is left out.
    Entry& field(std::string_view name, std::string_view value);

  private:
    Priority priority_;
    std::vector<std::string> fields_;  // "NAME=value", the message first
};

// Until what was written has reached the journal, two seconds at most. Who ends the process without exit() needs it,
// with _exit() or abort(); exit() does it by itself.
void flush();

inline void error(std::string_view message) { Entry(Priority::error, message); }
inline void warning(std::string_view message) { Entry(Priority::warning, message); }
inline void notice(std::string_view message) { Entry(Priority::notice, message); }
inline void info(std::string_view message) { Entry(Priority::info, message); }

}  // namespace fairlead::log
