#include "nodeagentd/checkpoint/file.hpp"

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
#include <string>

namespace fairlead::nodeagentd::checkpoint {

namespace fs = std::filesystem;

namespace {

// A record begins with this, as protobuf writes a fixed64 of number 1000, and the hash of all that follows: a message
// that is cut short between two of its fields parses as well as a whole one. Records without it are of an earlier
// version.
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

base::Status write_draft(const fs::path& draft, std::string_view bytes, Durability durability) {
    const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return base::errno_error("open " + draft.string(), errno);
    auto written = write_all(descriptor, bytes, draft);
    if (written && durability == Durability::of_the_host && ::fsync(descriptor) != 0)
        written = base::errno_error("fsync " + draft.string(), errno);
    ::close(descriptor);
    return written;
}

void sync_directory_of(const fs::path& file) {
    const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    ::fsync(directory);
    ::close(directory);
}

bool read_one(const fs::path& file, google::protobuf::Message& message) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    message.Clear();
    return in && out_of_a_file(bytes, message);
}

}  // namespace

base::Status write_all(int descriptor, std::string_view bytes, const fs::path& file) {
    while (!bytes.empty()) {
        const auto count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return base::errno_error("write " + file.string(), errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

base::Status replace_file(const fs::path& file, std::string_view bytes, Durability durability) {
    const fs::path draft = with(file, ".new");
    if (auto written = write_draft(draft, bytes, durability); !written) return written;
    if (::rename(draft.c_str(), file.c_str()) != 0) return base::errno_error("rename " + draft.string(), errno);
    if (durability == Durability::of_the_host) sync_directory_of(file);
    return {};
}

base::Status remove_file(const fs::path& file) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return base::errno_error("remove " + file.string(), errno);
    return {};
}

// What was there becomes FILE.old, in steps of which each leaves a whole FILE.
base::Status replace_record(const fs::path& file, const google::protobuf::Message& message, Durability durability) {
    const fs::path draft = with(file, ".new");
    if (auto written = write_draft(draft, in_a_file(message), durability); !written) return written;
    if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, file.c_str(), RENAME_EXCHANGE) == 0) {
        ::rename(draft.c_str(), with(file, ".old").c_str());
    } else {  // the first, or a file system that cannot exchange: whatever else is there is older than the last one
        if (::rename(draft.c_str(), file.c_str()) != 0) return base::errno_error("rename " + draft.string(), errno);
        ::unlink(with(file, ".old").c_str());
    }
    if (durability == Durability::of_the_host) sync_directory_of(file);
    return {};
}

bool read_record(const fs::path& file, google::protobuf::Message& message) {
    if (read_one(file, message)) return true;
    const fs::path old = with(file, ".old");
    if (!read_one(old, message)) return false;
    tell_unreadable(file, ": what it said before is used; it is set aside as " + with(file, ".bad").filename().string());
    ::rename(file.c_str(), with(file, ".bad").c_str());
    ::rename(old.c_str(), file.c_str());
    return true;
}

bool read_record_or_set_aside(const fs::path& file, google::protobuf::Message& message) {
    if (read_record(file, message)) return true;
    tell_unreadable(file, "; set aside as " + with(file, ".bad").filename().string());
    set_aside(file);
    return false;
}

void set_aside(const fs::path& file) {
    ::rename(file.c_str(), with(file, ".bad").c_str());
    ::rename(with(file, ".old").c_str(), with(file, ".old.bad").c_str());
}

base::Status remove_record(const fs::path& file) {
    // In this order, or the old one would be taken for it.
    if (auto removed = remove_file(with(file, ".old")); !removed) return removed;
    return remove_file(file);
}

std::set<fs::path> records_in(const fs::path& directory) {
    std::set<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        fs::path file = entry.path();
        if (file.extension() == ".old") file.replace_extension();
        if (file.extension() == ".pb") files.insert(std::move(file));
    }
    return files;
}

void tell_unreadable(const fs::path& file, std::string_view what_becomes_of_it) {
    log::Entry(log::Priority::error, "checkpoint " + file.string() + " cannot be read" + std::string(what_becomes_of_it))
        .id(log::message_ids::checkpoint_unreadable);
}

std::uint64_t fnv_1a(std::string_view bytes) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211ULL;
    return hash;
}

}  // namespace fairlead::nodeagentd::checkpoint
