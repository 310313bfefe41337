#pragma once
// A directory that is held open, so that what its name means cannot change under us.

#include "common/base/error.hpp"

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::nodeagentd::sandboxes {

class Directory {
  public:
    // An entry of an open directory, or a path with AT_FDCWD. A link at its end is an error.
    static base::Result<Directory> open(int parent, const std::string& name);
    Directory(Directory&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Directory& operator=(Directory&&) = delete;
    ~Directory();

    int descriptor() const { return descriptor_; }
    base::Result<std::vector<std::string>> entries() const;  // without . and ..
    // Whether a file system, or a part of one, begins here: a bind mount counts.
    bool is_mount() const;
    std::optional<struct stat> status() const;

  private:
    explicit Directory(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace fairlead::nodeagentd::sandboxes
