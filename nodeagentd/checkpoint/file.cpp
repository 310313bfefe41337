#include "nodeagentd/checkpoint/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace fairlead::nodeagentd::checkpoint {

namespace fs = std::filesystem;

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
    const std::string draft = file.string() + ".new";
    const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return base::errno_error("open " + draft, errno);
    auto written = write_all(descriptor, bytes, draft);
    if (written && durability == Durability::of_the_host && ::fsync(descriptor) != 0)
        written = base::errno_error("fsync " + draft, errno);
    ::close(descriptor);
    if (!written) return written;
    if (::rename(draft.c_str(), file.c_str()) != 0) return base::errno_error("rename " + draft, errno);
    if (durability == Durability::of_the_boot) return {};
    const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        ::fsync(directory);
        ::close(directory);
    }
    return {};
}

base::Status remove_file(const fs::path& file) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return base::errno_error("remove " + file.string(), errno);
    return {};
}

}  // namespace fairlead::nodeagentd::checkpoint
