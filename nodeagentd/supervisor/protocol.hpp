#pragma once
// What an agent and a supervisor say to each other, over a SOCK_SEQPACKET unix socket: first the
// socketpair that the supervisor was born with (descriptor 3), later a connection to the agent's
// socket. Both sides are on one host, so numbers are in native order. Supervisors outlive agent
// upgrades, so the rules for change are strict: fields are only ever appended, a reader takes a
// message that is longer than it knows and ignores the tail, and one that is shorter than
// `message_bytes_min` is malformed.
//
//   agent                                    supervisor
//     | -- launch (record in a memfd) ---------> |  nothing of the task runs before it
//     | <------------ started / start_failed --- |
//     | <------------------------------ exited --|  kept until acknowledged
//     | -- acknowledge ------------------------> |  exits
//   after a lost connection the supervisor connects and says `hello`, which carries all of its
//   state. One whose task is over while no agent listens does not wait: it leaves its last message
//   in the report file and exits.
//
// No protobuf, no exceptions, no allocation here: the supervisor must stay below 1 MiB.

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fairlead::nodeagentd::supervisor {

inline constexpr std::uint32_t message_magic = 0x76734c46;  // "FLsv"
inline constexpr std::uint16_t protocol_version = 1;
inline constexpr int channel_descriptor = 3;
inline constexpr std::size_t key_bytes_max = 255;
inline constexpr std::size_t record_bytes_max = 4 * 1024 * 1024;  // beyond what execve takes anyway

enum class MessageType : std::uint16_t {
    launch = 1,
    acknowledge = 2,
    started = 3,
    start_failed = 4,
    exited = 5,
    hello = 6
};

enum class TaskState : std::uint32_t { waiting = 0, running = 1, exited = 2, start_failed = 3 };

// Where a start failed; `error` is the errno of it.
enum class StartStage : std::uint32_t {
    none = 0,
    record = 1,       // the launch record does not parse
    output_file = 2,  // stdout or stderr in the sandbox cannot be opened
    pipe = 3,
    fork = 4,
    credentials = 5,  // setgroups, setgid, setuid
    directory = 6,    // chdir to the sandbox
    execute = 7,
    sandbox = 8,  // it cannot be made, or given to the task's user
};

// One shape for every message; what a type does not use is zero.
struct Message {
    std::uint32_t magic = message_magic;
    std::uint16_t version = protocol_version;
    MessageType type = MessageType::hello;
    TaskState state = TaskState::waiting;
    StartStage stage = StartStage::none;
    std::int32_t error = 0;
    std::int32_t pid = 0;          // of the task's main process
    std::int32_t wait_status = 0;  // as waitpid(2)
    std::uint32_t sigterm_seen =
        0;  // the supervisor was asked to stop, as all of its scope, while the task ran
    std::uint32_t leftovers =
        0;  // processes of the task were still there when the main process was gone
    std::uint32_t key_bytes = 0;
    std::uint64_t cpu_user_us = 0;
    std::uint64_t cpu_system_us = 0;
    std::uint64_t memory_peak_bytes = 0;
    std::uint64_t oom_kills = 0;       // from the scope's memory.events, where there is one
    std::uint64_t run_us = 0;            // from exec to end
    std::uint64_t sigterm_after_us = 0;  // from exec to the first SIGTERM, where sigterm_seen
    char key[key_bytes_max + 1] = {};  // which container; in hello
};

inline constexpr std::size_t message_bytes_min = sizeof(Message);  // of version 1, for ever

// True when `bytes` received into `message` are a message that we can read.
inline bool is_valid(const Message& message, std::size_t bytes) {
    return bytes >= message_bytes_min && message.magic == message_magic && message.version >= 1 &&
           message.key_bytes <= key_bytes_max;
}

// The launch record: a fixed head, then strings, each ended by NUL so that argv and the environment
// are used where they lie. Order of strings: key, sandbox, stdout path, stderr path, journal
// fields ("NAME=value" lines), agent socket, report path, then argv, then "NAME=value"s. `groups` follow the
// strings, four bytes each, unaligned.
struct LaunchHead {
    std::uint32_t magic = message_magic;
    std::uint16_t version = protocol_version;
    std::uint16_t change_credentials = 0;  // 1: setgroups, setgid, setuid
    std::uint32_t head_bytes = sizeof(LaunchHead);
    std::uint32_t record_bytes = 0;
    std::uint32_t arguments = 0;
    std::uint32_t environment = 0;
    std::uint32_t groups = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

inline constexpr std::uint32_t launch_strings = 7;
enum LaunchString {
    key = 0,
    sandbox = 1,
    stdout_path = 2,
    stderr_path = 3,
    journal_fields = 4,
    agent_socket = 5,
    report_path = 6
};

// Reads a record in place. After parse() returned true the pointers stay good as long as the bytes
// do.
class LaunchReader {
  public:
    bool parse(const char* bytes, std::size_t size) {
        if (size < sizeof(LaunchHead) || size > record_bytes_max) return false;
        std::memcpy(&head_, bytes, sizeof head_);
        if (head_.magic != message_magic || head_.version < 1 || head_.record_bytes != size)
            return false;
        if (head_.head_bytes < sizeof(LaunchHead) || head_.head_bytes > size) return false;
        const char* at = bytes + head_.head_bytes;
        const char* const end = bytes + size;
        for (std::uint32_t i = 0; i < launch_strings; ++i) {
            strings_[i] = at;
            if (!skip_string(at, end)) return false;
        }
        if (head_.arguments == 0 || std::strlen(strings_[LaunchString::key]) > key_bytes_max)
            return false;
        arguments_ = at;
        for (std::uint32_t i = 0; i < head_.arguments; ++i) {
            if (!skip_string(at, end)) return false;
        }
        environment_ = at;
        for (std::uint32_t i = 0; i < head_.environment; ++i) {
            if (!skip_string(at, end)) return false;
        }
        groups_ = at;
        return static_cast<std::size_t>(end - at) ==
               std::size_t{head_.groups} * sizeof(std::uint32_t);
    }

    const LaunchHead& head() const { return head_; }
    const char* string(LaunchString which) const { return strings_[which]; }

    // `out` has room for arguments + 1 (environment + 1) pointers.
    void fill_arguments(const char** out) const { fill(arguments_, head_.arguments, out); }
    void fill_environment(const char** out) const { fill(environment_, head_.environment, out); }
    void fill_groups(std::uint32_t* out) const {
        std::memcpy(out, groups_, head_.groups * sizeof(std::uint32_t));
    }

  private:
    static bool skip_string(const char*& at, const char* end) {
        const void* nul = std::memchr(at, 0, static_cast<std::size_t>(end - at));
        if (nul == nullptr) return false;
        at = static_cast<const char*>(nul) + 1;
        return true;
    }
    static void fill(const char* at, std::uint32_t count, const char** out) {
        for (std::uint32_t i = 0; i < count; ++i) {
            out[i] = at;
            at += std::strlen(at) + 1;
        }
        out[count] = nullptr;
    }

    LaunchHead head_;
    const char* strings_[launch_strings] = {};
    const char* arguments_ = nullptr;
    const char* environment_ = nullptr;
    const char* groups_ = nullptr;
};

}  // namespace fairlead::nodeagentd::supervisor
