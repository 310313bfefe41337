#pragma once
// What really ran, by the agents' word, beside what the frameworks were told: from both comes whether a task was lost or
// doubled. Agents and frameworks write into ledgers of their own, each on its own thread; they are compared at the end.

#include "fairlead/v1/mesos.pb.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::bench {

// "t-17-4711": the 4711th task of framework 17.
struct TaskKey {
    std::uint32_t framework = 0;
    std::uint32_t number = 0;

    std::string text() const;
    static std::optional<TaskKey> parse(std::string_view text);
    std::uint64_t packed() const { return static_cast<std::uint64_t>(framework) << 32 | number; }
};

struct Ledger {
    enum class What : std::uint8_t {
        started,  // agent: the task runs here
        ended,    // agent: it has run to its end
        asked,    // framework: it has sent the launch
        told,     // framework: the task is over; `state` says how, for the first time or again
    };
    struct Entry {
        std::uint64_t task = 0;
        std::uint32_t agent = 0;
        What what = What::started;
        v1::TaskState state = v1::TASK_STAGING;
    };
    void add(TaskKey task, What what, std::uint32_t agent = 0, v1::TaskState state = v1::TASK_STAGING) {
        entries.push_back({task.packed(), agent, what, state});
    }
    std::vector<Entry> entries;
};

// Of the tasks that frameworks have asked for.
struct Verdict {
    std::size_t asked = 0;
    std::size_t ran = 0;          // to their end, once, and their framework heard of that end
    std::size_t turned_away = 0;  // never started, and their framework was told so
    std::size_t doubled = 0;      // started more than once
    std::size_t lost = 0;         // started, and their framework was told of another end than what the agent knows, or of none
    std::size_t forgotten = 0;    // never started, and their framework was told nothing
    std::size_t unasked = 0;      // started, though no framework has asked for them
    std::string example;          // of what must not be

    bool clean() const { return doubled + lost + forgotten + unasked == 0; }
    std::string json() const;
};

// After everything has ended. The ledgers' entries are moved out.
Verdict compare(std::vector<Ledger*> ledgers);

}  // namespace fairlead::bench
