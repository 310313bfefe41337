#include "nodeagentd/checkpoint/checkpoint.hpp"

#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"

#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

namespace fairlead::nodeagentd::checkpoint {

namespace {

namespace fs = std::filesystem;

enum class Durability { of_the_boot, of_the_host };

std::uint64_t fnv_1a(std::string_view bytes) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211ULL;
    return hash;
}

// A file begins with this, as protobuf writes a fixed64 of number 1000, and the hash of all that follows: a message that is
// cut short between two of its fields parses as well as a whole one. Files without it are of an earlier version.
constexpr std::string_view head_mark = "\xc1\x3e";
constexpr std::size_t head_bytes = head_mark.size() + sizeof(std::uint64_t);

std::string in_a_file(const google::protobuf::Message& message) {
    std::string bytes(head_bytes, '\0');
    message.AppendToString(&bytes);
    const std::uint64_t hash = htole64(fnv_1a(std::string_view(bytes).substr(head_bytes)));
    std::memcpy(bytes.data(), head_mark.data(), head_mark.size());
    std::memcpy(bytes.data() + head_mark.size(), &hash, sizeof hash);
    return bytes;
}

bool out_of_a_file(std::string_view bytes, google::protobuf::Message& message) {
    const auto parses = [&message](std::string_view rest) {
        return !rest.empty() && message.ParseFromArray(rest.data(), static_cast<int>(rest.size()));
    };
    if (!bytes.starts_with(head_mark.substr(0, 1))) return parses(bytes);
    if (bytes.size() < head_bytes || !bytes.starts_with(head_mark)) return false;
    std::uint64_t hash = 0;
    std::memcpy(&hash, bytes.data() + head_mark.size(), sizeof hash);
    const std::string_view rest = bytes.substr(head_bytes);
    return le64toh(hash) == fnv_1a(rest) && parses(rest);
}

fs::path with(const fs::path& file, const char* suffix) { return file.string() + suffix; }

base::Status write_draft(const fs::path& draft, const std::string& bytes, Durability durability) {
    const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return base::errno_error("open " + draft.string(), errno);
    std::size_t written = 0;
    while (written < bytes.size()) {
        const auto count = ::write(descriptor, bytes.data() + written, bytes.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            const int saved = errno;
            ::close(descriptor);
            return base::errno_error("write " + draft.string(), saved);
        }
        written += static_cast<std::size_t>(count);
    }
    const bool synced = durability == Durability::of_the_boot || ::fsync(descriptor) == 0;
    const int saved = errno;
    ::close(descriptor);
    if (!synced) return base::errno_error("fsync " + draft.string(), saved);
    return {};
}

// What was there becomes FILE.old, in steps of which each leaves a whole FILE.
base::Status replace(const fs::path& file, const google::protobuf::Message& message, Durability durability) {
    const fs::path draft = with(file, ".new");
    if (auto written = write_draft(draft, in_a_file(message), durability); !written) return written;
    if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, file.c_str(), RENAME_EXCHANGE) == 0)
        ::rename(draft.c_str(), with(file, ".old").c_str());
    else if (::rename(draft.c_str(), file.c_str()) != 0)  // the first, or a file system that cannot exchange
        return base::errno_error("rename " + draft.string(), errno);
    if (durability == Durability::of_the_host) {
        const int directory =
            ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory >= 0) {
            ::fsync(directory);
            ::close(directory);
        }
    }
    return {};
}

bool read_one(const fs::path& file, google::protobuf::Message& message) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    message.Clear();
    return in && out_of_a_file(bytes, message);
}

void complain(const fs::path& file, const std::string& what) {
    log::Entry(log::Priority::error, "checkpoint " + file.string() + " cannot be read" + what)
        .id(log::message_ids::checkpoint_unreadable);
}

void set_aside(const fs::path& file) {
    std::error_code ignored;
    fs::rename(file, with(file, ".bad"), ignored);
}

// The record, or the one before it: what is missing then is an update, and the rest is found out anew.
bool read_file(const fs::path& file, google::protobuf::Message& message) {
    if (read_one(file, message)) return true;
    if (!read_one(with(file, ".old"), message)) return false;
    complain(file, ": what it said before is used; it is set aside as " + with(file, ".bad").filename().string());
    set_aside(file);
    std::error_code ignored;
    fs::rename(with(file, ".old"), file, ignored);
    return true;
}

bool read_or_set_aside(const fs::path& file, google::protobuf::Message& message) {
    if (read_file(file, message)) return true;
    complain(file, "; set aside as " + with(file, ".bad").filename().string());
    set_aside(file);
    return false;
}

std::set<fs::path> files_in(const fs::path& directory) {
    std::set<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        fs::path file = entry.path();
        if (file.extension() == ".old") file.replace_extension();
        if (file.extension() == ".pb") files.insert(std::move(file));
    }
    return files;
}

// A framework's id may be as long as a file name can be: only its hash is certain to fit.
std::string framework_file(const std::string& framework_id) { return std::to_string(fnv_1a(framework_id)) + ".pb"; }

std::string file_of(const base::ContainerId& id) { return id.value() + ".pb"; }

base::Status remove_file(const fs::path& file) {
    for (const fs::path& each : {with(file, ".old"), file})  // in this order, or the old one would be taken for it
        if (::unlink(each.c_str()) != 0 && errno != ENOENT) {
            const int saved = errno;
            if (::access(each.c_str(), F_OK) == 0)  // a disk that has become read-only says so of what is not there
                return base::errno_error("remove " + each.string(), saved);
        }
    return {};
}

}  // namespace

Checkpoint::Checkpoint(fs::path state_directory, fs::path runtime_directory)
    : agent_file_(state_directory / "agent.pb"),
      ended_(state_directory / "ended"),
      frameworks_(runtime_directory / "frameworks"),
      containers_(runtime_directory / "containers") {}

base::Status Checkpoint::prepare() {
    for (const auto& directory : {agent_file_.parent_path(), ended_, frameworks_, containers_}) {
        std::error_code error;
        fs::create_directories(directory, error);
        if (error) return base::errno_error("cannot make the directory " + directory.string(), error.value());
        if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
            return base::errno_error("cannot write in the directory " + directory.string(), errno);
    }
    return {};
}

core::Recovered Checkpoint::read() const {
    core::Recovered recovered;
    std::error_code error;
    if (fs::exists(agent_file_, error))
        if (internal::AgentRecord record; read_or_set_aside(agent_file_, record))
            recovered.agent = std::move(record);
    for (const auto& file : files_in(frameworks_))
        if (internal::FrameworkRecord record; read_or_set_aside(file, record))
            recovered.frameworks.push_back(std::move(record));
    read_containers(recovered);
    return recovered;
}

void Checkpoint::read_containers(core::Recovered& recovered) const {
    std::set<fs::path> over;  // file names; one that is still in the other directory has lost its word
    for (const auto& file : files_in(ended_)) {
        internal::ContainerRecord record;
        if (!read_or_set_aside(file, record)) continue;
        over.insert(file.filename());
        recovered.containers.push_back(std::move(record));
    }
    for (const auto& file : files_in(containers_)) {
        if (over.contains(file.filename())) continue;
        if (internal::ContainerRecord record; read_file(file, record)) {
            recovered.containers.push_back(std::move(record));
        } else {
            complain(file, "");
            recovered.unreadable.emplace_back(file.stem().string());
        }
    }
}

base::Status Checkpoint::write(const core::Persist& persist) const {
    if (const auto* one = std::get_if<core::PersistAgent>(&persist))
        return replace(agent_file_, one->record, Durability::of_the_host);
    if (const auto* one = std::get_if<core::PersistFramework>(&persist))
        return replace(frameworks_ / framework_file(one->record.framework_info().id().value()),
                       one->record, Durability::of_the_boot);
    if (const auto* one = std::get_if<core::ForgetFramework>(&persist))
        return remove_file(frameworks_ / framework_file(one->framework_id.value()));
    if (const auto* one = std::get_if<core::PersistContainer>(&persist)) return write_container(*one->record);
    if (const auto* one = std::get_if<core::SetAsideContainer>(&persist)) {
        set_aside(containers_ / file_of(one->container_id));
        return {};
    }
    const auto& forget = std::get<core::ForgetContainer>(persist);
    if (auto removed = remove_file(containers_ / file_of(forget.container_id)); !removed) return removed;
    return remove_file(ended_ / file_of(forget.container_id));
}

// It is not synced: most are acknowledged long before a disk would write them. Where the disk is full the end is as safe as
// before, over a restart of the agent.
base::Status Checkpoint::write_container(const internal::ContainerRecord& record) const {
    const auto file = file_of(base::ContainerId(record.container_id().value()));
    if (record.phase() == internal::ContainerRecord::ENDED && record.pending_updates_size() > 0) {
        if (replace(ended_ / file, record, Durability::of_the_boot)) return remove_file(containers_ / file);
        ::unlink(with(ended_ / file, ".new").c_str());
        static_cast<void>(remove_file(ended_ / file));  // else its updates are told once more
    }
    return replace(containers_ / file, record, Durability::of_the_boot);
}

}  // namespace fairlead::nodeagentd::checkpoint
