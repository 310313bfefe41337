#pragma once
// The log by which a host can tell after a reboot what had been on it: one line for each framework and container of
// the checkpoints, in the short form that is kept (core/reboot.hpp), behind the id of the boot that they are all of.
// A later line about the same thing is in place of an earlier one. Each is a length, a checksum and a TaskLogEntry; a
// power cut may leave the last ones torn, and they are not read.

#include "common/base/error.hpp"
#include "nodeagentd/core/io.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::nodeagentd::checkpoint {

struct TaskLogContents {
    std::string boot_id;
    std::vector<internal::FrameworkRecord> frameworks;
    std::vector<internal::ContainerRecord> containers;
    std::size_t unread_bytes = 0;  // at its end
};
TaskLogContents parse_task_log(std::string_view bytes);
// No file is an empty log.
base::Result<TaskLogContents> read_task_log(const std::filesystem::path& file);

// What the log has to hold, and which lines of it have not been taken to be written yet. What comes and goes between
// two takings is never written. Plain data, as large as what it holds.
class TaskLog {
  public:
    explicit TaskLog(const std::string& boot_id);

    void note(const core::Persist& persist);
    bool has_new() const { return !new_.empty() || !over_.empty(); }
    std::string take_new();          // to be added to what was taken before
    std::string take_all();          // a log of its own
    std::size_t size_bytes() const { return bytes_; }  // of all

  private:
    using Key = std::pair<char, std::string>;  // what it is, its id
    struct Line {
        std::string text;
        bool is_taken = false;
    };

    void note_container(const internal::ContainerRecord& record);
    void put(const Key& key, const internal::TaskLogEntry& entry);
    void drop(const Key& key);

    std::string head_;
    std::map<Key, Line> lines_;
    std::set<Key> new_;                // of the lines
    std::map<Key, std::string> over_;  // lines that say so
    std::size_t bytes_ = 0;
};

}  // namespace fairlead::nodeagentd::checkpoint
