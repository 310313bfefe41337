#include "nodeagentd/api/files.hpp"

#include "common/base/id.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace fairlead::nodeagentd::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
namespace fs = std::filesystem;

constexpr std::size_t part_bytes_max = 64 * 1024;

// The newest of a task's sandboxes: a task id may come again after its end.
std::optional<fs::path> newest_folder(const fs::path& parent) {
    std::optional<fs::path> newest;
    fs::file_time_type newest_time{};
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent, error)) {
        const auto time = fs::last_write_time(entry.path(), error);
        if (error || (newest && time <= newest_time)) continue;
        newest = entry.path();
        newest_time = time;
    }
    return newest;
}

// How many bytes at the end begin a character that the part does not have whole.
std::size_t cut_character_bytes(std::string_view data) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, data.size()); ++back) {
        const auto byte = static_cast<unsigned char>(data[data.size() - back]);
        if ((byte & 0xc0) == 0x80) continue;
        const std::size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        return whole > back ? back : 0;
    }
    return 0;
}

bool is_below(const fs::path& path, const fs::path& folder) {
    const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return end == folder.end() && rest != path.end();
}

// The ids that a path of ours names, and the rest of it.
struct TaskPath {
    std::string framework, task, rest;
};

// "a/b" of "/x/a/b" after "/x/"; cuts the first component off.
std::string take_component(std::string& path) {
    const auto slash = path.find('/');
    std::string first = path.substr(0, slash);
    path = slash == std::string::npos ? "" : path.substr(slash + 1);
    return first;
}

Result<std::optional<TaskPath>> task_path(const std::string& path) {
    constexpr std::string_view tasks = "/tasks/", frameworks = "/frameworks/";
    TaskPath found;
    if (path.starts_with(tasks)) {
        found.rest = path.substr(tasks.size());
        found.framework = take_component(found.rest);
        found.task = take_component(found.rest);
    } else if (path.starts_with(frameworks)) {
        found.rest = path.substr(frameworks.size());
        found.framework = take_component(found.rest);
        const std::string executors = take_component(found.rest);
        found.task = take_component(found.rest);
        const std::string runs = take_component(found.rest), latest = take_component(found.rest);
        if (executors != "executors" || runs != "runs" || latest != "latest")
            return Error(ErrorCode::invalid_argument, "expected /frameworks/<id>/executors/<id>/runs/latest");
    } else {
        return std::optional<TaskPath>();
    }
    if (auto checked = base::check_id("framework id", found.framework); !checked) return checked.error();
    if (auto checked = base::check_id("task id", found.task); !checked) return checked.error();
    return std::optional(std::move(found));
}

std::string user_name(unsigned uid) {
    passwd entry{};
    passwd* result = nullptr;
    char buffer[8192];
    ::getpwuid_r(uid, &entry, buffer, sizeof buffer, &result);
    return result != nullptr ? entry.pw_name : std::to_string(uid);
}

std::string group_name(unsigned gid) {
    group entry{};
    group* result = nullptr;
    char buffer[8192];
    ::getgrgid_r(gid, &entry, buffer, sizeof buffer, &result);
    return result != nullptr ? entry.gr_name : std::to_string(gid);
}

v1::FileInfo describe(const std::string& path, const struct stat& about) {
    v1::FileInfo info;
    info.set_path(path);
    info.set_nlink(static_cast<std::int32_t>(about.st_nlink));
    info.set_size(static_cast<std::uint64_t>(about.st_size));
    info.mutable_mtime()->set_nanoseconds(about.st_mtim.tv_sec * 1'000'000'000LL + about.st_mtim.tv_nsec);
    info.set_mode(about.st_mode);
    info.set_uid(user_name(about.st_uid));
    info.set_gid(group_name(about.st_gid));
    return info;
}

}  // namespace

OpenFile::~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::string> OpenFile::read(std::int64_t offset, std::size_t length) const {
    std::string data(length, '\0');
    std::size_t got = 0;
    while (got < length) {
        const auto count = ::pread(descriptor_, data.data() + got, length - got, offset + static_cast<off_t>(got));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return base::errno_error("read", errno);
        if (count == 0) break;
        got += static_cast<std::size_t>(count);
    }
    data.resize(got);
    return data;
}

Result<fs::path> Files::resolve(const std::string& path) const {
    auto task = task_path(path);
    if (!task) return task.error();
    fs::path named = path;
    if (*task) {
        const auto sandbox = newest_folder(sandboxes_ / (*task)->framework / (*task)->task);
        if (!sandbox) return Error(ErrorCode::not_found, "no sandbox of task " + (*task)->task);
        named = *sandbox / (*task)->rest;
    }
    std::error_code error;
    const fs::path real = fs::weakly_canonical(named, error);
    const fs::path all = fs::weakly_canonical(sandboxes_, error);
    if (error || !is_below(real, all)) return Error(ErrorCode::invalid_argument, path + " is not in a sandbox");
    const fs::path relative = real.lexically_relative(all);
    // "f/t" has runs of one task in it, and is no sandbox.
    if (std::distance(relative.begin(), relative.end()) < 3)
        return Error(ErrorCode::invalid_argument, path + " is not in a sandbox");
    return relative.has_filename() ? relative : relative.parent_path();
}

// The name was resolved a moment ago, and a task may have put a link there since: none is followed any more.
Result<int> Files::open_beneath(const std::string& path, int flags) const {
    const auto relative = resolve(path);
    if (!relative) return relative.error();
    const int all = ::open(sandboxes_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (all < 0) return Error(ErrorCode::not_found, "no such file: " + path);
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const int found = static_cast<int>(::syscall(SYS_openat2, all, relative->c_str(), &how, sizeof how));
    const int saved = errno;
    ::close(all);
    if (found >= 0) return found;
    if (saved == EACCES || saved == EPERM) return Error(ErrorCode::permission_denied, "cannot be read: " + path);
    return Error(ErrorCode::not_found, "no such file: " + path);
}

Result<OpenFile> Files::open(const std::string& path) const {
    const auto descriptor = open_beneath(path, 0);
    if (!descriptor) return descriptor.error();
    struct stat about {};
    const bool known = ::fstat(*descriptor, &about) == 0;
    OpenFile file(*descriptor, about.st_size);
    if (!known || !S_ISREG(about.st_mode)) return Error(ErrorCode::not_found, "no such file: " + path);
    return file;
}

Result<FilePart> Files::read(const std::string& path, std::int64_t offset, std::size_t length) const {
    if (offset < -1) return Error(ErrorCode::invalid_argument, "negative offset");
    const auto file = open(path);
    if (!file) return file.error();
    if (offset == -1) return FilePart{"", file->size()};
    FilePart part{"", offset};
    if (offset >= file->size()) return part;
    const auto asked = std::min({length, part_bytes_max, static_cast<std::size_t>(file->size() - offset)});
    auto data = file->read(offset, asked);
    if (!data) return data.error();
    part.data = std::move(*data);
    const auto cut = cut_character_bytes(part.data);
    if (cut < part.data.size()) part.data.resize(part.data.size() - cut);
    return part;
}

Result<std::vector<v1::FileInfo>> Files::list(const std::string& path) const {
    const auto directory = open_beneath(path, O_DIRECTORY);
    if (!directory) return directory.error();
    std::string parent = path;
    while (parent.size() > 1 && parent.back() == '/') parent.pop_back();
    std::vector<v1::FileInfo> entries;
    std::error_code error;
    const auto opened = "/proc/self/fd/" + std::to_string(*directory);
    for (const auto& entry : fs::directory_iterator(opened, error)) {
        struct stat about {};
        const std::string name = entry.path().filename();
        if (::fstatat(*directory, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (entries.size() == entries_max) {
            ::close(*directory);
            return Error(ErrorCode::limit_exceeded,
                         path + " has more than " + std::to_string(entries_max) + " files in it");
        }
        entries.push_back(describe(parent + "/" + name, about));
    }
    ::close(*directory);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path() < b.path(); });
    return entries;
}

}  // namespace fairlead::nodeagentd::api
