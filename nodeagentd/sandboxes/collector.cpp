#include "nodeagentd/sandboxes/collector.hpp"

#include "common/log/log.hpp"
#include "nodeagentd/sandboxes/directory.hpp"
#include "nodeagentd/sandboxes/remove_tree.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <boost/asio/thread_pool.hpp>

#include <cerrno>
#include <memory>

namespace fairlead::nodeagentd::sandboxes {
namespace {

namespace fs = std::filesystem;

// An empty folder of a framework or a task that has not changed for so long: the runtime is not
// about to put a sandbox into it.
constexpr base::Duration empty_folder_age_min = std::chrono::hours(1);

base::WallTime changed_at(const struct stat& status) {
    return base::WallTime(std::chrono::seconds(status.st_mtim.tv_sec) +
                          std::chrono::nanoseconds(status.st_mtim.tv_nsec));
}

struct timespec on_the_disk(base::WallTime time) {
    const auto since_1970 = time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_1970);
    return {static_cast<time_t>(seconds.count()),
            static_cast<long>((since_1970 - seconds).count())};
}

// visit(parent, name, path) for every folder so many levels below; what is no folder is passed by.
template <typename Visit>
void walk(const Directory& directory, const std::string& path, int levels, Visit&& visit) {
    const auto names = directory.entries();
    if (!names) return;
    for (const auto& name : *names) {
        const std::string inner_path = path + "/" + name;
        auto inner = Directory::open(directory.descriptor(), name);
        if (!inner) continue;
        if (levels == 1)
            visit(directory, name, inner_path, *inner);
        else
            walk(*inner, inner_path, levels - 1, visit);
    }
}

base::Status remove_sandbox(const fs::path& path) {
    // The two folders above it are ours, but each is opened by its own name: a link in their place
    // leads nowhere.
    auto directory = Directory::open(AT_FDCWD, path.parent_path().parent_path().parent_path());
    if (!directory) return directory.error();
    auto framework = Directory::open(directory->descriptor(),
                                     path.parent_path().parent_path().filename());
    if (!framework) return framework.error();
    auto task = Directory::open(framework->descriptor(), path.parent_path().filename());
    if (!task) return task.error();
    return remove_tree(task->descriptor(), path.filename());
}

bool is_above_one_of(const std::string& folder, const Paths& in_use) {
    const auto next = in_use.lower_bound(folder + "/");
    return next != in_use.end() && next->starts_with(folder + "/");
}

}  // namespace

base::Result<Collector::Round> Collector::collect(const Paths& in_use, base::WallTime now,
                                                  std::optional<double> used) {
    Round round;
    auto directory = Directory::open(AT_FDCWD, directory_);
    if (!directory) {
        std::error_code error;
        if (!fs::exists(fs::symlink_status(directory_, error))) return round;  // no task yet
        return directory.error();
    }
    if (!used) {
        auto measured = disk_used();
        if (!measured) return measured.error();
        used = *measured;
    }
    remember(in_use, now);
    std::vector<core::Sandbox> found;
    walk(*directory, directory_, 3,
         [&](const Directory&, const std::string&, const std::string& path,
             const Directory& sandbox) {
             if (const auto status = sandbox.status())
                 found.push_back({path, changed_at(*status)});
         });
    Paths failing;
    for (auto& path : core::expired_sandboxes(rules_, now, *used, std::move(found), in_use)) {
        if (auto removed = remove_sandbox(path); removed) {
            round.removed.push_back(std::move(path));
        } else {
            if (!failing_.contains(path))
                round.failures.push_back(removed.error().in("cannot remove sandbox " + path));
            failing.insert(std::move(path));
        }
    }
    failing_ = std::move(failing);
    remove_empty_folders(in_use, now);
    return round;
}

// What was in use and is not any more is idle from now on.
void Collector::remember(const Paths& in_use, base::WallTime now) {
    for (const auto& path : was_in_use_) {
        if (in_use.contains(path)) continue;
        const auto sandbox = Directory::open(AT_FDCWD, path);
        if (!sandbox) continue;
        const struct timespec times[2] = {on_the_disk(now), on_the_disk(now)};
        ::futimens(sandbox->descriptor(), times);
    }
    was_in_use_ = in_use;
}

void Collector::remove_empty_folders(const Paths& in_use, base::WallTime now) const {
    auto directory = Directory::open(AT_FDCWD, directory_);
    if (!directory) return;
    for (const int levels : {2, 1})
        walk(*directory, directory_, levels,
             [&](const Directory& parent, const std::string& name, const std::string& path,
                 const Directory& folder) {
                 const auto status = folder.status();
                 if (!status || now - changed_at(*status) < empty_folder_age_min) return;
                 if (is_above_one_of(path, in_use)) return;
                 ::unlinkat(parent.descriptor(), name.c_str(), AT_REMOVEDIR);  // only when empty
             });
}

base::Result<double> Collector::disk_used() const {
    struct statvfs disk {};
    if (::statvfs(directory_.c_str(), &disk) != 0)
        return base::errno_error("look how full the disk of " + directory_.string() + " is", errno);
    if (disk.f_blocks == 0) return 0.0;
    return 1.0 - static_cast<double>(disk.f_bavail) / static_cast<double>(disk.f_blocks);
}

async::awaitable<void> keep_collecting(Collector collector, AskInUse ask_in_use,
                                       base::Duration interval) {
    using Collected = base::Result<Collector::Round>;
    async::asio::thread_pool worker(1);
    async::asio::steady_timer timer(co_await async::asio::this_coro::executor);
    std::string last_failure;
    core::PatientClock clock;
    for (;;) {
        auto rest = std::make_shared<async::asio::steady_timer>(
            co_await async::asio::this_coro::executor, async::asio::steady_timer::time_point::max());
        auto in_use = std::make_shared<std::optional<Paths>>();
        const bool asked = ask_in_use([rest, in_use](Paths paths) {
            async::asio::post(rest->get_executor(), [rest, in_use, paths = std::move(paths)]() mutable {
                *in_use = std::move(paths);
                rest->cancel();
            });
        });
        boost::system::error_code ignored;
        if (asked) co_await rest->async_wait(async::into(ignored));
        if (*in_use) {
            const Collected collected = co_await async::asio::co_spawn(
                worker,
                [&]() -> async::awaitable<Collected> {
                    co_return collector.collect(**in_use, clock.read(base::read_clocks()));
                },
                async::asio::use_awaitable);
            const std::string failure = collected ? "" : collected.error().message();
            if (!failure.empty() && failure != last_failure)
                log::warning("old sandboxes stay: " + failure);
            last_failure = failure;
            if (collected) {
                for (const auto& path : collected->removed) log::info("removed sandbox " + path);
                for (const auto& error : collected->failures) log::warning(error.message());
            }
        }
        timer.expires_after(interval);
        co_await timer.async_wait(async::into(ignored));
    }
}

}  // namespace fairlead::nodeagentd::sandboxes
