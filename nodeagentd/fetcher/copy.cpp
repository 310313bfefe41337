#include "nodeagentd/fetcher/copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace fairlead::nodeagentd::fetcher {
namespace {

constexpr std::size_t part_bytes = 1 << 20;

base::Status write_all(int to, const char* data, std::size_t size) {
    while (size > 0) {
        const auto written = ::write(to, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return base::errno_error("write", errno);
        data += written;
        size -= static_cast<std::size_t>(written);
    }
    return {};
}

base::Status copy_by_hand(int from, int to) {
    std::vector<char> part(part_bytes);
    for (;;) {
        const auto count = ::read(from, part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return base::errno_error("read", errno);
        if (count == 0) return {};
        if (auto written = write_all(to, part.data(), static_cast<std::size_t>(count)); !written) return written;
    }
}

base::Status copy_contents(int from, int to) {
    for (bool any = false;; any = true) {
        const auto count = ::copy_file_range(from, nullptr, to, nullptr, std::size_t{1} << 30, 0);
        if (count > 0) continue;
        // A file that says it is empty may be one of /proc, which only read() opens up. What the kernel cannot copy
        // between these two file systems it says at once.
        if (count == 0) return any ? base::Status() : copy_by_hand(from, to);
        const bool cannot = errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
        if (any || !cannot) return base::errno_error("copy", errno);
        return copy_by_hand(from, to);
    }
}

}  // namespace

base::Status copy_into(const Sandbox& sandbox, const std::string& source, const std::string& name,
                       Executable executable) {
    // Not blocked by a pipe that nobody writes to.
    const Descriptor from(::open(source.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat about {};
    if (!from.open() || ::fstat(from.number(), &about) != 0)
        return base::errno_error("cannot fetch " + source, errno);
    if (S_ISDIR(about.st_mode))
        return base::Error(base::ErrorCode::invalid_argument, "cannot fetch " + source + ": it is a directory");
    if (!S_ISREG(about.st_mode))
        return base::Error(base::ErrorCode::invalid_argument, "cannot fetch " + source + ": it is not a regular file");
    const auto to = sandbox.create(name);
    if (!to) return to.error().in("cannot fetch " + source);
    if (auto copied = copy_contents(from.number(), to->number()); !copied)
        return copied.error().in("cannot fetch " + source);
    const mode_t mode = (about.st_mode & 0777) | 0600 | (executable == Executable::yes ? 0111 : 0);
    if (::fchmod(to->number(), mode) != 0) return base::errno_error("cannot set the mode of " + name, errno);
    return {};
}

}  // namespace fairlead::nodeagentd::fetcher
