#pragma once
// What tasks have written, for `fairctl logs`, for Mesos' sandbox pages and for tools that follow a task's output: GET
// /files/read?path=&offset=&length=, /files/browse?path=, /files/download?path=. A path is
// /tasks/<framework>/<task>/... or /frameworks/<framework>/executors/<task>/runs/latest/..., both the task's newest
// sandbox, or absolute below the folder of all sandboxes; nothing outside of it is ever opened, whatever links a task
// has put there.

#include "common/base/error.hpp"
#include "common/http/router.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "nodeagentd/api/disk_work.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::api {

struct FilePart {
    std::string data;
    std::int64_t offset = 0;  // of the first byte; the file's size when -1 was asked for
};

// A regular file that is open for reading.
class OpenFile {
  public:
    OpenFile(int descriptor, std::int64_t size) : descriptor_(descriptor), size_(size) {}
    OpenFile(OpenFile&& other) noexcept : descriptor_(other.descriptor_), size_(other.size_) { other.descriptor_ = -1; }
    OpenFile& operator=(OpenFile&&) = delete;
    ~OpenFile();

    std::int64_t size() const { return size_; }  // when it was opened
    // Fewer bytes than asked for only at the end of the file.
    base::Result<std::string> read(std::int64_t offset, std::size_t length) const;

  private:
    int descriptor_;
    std::int64_t size_;
};

class Files {
  public:
    static constexpr std::size_t entries_max = 10'000;  // of one folder

    // The folder that has <framework>/<task>/<container> in it.
    explicit Files(std::filesystem::path sandboxes) : sandboxes_(std::move(sandboxes)) {}

    // invalid_argument for a path that leads out, not_found for one that leads nowhere.
    base::Result<OpenFile> open(const std::string& path) const;
    // At most 64 KiB, never cut inside a UTF-8 character.
    base::Result<FilePart> read(const std::string& path, std::int64_t offset, std::size_t length) const;
    // What is in a folder, by name; limit_exceeded for one with too much in it. Paths come back as they can be asked
    // for.
    base::Result<std::vector<v1::FileInfo>> list(const std::string& path) const;

  private:
    base::Result<std::filesystem::path> resolve(const std::string& path) const;
    base::Result<int> open_beneath(const std::string& path, int flags) const;

    std::filesystem::path sandboxes_;
};

// `files` must outlive the router's use.
void add_file_routes(http::Router& router, const Files& files, const DiskWork& disk);

}  // namespace fairlead::nodeagentd::api
