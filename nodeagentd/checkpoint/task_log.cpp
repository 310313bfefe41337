#include "nodeagentd/checkpoint/task_log.hpp"

#include "nodeagentd/core/reboot.hpp"

#include <boost/crc.hpp>
#include <boost/endian/conversion.hpp>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

namespace fairlead::nodeagentd::checkpoint {
namespace {

using Entry = internal::TaskLogEntry;

constexpr std::size_t head_bytes = 8;
constexpr char a_framework = 'f';
constexpr char a_container = 'c';

std::uint32_t checksum(std::string_view bytes) {
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

std::string line_of(const Entry& entry) {
    const std::string bytes = entry.SerializeAsString();
    std::string line(head_bytes, '\0');
    auto* head = reinterpret_cast<unsigned char*>(line.data());
    boost::endian::store_big_u32(head, static_cast<std::uint32_t>(bytes.size()));
    boost::endian::store_big_u32(head + 4, checksum(bytes));
    return line + bytes;
}

// Takes the first line off `rest`; none where it is torn.
std::optional<Entry> take_entry(std::string_view& rest) {
    if (rest.size() < head_bytes) return std::nullopt;
    const auto* head = reinterpret_cast<const unsigned char*>(rest.data());
    const std::size_t length = boost::endian::load_big_u32(head);
    if (rest.size() - head_bytes < length) return std::nullopt;
    const std::string_view bytes = rest.substr(head_bytes, length);
    Entry entry;
    if (checksum(bytes) != boost::endian::load_big_u32(head + 4) ||
        !entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return std::nullopt;
    rest.remove_prefix(head_bytes + length);
    return entry;
}

template <typename Record>
std::vector<Record> values_of(std::map<std::string, Record>& records) {
    std::vector<Record> values;
    for (auto& [id, record] : records) values.push_back(std::move(record));
    return values;
}

}  // namespace

TaskLogContents parse_task_log(std::string_view bytes) {
    TaskLogContents contents;
    std::string_view rest = bytes;
    std::map<std::string, internal::FrameworkRecord> frameworks;
    std::map<std::string, internal::ContainerRecord> containers;
    while (auto entry = take_entry(rest)) {
        if (entry->has_boot_id())
            contents.boot_id = entry->boot_id();
        else if (entry->has_framework())
            frameworks[entry->framework().framework_info().id().value()] = entry->framework();
        else if (entry->has_container())
            containers[entry->container().container_id().value()] = entry->container();
        else if (entry->has_framework_over())
            frameworks.erase(entry->framework_over());
        else
            containers.erase(entry->container_over());
    }
    contents.frameworks = values_of(frameworks);
    contents.containers = values_of(containers);
    contents.unread_bytes = rest.size();
    return contents;
}

base::Result<TaskLogContents> read_task_log(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return TaskLogContents();
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (in.bad() || !in.is_open()) return base::errno_error("read " + file.string(), errno);
    return parse_task_log(bytes);
}

TaskLog::TaskLog(const std::string& boot_id) {
    Entry entry;
    entry.set_boot_id(boot_id);
    head_ = line_of(entry);
    bytes_ = head_.size();
}

void TaskLog::note(const core::Persist& persist) {
    if (const auto* one = std::get_if<core::PersistContainer>(&persist)) return note_container(*one->record);
    if (const auto* one = std::get_if<core::ForgetContainer>(&persist))
        return drop({a_container, one->container_id.value()});
    if (const auto* one = std::get_if<core::ForgetFramework>(&persist))
        return drop({a_framework, one->framework_id.value()});
    if (const auto* one = std::get_if<core::PersistFramework>(&persist)) {
        Entry entry;
        *entry.mutable_framework() = one->record;
        put({a_framework, one->record.framework_info().id().value()}, entry);
    }
}

// Between the launch and the end nothing changes that a later boot would tell.
void TaskLog::note_container(const internal::ContainerRecord& record) {
    const Key key{a_container, record.container_id().value()};
    const bool has_ended = record.phase() == internal::ContainerRecord::ENDED;
    if (!has_ended && !record.discarded() && lines_.contains(key)) return;
    auto kept = core::kept_over_a_reboot(record);
    if (!kept) return drop(key);
    Entry entry;
    *entry.mutable_container() = *std::move(kept);
    put(key, entry);
}

void TaskLog::put(const Key& key, const internal::TaskLogEntry& entry) {
    std::string text = line_of(entry);
    Line& line = lines_[key];
    if (line.text == text) return;
    bytes_ += text.size() - line.text.size();
    line.text = std::move(text);
    if (over_.erase(key) > 0) line.is_taken = true;  // what it is in place of was
    new_.insert(key);
}

void TaskLog::drop(const Key& key) {
    const auto found = lines_.find(key);
    if (found == lines_.end()) return;
    if (found->second.is_taken) {
        Entry entry;
        key.first == a_container ? entry.set_container_over(key.second) : entry.set_framework_over(key.second);
        over_[key] = line_of(entry);
    }
    bytes_ -= found->second.text.size();
    new_.erase(key);
    lines_.erase(found);
}

std::string TaskLog::take_new() {
    std::string text;
    for (const auto& [key, line] : std::exchange(over_, {})) text += line;
    for (const auto& key : std::exchange(new_, {})) {
        Line& line = lines_.at(key);
        line.is_taken = true;
        text += line.text;
    }
    return text;
}

std::string TaskLog::take_all() {
    over_.clear();
    new_.clear();
    std::string text = head_;
    for (auto& [key, line] : lines_) {
        line.is_taken = true;
        text += line.text;
    }
    return text;
}

}  // namespace fairlead::nodeagentd::checkpoint
