#include "sdk_ledger.hpp"

#include "fairlead/v1/mesos.pb.h"
#include "sdk/task.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <stdexcept>

namespace chaos {

namespace json = boost::json;
using namespace fairlead;

namespace {

std::string text(const json::object& record, std::string_view key) {
    const auto* value = record.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool as_meant(int item, v1::TaskState state, const std::string& source) {
    switch (kind_of(item)) {
        case Kind::killed: return state == v1::TASK_KILLED;
        case Kind::failing: return state == v1::TASK_FAILED && source != "SOURCE_AGENT";  // which lost it
        case Kind::plain: break;
    }
    return state == v1::TASK_FINISHED;
}

}  // namespace

Kind kind_of(int item) {
    return item % 10 == 3 ? Kind::failing : item % 10 == 7 ? Kind::killed : Kind::plain;
}

std::string script_of(int item) {
    constexpr std::array<const char*, 10> seconds{"0", "1", "4", "0.5", "2", "10", "0", "60", "3", "6"};
    const std::string status = kind_of(item) == Kind::failing ? "3" : "0";
    return "say() { echo \"$MESOS_TASK_ID $(date +%s.%N) $1\" >>/var/lib/chaos/ran; }; say start; sleep " +
           std::string(seconds.at(static_cast<std::size_t>(item % 10))) + "; say 'end " + status + "'; exit " + status;
}

Ledger::Ledger(std::string path)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (file_ < 0) throw std::runtime_error("cannot open " + path_);
    read();
}

void Ledger::read() {
    auto before = std::move(tasks_);
    tasks_.clear();
    to_do_.clear();
    next_item_ = starts_ = 0;
    std::ifstream file(path_);
    // The last line of a process that was killed may be cut short.
    for (std::string line; std::getline(file, line) && !file.eof();)
        if (!line.empty()) take(json::parse(line).as_object());
    for (auto& [id, task] : tasks_) {
        const auto known = before.find(id);
        task.fresh = known != before.end() && known->second.fresh;
        if (known != before.end()) task.unknown_since = known->second.unknown_since;
    }
}

void Ledger::write(json::object record) {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    record["at"] = std::chrono::duration<double>(since_1970).count();
    const std::string line = json::serialize(record) + "\n";
    if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        throw std::runtime_error("cannot write " + path_);
    take(record);
}

Task* Ledger::find(const std::string& task) {
    const auto found = tasks_.find(task);
    return found == tasks_.end() ? nullptr : &found->second;
}

std::optional<int> Ledger::item_to_do(bool draining) const {
    if (!to_do_.empty()) return *to_do_.begin();
    if (draining) return {};
    return next_item_;
}

void Ledger::take(const json::object& record) {
    const std::string what = text(record, "what"), task = text(record, "task");
    if (what == "started") {
        ++starts_;
    } else if (what == "launch") {
        const int item = static_cast<int>(record.at("item").as_int64());
        tasks_[task] = {.item = item, .agent = text(record, "agent")};
        to_do_.erase(item);
        next_item_ = std::max(next_item_, item + 1);
    } else if (!tasks_.contains(task)) {
        return;
    } else if (what == "refused" || what == "gave_up") {
        close(task, false);
    } else if (what == "update") {
        v1::TaskState state{};
        if (!v1::TaskState_Parse(text(record, "state"), &state) || !sdk::is_terminal(state)) return;
        close(task, as_meant(tasks_.at(task).item, state, text(record, "source")));
    }
}

void Ledger::close(const std::string& task, bool done) {
    if (!done) to_do_.insert(tasks_.at(task).item);
    tasks_.erase(task);
}

}  // namespace chaos
