#pragma once
// The files that an agent leaves behind for the next one, as bytes: of each record two versions, and the log for the next
// boot. What is written into them and what is made of them is the agent's own code; whether bytes are still those that
// were written is known here alone.

#include "nodeagentd/checkpoint/record.hpp"
#include "nodeagentd/checkpoint/task_log.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::sim {

struct RecordFile {
    struct Bytes {
        std::string bytes;
        bool is_damaged = false;
    };
    std::optional<Bytes> newest;
    std::optional<Bytes> older;

    void replace(const google::protobuf::Message& message, nodeagentd::checkpoint::Older what_was_there) {
        Bytes now{nodeagentd::checkpoint::in_a_file(message), false};
        const bool stays = what_was_there == nodeagentd::checkpoint::Older::stays;
        older = !newest ? std::nullopt : stays ? std::move(newest) : std::optional(now);
        newest = std::move(now);
    }
    std::optional<nodeagentd::checkpoint::Version> read(google::protobuf::Message& message) const {
        using nodeagentd::checkpoint::Version;
        return nodeagentd::checkpoint::read_either(
            [this](Version version) -> std::optional<std::string> {
                const auto& file = version == Version::newest ? newest : older;
                return file ? std::optional(file->bytes) : std::nullopt;
            },
            message);
    }
};

struct RecordFiles {
    std::map<base::FrameworkId, RecordFile> frameworks;
    std::map<base::ContainerId, RecordFile> containers;
};

// tasks.log, and the thread that writes it.
struct LogFile {
    struct Write {
        std::string text;
        bool anew = false;
    };
    std::string bytes;  // on the disk; none: there is no file
    std::unique_ptr<nodeagentd::checkpoint::TaskLog> log;
    bool is_planned = false;
    std::optional<Write> being_written;

    void put(const Write& write) { write.anew ? bytes = write.text : bytes += write.text; }
};

}  // namespace fairlead::sim
