#include "nodeagentd/sandboxes/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

namespace fairlead::nodeagentd::sandboxes {

base::Result<Directory> Directory::open(int parent, const std::string& name) {
    const int descriptor =
        ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) return base::errno_error("open directory " + name, errno);
    return Directory(descriptor);
}

Directory::~Directory() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

base::Result<std::vector<std::string>> Directory::entries() const {
    // Opened anew: a stream owns its descriptor and its position.
    const int own = ::openat(descriptor_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) return base::errno_error("list a directory", errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own), ::closedir);
    if (!stream) {
        const int saved = errno;
        ::close(own);
        return base::errno_error("list a directory", saved);
    }
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return base::errno_error("list a directory", errno);
    return names;
}

bool Directory::is_mount() const {
    struct statx about {};
    return ::statx(descriptor_, "", AT_EMPTY_PATH, 0, &about) == 0 &&
           (about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

std::optional<struct stat> Directory::status() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return std::nullopt;
    return status;
}

}  // namespace fairlead::nodeagentd::sandboxes
