#pragma once
// GET /files/read?path=&offset=&length=: parts of what tasks have written, for `fairctl logs` and for tools that follow a
// task's output. A path is /tasks/<framework>/<task>/<file>, the task's newest sandbox, or absolute below the folder of
// all sandboxes; nothing outside of it is ever read, whatever links a task has put there.

#include "common/base/error.hpp"
#include "common/http/router.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace fairlead::nodeagentd::api {

struct FilePart {
    std::string data;
    std::int64_t offset = 0;  // of the first byte; the file's size when -1 was asked for
};

class Files {
  public:
    // The folder that has <framework>/<task>/<container> in it.
    explicit Files(std::filesystem::path sandboxes) : sandboxes_(std::move(sandboxes)) {}

    // invalid_argument for a path that leads out, not_found for one that leads nowhere. At most 64 KiB, never cut inside a
    // UTF-8 character.
    base::Result<FilePart> read(const std::string& path, std::int64_t offset, std::size_t length) const;

  private:
    base::Result<std::filesystem::path> resolve(const std::string& path) const;

    std::filesystem::path sandboxes_;
};

// `files` must outlive the router's use.
void add_file_routes(http::Router& router, const Files& files);

}  // namespace fairlead::nodeagentd::api
