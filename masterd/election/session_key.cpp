#include "masterd/election/session_key.hpp"

#include "common/async/wake.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace fairlead::masterd::election {
namespace {

constexpr std::string_view first_line = "fairlead-zookeeper-session 1";

std::string hex(const std::array<char, 16>& bytes) {
    std::string text;
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

bool from_hex(std::string_view text, std::array<char, 16>& bytes) {
    if (text.size() != 2 * bytes.size()) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        unsigned value = 0;
        const char* begin = text.data() + 2 * i;
        const auto [end, failure] = std::from_chars(begin, begin + 2, value, 16);
        if (failure != std::errc() || end != begin + 2) return false;
        bytes[i] = static_cast<char>(value);
    }
    return true;
}

base::Status write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return base::errno_error("write", errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

base::Status keep(const std::filesystem::path& file, const KeptSession& session) {
    const std::string text = fmt::format("{}\n{}\n{:x}\n{}\n", first_line, session.servers,
                                         static_cast<std::uint64_t>(session.key.id), hex(session.key.password));
    const std::string next = file.string() + ".new";
    const int descriptor = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return base::errno_error("open " + next, errno);
    auto written = write_all(descriptor, text);
    ::close(descriptor);
    if (written && std::rename(next.c_str(), file.c_str()) != 0) written = base::errno_error("rename " + next, errno);
    if (!written) ::unlink(next.c_str());
    return written;
}

base::Result<std::optional<KeptSession>> read_kept(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) return std::optional<KeptSession>();
    std::string mark, id, password;
    KeptSession session;
    std::getline(in, mark);
    std::getline(in, session.servers);
    std::getline(in, id);
    std::getline(in, password);
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(id.data(), id.data() + id.size(), number, 16);
    const bool whole = in && mark == first_line && !session.servers.empty() && failure == std::errc() &&
                       end == id.data() + id.size() && from_hex(password, session.key.password);
    if (!whole) return base::Error(base::ErrorCode::malformed, file.string() + " holds no session of ZooKeeper");
    session.key.id = static_cast<std::int64_t>(number);
    return std::optional(session);
}

void forget(const std::filesystem::path& file) { ::unlink(file.c_str()); }

base::Status close_kept(const std::filesystem::path& file, base::Duration deadline) {
    const auto kept = read_kept(file);
    if (!kept) return kept.error();
    if (!*kept) return {};
    async::asio::io_context context;
    zookeeper::SessionOptions options;
    options.servers = (*kept)->servers;
    options.resume = (*kept)->key;
    const async::Wake told(context.get_executor());
    zookeeper::Session session(context.get_executor(), options, [told](const auto&) { told.ring(); });
    base::Status outcome;
    const auto close = [](zookeeper::Session& session, async::Wake told,
                          base::Duration deadline) -> async::awaitable<base::Status> {
        // Expired before we came is as good.
        co_await told.wait_for(deadline);
        const bool reached = session.state() != zookeeper::SessionState::connecting;
        co_await session.close();
        if (reached) co_return base::Status();
        co_return base::Error(base::ErrorCode::timed_out, "ZooKeeper does not answer");
    };
    const auto closed = [&](std::exception_ptr failure, base::Status status) {
        outcome = failure ? base::Error(base::ErrorCode::io, "cannot close the session") : status;
        context.stop();
    };
    async::asio::co_spawn(context, close(session, told, deadline), closed);
    context.run();
    if (outcome) forget(file);
    return outcome;
}

}  // namespace fairlead::masterd::election
