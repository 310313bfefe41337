#include "nodeagentd/sandboxes/remove_tree.hpp"

#include "nodeagentd/sandboxes/directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace fairlead::nodeagentd::sandboxes {
namespace {

using base::Error;
using base::ErrorCode;

// Each level holds a descriptor and a stack frame. What lies deeper is moved up to the top, where
// the next round begins with it.
constexpr int depth_max = 64;

class Removal {
  public:
    explicit Removal(const Directory& top) : top_(top) {}

    base::Status run() {
        do {
            moved_up_ = false;
            if (auto emptied = empty(top_, 1); !emptied) return emptied;
        } while (moved_up_);
        return {};
    }

  private:
    base::Status empty(const Directory& directory, int depth) {
        auto names = directory.entries();
        if (!names) return names.error();
        for (const auto& name : *names)
            if (auto removed = remove(directory, name, depth); !removed) return removed;
        return {};
    }

    base::Status remove(const Directory& directory, const std::string& name, int depth) {
        // Whatever it is, it goes or says that it is a directory; nothing is followed.
        if (::unlinkat(directory.descriptor(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
        if (errno != EISDIR) return base::errno_error("remove " + name, errno);
        auto inner = Directory::open(directory.descriptor(), name);
        if (!inner) return inner.error();
        if (inner->is_mount())
            return Error(ErrorCode::unavailable, "something is mounted at " + name);
        if (depth == depth_max) return move_up(directory, name);
        if (auto emptied = empty(*inner, depth + 1); !emptied)
            return emptied.error().in("in " + name);
        if (::unlinkat(directory.descriptor(), name.c_str(), AT_REMOVEDIR) != 0 &&
            errno != ENOENT)
            return base::errno_error("remove " + name, errno);
        return {};
    }

    base::Status move_up(const Directory& directory, const std::string& name) {
        for (;;) {
            const std::string free_name = ".removing-" + std::to_string(++last_name_);
            if (::renameat2(directory.descriptor(), name.c_str(), top_.descriptor(),
                            free_name.c_str(), RENAME_NOREPLACE) == 0) {
                moved_up_ = true;
                return {};
            }
            if (errno != EEXIST) return base::errno_error("move up " + name, errno);
        }
    }

    const Directory& top_;
    bool moved_up_ = false;
    unsigned long last_name_ = 0;
};

}  // namespace

base::Status remove_tree(int parent, const std::string& name) {
    auto top = Directory::open(parent, name);
    if (!top) {
        struct stat unused {};
        if (::fstatat(parent, name.c_str(), &unused, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
            return {};
        return top.error();
    }
    if (top->is_mount()) return Error(ErrorCode::unavailable, "something is mounted at " + name);
    if (auto emptied = Removal(*top).run(); !emptied) return emptied.error().in("in " + name);
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return base::errno_error("remove " + name, errno);
    return {};
}

}  // namespace fairlead::nodeagentd::sandboxes
