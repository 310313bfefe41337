#include "bench/swarm/crowd.hpp"

#include "common/http/url.hpp"

#include <fmt/format.h>

#include <future>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace fairlead::bench {
namespace {

constexpr base::Duration upgrade_deadline = std::chrono::seconds(5);  // as the real agent's
constexpr base::Duration held_long = std::chrono::seconds(10);
constexpr std::uint32_t redirects_max = 3;
// Ports run out at 28,000 for each source address and destination.
constexpr std::uint32_t agents_per_address = 10'000;
constexpr std::size_t head_bytes_max = 16 * 1024;

::sockaddr_in address_of(const http::tcp::endpoint& endpoint) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port());
    address.sin_addr.s_addr = htonl(endpoint.address().to_v4().to_uint());
    return address;
}

// Out of the loopback network, which is all ours.
::sockaddr_in source_of(std::uint32_t agent) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000101 + agent / agents_per_address);
    return address;
}

}  // namespace

Crowd::Crowd(CrowdOptions options) : options_(std::move(options)), board_(options_.seed) {
    board_.slots = options_.slots;
    thread_ = std::thread([this] { run(); });
}

Crowd::~Crowd() {
    stop_ = true;
    thread_.join();
}

void Crowd::post(std::function<void()> what) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(what));
}

void Crowd::inside(const std::function<void()>& what) {
    const auto done = std::make_shared<std::promise<void>>();
    post([&what, done] {
        what();
        done->set_value();
    });
    done->get_future().wait();
}

void Crowd::leader_is(http::tcp::endpoint leader) {
    post([this, leader] {
        leader_ = leader;
        for (std::uint32_t i = 0; i < members_.size(); ++i) {
            Member& member = *members_[i];
            if (member.stage != Stage::waiting && member.master == leader) continue;
            shut(member);
            member.backoff = member.agent.backoff();
            const auto within = static_cast<std::uint64_t>(member.agent.return_within().count());
            wait(i, base::Duration(board_.prng.below(within + 1)));
        }
    });
}

void Crowd::await_launch_by_next_leader() {
    epoch_before_ = epoch_seen_;
    first_launch_ = base::Instant::max();
}

std::string Crowd::last_trouble() const {
    std::lock_guard lock(mutex_);
    return trouble_;
}

std::pair<std::size_t, base::Instant> Crowd::back_since(base::Instant since) const {
    std::size_t count = 0;
    base::Instant last{};
    for (const auto& member : members_) {
        if (!member->agent.registered() || member->agent.registered_at() < since) continue;
        ++count;
        last = std::max(last, member->agent.registered_at());
    }
    return {count, last};
}

void Crowd::run() {
    ::unshare(CLONE_FILES);
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    const auto start = base::read_clocks().instant;
    const double seconds = options_.agents / options_.connects_per_second;
    for (std::uint32_t i = 0; i < options_.agents; ++i) {
        members_.push_back(std::make_unique<Member>(options_.first + i, board_));
        members_.back()->act_at = start + std::chrono::duration_cast<base::Duration>(
                                              std::chrono::duration<double>(seconds * board_.prng.unit()));
        arm(i);
    }
    std::vector<::epoll_event> events(512);
    while (!stop_) {
        now_ = base::read_clocks();
        base::Duration pause = std::chrono::milliseconds(10);
        if (!alarms_.empty()) pause = std::min(pause, alarms_.top().at - now_.instant);
        const int ms = static_cast<int>(std::max<std::int64_t>(0, (pause.count() + 999'999) / 1'000'000));
        const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), ms);
        now_ = base::read_clocks();
        for (int i = 0; i < count; ++i) ready(events[static_cast<std::size_t>(i)].data.u32, events[static_cast<std::size_t>(i)].events);
        now_ = base::read_clocks();
        while (!alarms_.empty() && alarms_.top().at <= now_.instant) {
            const auto alarm = alarms_.top();
            alarms_.pop();
            Member& member = *members_[alarm.member];
            if (member.armed_at != alarm.at) continue;  // an earlier one has been set since
            member.armed_at = base::Instant::max();
            due(alarm.member);
            arm(alarm.member);
        }
        take_jobs();
        publish();
    }
    for (auto& member : members_) shut(*member);
    ::close(poll_);
}

void Crowd::take_jobs() {
    std::vector<std::function<void()>> jobs;
    {
        std::lock_guard lock(mutex_);
        jobs.swap(jobs_);
    }
    for (auto& job : jobs) job();
}

void Crowd::publish() {
    counts_.registered = registered_;
    counts_.registrations = registrations_;
    counts_.broken = broken_;
    counts_.launched = board_.launched;
    counts_.ended = board_.ended;
    counts_.held = board_.held;
    counts_.messages_in = board_.messages_in;
    counts_.messages_out = board_.messages_out;
    counts_.resent = board_.resent;
    counts_.stale_epochs = board_.stale_epochs;
    counts_.refused = board_.refused;
    if (board_.refusal.empty()) return;
    note("refused: " + board_.refusal);
    board_.refusal.clear();
}

void Crowd::note(const std::string& trouble) {
    std::lock_guard lock(mutex_);
    trouble_ = trouble;
}

void Crowd::arm(std::uint32_t index) {
    Member& member = *members_[index];
    auto at = member.agent.due_at();
    if (member.stage != Stage::linked) at = std::min(at, member.act_at);
    if (at >= member.armed_at) return;
    member.armed_at = at;
    alarms_.push({at, index});
}

void Crowd::ready(std::uint32_t index, std::uint32_t events) {
    Member& member = *members_[index];
    if (member.socket < 0) return;
    if (member.stage == Stage::connecting) {
        int error = 0;
        ::socklen_t size = sizeof error;
        ::getsockopt(member.socket, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0)
            come_again(index, fmt::format("cannot connect: {}", std::strerror(error)));
        else
            connected(member);
    } else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        read(index);
    }
    flush(index);
    arm(index);
}

void Crowd::due(std::uint32_t index) {
    Member& member = *members_[index];
    if (member.stage == Stage::waiting && now_.instant >= member.act_at) {
        member.redirects = 0;
        connect(index, leader_ ? *leader_ : options_.masters[member.attempts++ % options_.masters.size()]);
    } else if (member.stage != Stage::linked && now_.instant >= member.act_at) {
        come_again(index, "no answer to the upgrade in time");
    }
    const bool linked = member.stage == Stage::linked;
    if (!member.agent.due(now_, linked ? &member : nullptr) && linked) come_again(index, "the master has fallen silent");
    flush(index);
}

void Crowd::connect(std::uint32_t index, http::tcp::endpoint master) {
    Member& member = *members_[index];
    member.master = master;
    member.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (member.socket < 0) return come_again(index, fmt::format("no socket: {}", std::strerror(errno)));
    const int yes = 1;
    ::setsockopt(member.socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    ::setsockopt(member.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const auto source = source_of(member.agent.number());
    auto target = address_of(master);
    target.sin_port = htons(static_cast<std::uint16_t>(master.port() + options_.port_offset));
    ::bind(member.socket, reinterpret_cast<const ::sockaddr*>(&source), sizeof source);
    const int done = ::connect(member.socket, reinterpret_cast<const ::sockaddr*>(&target), sizeof target);
    if (done != 0 && errno != EINPROGRESS) return come_again(index, fmt::format("cannot connect: {}", std::strerror(errno)));
    member.stage = Stage::connecting;
    member.waits_to_write = true;
    member.act_at = now_.instant + upgrade_deadline;
    ::epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.u32 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, member.socket, &event);
}

void Crowd::connected(Member& member) {
    member.stage = Stage::upgrading;
    member.out = fmt::format("GET /fairlead/agent-link HTTP/1.1\r\nHost: {}:{}\r\nConnection: Upgrade\r\n"
                             "Upgrade: fairlead-agent-link/1\r\n\r\n",
                             member.master.address().to_string(), member.master.port());
}

void Crowd::read(std::uint32_t index) {
    static thread_local std::vector<char> scratch(256 * 1024);
    Member& member = *members_[index];
    const auto size = ::recv(member.socket, scratch.data(), scratch.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) return come_again(index, fmt::format("the link broke: {}", std::strerror(errno)));
    if (size == 0) return come_again(index, "the master closed the link");
    const std::string_view bytes(scratch.data(), static_cast<std::size_t>(size));
    if (member.stage == Stage::upgrading) {
        if (!take_head(index, bytes)) return;
    } else if (!take_frames(member, bytes)) {
        come_again(index, "the agent has dropped the link");
    }
}

// False: there is nothing more to read from this socket.
bool Crowd::take_head(std::uint32_t index, std::string_view bytes) {
    Member& member = *members_[index];
    member.head.append(bytes);
    const auto end = member.head.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (member.head.size() > head_bytes_max) come_again(index, "the answer to the upgrade has no end");
        return member.socket >= 0;
    }
    const std::string head = member.head.substr(0, end + 2);
    const std::string rest = member.head.substr(end + 4);
    member.head = {};
    const std::string status = head.size() > 12 ? head.substr(9, 3) : "";
    if (status == "101") {
        member.stage = Stage::linked;
        member.linked_since = now_.instant;
        member.agent.link_opened(now_, member);
        if (take_frames(member, rest)) return true;
        come_again(index, "the agent has dropped the link");
        return false;
    }
    const auto location = head.find("\r\nLocation: ");
    // Who is told by ZooKeeper may know it earlier than the master that is asked.
    if (status == "307" && !leader_ && location != std::string::npos && ++member.redirects <= redirects_max) {
        const auto from = location + 12;
        const auto base = http::parse_url(fmt::format("{}:{}", member.master.address().to_string(), member.master.port()));
        const auto url = http::resolve_location(*base, head.substr(from, head.find("\r\n", from) - from));
        const auto next = url ? http::parse_endpoint(url->host, url->port) : url.error();
        if (next) {
            shut(member);
            connect(index, *next);
            return false;
        }
    }
    come_again(index, "the master answered the upgrade with " + head.substr(0, head.find("\r\n")));
    return false;
}

bool Crowd::take_frames(Member& member, std::string_view bytes) {
    bool good = true;
    const auto fed = member.decoder.feed(bytes, [&](std::string_view frame) {
        static thread_local internal::FromMaster message;
        const bool was = member.agent.registered();
        const auto launched = board_.launched;
        good = good && message.ParseFromArray(frame.data(), static_cast<int>(frame.size())) &&
               member.agent.received(now_, message, member);
        if (!was && member.agent.registered()) {
            ++registered_;
            ++registrations_;
        }
        epoch_seen_ = std::max(epoch_seen_, member.agent.epoch());
        if (board_.launched > launched && member.agent.epoch() > epoch_before_) first_launch_ = std::min(first_launch_, now_.instant);
    });
    return fed && good;
}

void Crowd::flush(std::uint32_t index) {
    Member& member = *members_[index];
    if (member.socket < 0 || member.stage == Stage::connecting) return;
    if (!member.out.empty()) {
        const auto size = ::send(member.socket, member.out.data(), member.out.size(), MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            return come_again(index, fmt::format("the link broke: {}", std::strerror(errno)));
        if (size > 0) member.out.erase(0, static_cast<std::size_t>(size));
        if (member.out.empty() && member.out.capacity() > 1024) member.out = {};
    }
    if (member.out.empty() == !member.waits_to_write) return;
    member.waits_to_write = !member.out.empty();
    ::epoll_event event{};
    event.events = member.waits_to_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u32 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_MOD, member.socket, &event);
}

void Crowd::come_again(std::uint32_t index, const std::string& why) {
    Member& member = *members_[index];
    note(why);
    const bool held = member.stage == Stage::linked && now_.instant - member.linked_since > held_long;
    if (held) member.backoff = member.agent.backoff();
    shut(member);
    wait(index, member.backoff.next(board_.prng));
}

void Crowd::wait(std::uint32_t index, base::Duration time) {
    Member& member = *members_[index];
    member.stage = Stage::waiting;
    member.act_at = now_.instant + time;
    arm(index);
}

void Crowd::shut(Member& member) {
    if (member.agent.registered()) {
        --registered_;
        ++broken_;
    }
    member.agent.link_closed();
    if (member.socket >= 0) ::close(member.socket);
    member.socket = -1;
    member.stage = Stage::waiting;
    member.head = {};
    member.out = {};
    member.decoder = wire::FrameDecoder();
    member.waits_to_write = false;
}

}  // namespace fairlead::bench
