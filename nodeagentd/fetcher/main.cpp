// fairlead-fetcher: puts files of this host into one task's sandbox, as the task's user. Started by the agent with a
// FetchOrder on its standard input; ends with 0, or with 1 and one sentence on its standard output. It is a program of
// its own so that the kernel decides what a task's user may read, so that a damaged archive meets no root, and so that
// it can be ended at any time.

#include "fairlead/internal/fetch.pb.h"
#include "nodeagentd/fetcher/archive.hpp"
#include "nodeagentd/fetcher/copy.hpp"
#include "nodeagentd/fetcher/user.hpp"

#include <google/protobuf/stubs/logging.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fairlead::nodeagentd::fetcher {
namespace {

base::Status carry_out(const internal::FetchOrder& order) {
    const auto user = find_user(order.user());
    if (!user) return user.error();
    const auto sandbox = Sandbox::make(order.sandbox(), user->uid, user->gid);
    if (!sandbox) return sandbox.error();
    if (auto became = become(*user); !became) return became;
    for (const auto& file : order.files()) {
        const auto executable = file.executable() ? Executable::yes : Executable::as_the_source;
        if (auto copied = copy_into(*sandbox, file.source(), file.name(), executable); !copied) return copied;
        if (file.executable() || !file.extract() || !is_archive(file.name())) continue;
        if (auto extracted = extract(*sandbox, file.name()); !extracted)
            return extracted.error().in("cannot fetch " + file.source());
    }
    return {};
}

}  // namespace
}  // namespace fairlead::nodeagentd::fetcher

int main() {
    using namespace fairlead;
    google::protobuf::SetLogHandler(nullptr);
    ::umask(0022);
    internal::FetchOrder order;
    if (!order.ParseFromFileDescriptor(STDIN_FILENO)) return 2;
    const auto done = nodeagentd::fetcher::carry_out(order);
    if (done) return 0;
    const std::string why = done.error().message().substr(0, 4000);
    [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, why.data(), why.size());
    return 1;
}
