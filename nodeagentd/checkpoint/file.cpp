#include "nodeagentd/checkpoint/file.hpp"

#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace fairlead::nodeagentd::checkpoint {

namespace fs = std::filesystem;

namespace {

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

// Beside the newest one, whatever is there.
base::Status write_older(const fs::path& file, std::string_view bytes, Durability durability) {
    const fs::path draft = with(file, ".new");
    if (auto written = write_draft(draft, bytes, durability); !written) return written;
    if (::rename(draft.c_str(), with(file, ".old").c_str()) != 0)
        return base::errno_error("rename " + draft.string(), errno);
    return {};
}

std::optional<std::string> bytes_in(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in) return std::nullopt;
    return bytes;
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
base::Status replace_record(const fs::path& file, const google::protobuf::Message& message, Durability durability,
                            Older older) {
    const fs::path draft = with(file, ".new");
    const std::string bytes = in_a_file(message);
    if (auto written = write_draft(draft, bytes, durability); !written) return written;
    if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, file.c_str(), RENAME_EXCHANGE) == 0) {
        ::rename(draft.c_str(), with(file, ".old").c_str());
        if (older == Older::is_replaced)
            if (auto written = write_older(file, bytes, durability); !written) return written;
    } else {  // the first, or a file system that cannot exchange: whatever else is there is older than the last one
        if (::rename(draft.c_str(), file.c_str()) != 0) return base::errno_error("rename " + draft.string(), errno);
        ::unlink(with(file, ".old").c_str());
    }
    if (durability == Durability::of_the_host) sync_directory_of(file);
    return {};
}

bool read_record(const fs::path& file, google::protobuf::Message& message) {
    const fs::path old = with(file, ".old");
    const auto version =
        read_either([&](Version one) { return bytes_in(one == Version::newest ? file : old); }, message);
    if (version != Version::older) return version.has_value();
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

}  // namespace fairlead::nodeagentd::checkpoint
