#include "nodeagentd/fetcher/sandbox.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace fairlead::nodeagentd::fetcher {
namespace {

Descriptor open_below(const Descriptor& directory, const std::string& name, int flags, unsigned mode = 0) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return Descriptor(
        static_cast<int>(::syscall(SYS_openat2, directory.number(), name.c_str(), &how, sizeof how)));
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

base::Result<Sandbox> Sandbox::make(const std::string& path, unsigned uid, unsigned gid) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return base::errno_error("cannot make the sandbox " + path, error.value());
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory.open()) return base::errno_error("cannot open the sandbox " + path, errno);
    if (::fchmod(directory.number(), 0750) != 0 || ::fchown(directory.number(), uid, gid) != 0)
        return base::errno_error("cannot give the sandbox " + path + " to its user", errno);
    return Sandbox(std::move(directory));
}

base::Result<Descriptor> Sandbox::directory_of(const std::string& name) const {
    Descriptor at = open_below(directory_, ".", O_RDONLY | O_DIRECTORY);
    if (!at.open()) return base::errno_error("cannot open the sandbox", errno);
    for (std::size_t start = 0, slash = name.find('/'); slash != std::string::npos;
         start = slash + 1, slash = name.find('/', start)) {
        const std::string component = name.substr(start, slash - start);
        if (component.empty() || component == ".") continue;
        if (::mkdirat(at.number(), component.c_str(), 0755) != 0 && errno != EEXIST)
            return base::errno_error("cannot make the directory " + name.substr(0, slash), errno);
        Descriptor next = open_below(at, component, O_RDONLY | O_DIRECTORY);
        if (!next.open()) return base::errno_error("cannot open the directory " + name.substr(0, slash), errno);
        at = std::move(next);
    }
    return at;
}

base::Result<Descriptor> Sandbox::create(const std::string& name) const {
    auto directory = directory_of(name);
    if (!directory) return directory.error();
    const std::string last = file_name(name);
    // Never written through: what has the name may be a link, or a file that is hard linked elsewhere.
    if (::unlinkat(directory->number(), last.c_str(), 0) != 0 && errno != ENOENT)
        return base::errno_error("cannot replace " + name, errno);
    Descriptor file = open_below(*directory, last, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file.open()) return base::errno_error("cannot create " + name, errno);
    return file;
}

base::Result<Descriptor> Sandbox::open_for_reading(const std::string& name) const {
    Descriptor file = open_below(directory_, name, O_RDONLY);
    if (!file.open()) return base::errno_error("cannot open " + name, errno);
    return file;
}

}  // namespace fairlead::nodeagentd::fetcher
