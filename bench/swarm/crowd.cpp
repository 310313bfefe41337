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
#include <utility>

namespace fairlead::bench {
namespace {

constexpr base::Duration upgrade_deadline = std::chrono::seconds(5);  // as the real agent's
constexpr base::Duration held_long = std::chrono::seconds(10);
constexpr std::uint32_t redirects_max = 3;
// Ports run out at 28,000 for each source address and destination.
constexpr std::uint32_t agents_per_address = 10'000;
constexpr std::size_t head_bytes_max = 16 * 1024;
// The master named next has time for all that go to wait there, and still hears of them soon.
constexpr int waiting_spread = 10;  // times as long as the agents' return
constexpr base::Duration waiting_spread_max = std::chrono::seconds(60);

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
        for (const auto& each : members_) {
            Member& member = *each;
            // A link that is still on its way there has no lead over a new one.
            if (member.waiting().master == leader && member.waiting().stage != Stage::open) shut_waiting(member);
            if (member.serving().stage != Stage::idle && member.serving().master == leader) continue;
            shut(member);
            member.backoff = member.agent.backoff();
            const auto within = static_cast<std::uint64_t>(member.agent.return_within().count());
            wait(member, base::Duration(board_.prng.below(within + 1)));
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

Back Crowd::back_since(base::Instant since) const {
    Back back;
    for (const auto& member : members_) {
        if (!member->agent.registered() || member->agent.registered_at() < since) continue;
        ++back.agents;
        if (member->on_waiting_link) ++back.on_waiting_links;
        back.last = std::max(back.last, member->agent.registered_at());
    }
    return back;
}

void Crowd::run() {
    ::unshare(CLONE_FILES);
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    const auto start = base::read_clocks().instant;
    const double seconds = options_.agents / options_.connects_per_second;
    for (std::uint32_t i = 0; i < options_.agents; ++i) {
        members_.push_back(std::make_unique<Member>(options_.first + i, board_));
        members_.back()->serving().act_at = start + std::chrono::duration_cast<base::Duration>(
                                                        std::chrono::duration<double>(seconds * board_.prng.unit()));
        arm(*members_.back());
    }
    std::vector<::epoll_event> events(512);
    while (!stop_) {
        now_ = base::read_clocks();
        base::Duration pause = std::chrono::milliseconds(10);
        if (!alarms_.empty()) pause = std::min(pause, alarms_.top().at - now_.instant);
        const int ms = static_cast<int>(std::max<std::int64_t>(0, (pause.count() + 999'999) / 1'000'000));
        const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), ms);
        now_ = base::read_clocks();
        for (std::size_t i = 0; static_cast<int>(i) < count; ++i) ready(events[i].data.u32, events[i].events);
        now_ = base::read_clocks();
        while (!alarms_.empty() && alarms_.top().at <= now_.instant) {
            const auto alarm = alarms_.top();
            alarms_.pop();
            Member& member = *members_[alarm.member];
            if (member.armed_at != alarm.at) continue;  // an earlier one has been set since
            member.armed_at = base::Instant::max();
            due(member);
            arm(member);
        }
        take_jobs();
        publish();
    }
    for (auto& member : members_) {
        shut(*member);
        shut_waiting(*member);
    }
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
    counts_.waiting_links = waiting_;
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

void Crowd::arm(Member& member) {
    const auto at = std::min({member.agent.due_at(), member.lines[0].act_at, member.lines[1].act_at});
    if (at >= member.armed_at) return;
    member.armed_at = at;
    alarms_.push({at, member.agent.number() - options_.first});
}

// By which epoll tells of a socket.
std::uint32_t Crowd::id_of(const Member& member, const Line& line) const {
    return (member.agent.number() - options_.first) * 2 + (&line == &member.lines[1] ? 1 : 0);
}

void Crowd::ready(std::uint32_t id, std::uint32_t events) {
    Member& member = *members_[id / 2];
    Line& line = member.lines[id % 2];
    if (line.socket < 0) return;
    if (line.stage == Stage::connecting) {
        int error = 0;
        ::socklen_t size = sizeof error;
        ::getsockopt(line.socket, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0)
            ended(member, line, fmt::format("cannot connect: {}", std::strerror(error)));
        else
            ask_for_upgrade(member, line);
    } else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        read(member, line);
    }
    flush(member, line);
    arm(member);
}

void Crowd::due(Member& member) {
    for (Line& line : member.lines) {
        if (now_.instant < line.act_at) continue;
        if (line.stage != Stage::idle)
            ended(member, line, "no answer to the upgrade in time");
        else if (&line == &member.serving())
            attempt(member);
        else
            connect(member, line, line.master);
    }
    const bool linked = member.serving().stage == Stage::open;
    if (!member.agent.due(now_, linked ? &member : nullptr) && linked)
        come_again(member, "the master has fallen silent");
    flush(member, member.serving());
}

void Crowd::attempt(Member& member) {
    if (leader_ && member.waiting().stage == Stage::open && member.waiting().master == *leader_)
        return register_on_waiting(member);
    member.redirects = 0;
    connect(member, member.serving(),
            leader_ ? *leader_ : options_.masters[member.attempts++ % options_.masters.size()]);
}

void Crowd::connect(Member& member, Line& line, http::tcp::endpoint master) {
    line.master = master;
    line.act_at = base::Instant::max();
    line.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (line.socket < 0) return ended(member, line, fmt::format("no socket: {}", std::strerror(errno)));
    const int yes = 1;
    ::setsockopt(line.socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    ::setsockopt(line.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const auto source = source_of(member.agent.number());
    auto target = address_of(master);
    target.sin_port = htons(static_cast<std::uint16_t>(master.port() + options_.port_offset));
    ::bind(line.socket, reinterpret_cast<const ::sockaddr*>(&source), sizeof source);
    const int done = ::connect(line.socket, reinterpret_cast<const ::sockaddr*>(&target), sizeof target);
    if (done != 0 && errno != EINPROGRESS)
        return ended(member, line, fmt::format("cannot connect: {}", std::strerror(errno)));
    line.stage = Stage::connecting;
    line.waits_to_write = true;
    line.act_at = now_.instant + upgrade_deadline;
    ::epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.u32 = id_of(member, line);
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, line.socket, &event);
}

void Crowd::ask_for_upgrade(Member& member, Line& line) {
    line.stage = Stage::upgrading;
    line.out = fmt::format("GET /fairlead/agent-link{} HTTP/1.1\r\nHost: {}:{}\r\nConnection: Upgrade\r\n"
                           "Upgrade: fairlead-agent-link/1\r\n\r\n",
                           &line == &member.waiting() ? "/waiting" : "", line.master.address().to_string(),
                           line.master.port());
}

void Crowd::read(Member& member, Line& line) {
    static thread_local std::vector<char> scratch(256 * 1024);
    const auto size = ::recv(line.socket, scratch.data(), scratch.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) return ended(member, line, fmt::format("the link broke: {}", std::strerror(errno)));
    if (size == 0) return ended(member, line, "the master closed the link");
    const std::string_view bytes(scratch.data(), static_cast<std::size_t>(size));
    if (line.stage == Stage::upgrading)
        take_head(member, line, bytes);
    else if (&line == &member.waiting())
        ended(member, line, "the master has spoken on a link that waits");
    else if (!take_frames(member, bytes))
        come_again(member, "the agent has dropped the link");
}

void Crowd::take_head(Member& member, Line& line, std::string_view bytes) {
    line.head.append(bytes);
    const auto end = line.head.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (line.head.size() > head_bytes_max) ended(member, line, "the answer to the upgrade has no end");
        return;
    }
    const std::string answer = std::exchange(line.head, {});
    take_answer(member, line, answer.substr(0, end + 2), std::string_view(answer).substr(end + 4));
}

void Crowd::take_answer(Member& member, Line& line, const std::string& head, std::string_view rest) {
    const bool serves = &line == &member.serving();
    const std::string status = head.size() > 12 ? head.substr(9, 3) : "";
    if (status == "101") {
        line.stage = Stage::open;
        line.act_at = base::Instant::max();
        line.open_since = now_.instant;
        if (!serves) {
            ++waiting_;
            if (!rest.empty()) ended(member, line, "the master has spoken on a link that waits");
            return;
        }
        member.on_waiting_link = false;
        member.agent.link_opened(now_, member);
        if (!take_frames(member, rest)) come_again(member, "the agent has dropped the link");
        return;
    }
    const auto location = head.find("\r\nLocation: ");
    // Who is told by ZooKeeper may know it earlier than the master that is asked.
    if (serves && status == "307" && !leader_ && location != std::string::npos && ++member.redirects <= redirects_max) {
        const auto from = location + 12;
        const auto base = http::parse_url(fmt::format("{}:{}", line.master.address().to_string(), line.master.port()));
        const auto url = http::resolve_location(*base, head.substr(from, head.find("\r\n", from) - from));
        const auto next = url ? http::parse_endpoint(url->host, url->port) : url.error();
        if (next) {
            shut(member);
            return connect(member, line, *next);
        }
    }
    ended(member, line, "the master answered the upgrade with " + head.substr(0, head.find("\r\n")));
}

void Crowd::register_on_waiting(Member& member) {
    member.serving().act_at = base::Instant::max();
    member.serves = static_cast<std::uint8_t>(1 - member.serves);
    --waiting_;
    member.on_waiting_link = true;
    member.waiting_backoff.reset();
    member.no_waiting_before = {};
    member.serving().open_since = now_.instant;
    member.agent.link_opened(now_, member);
}

bool Crowd::take_frames(Member& member, std::string_view bytes) {
    bool good = true;
    const auto fed = member.decoder.feed(bytes, [&](std::string_view frame) {
        static thread_local internal::FromMaster message;
        const bool was = member.agent.registered();
        const auto launched = board_.launched;
        good = good && message.ParseFromArray(frame.data(), static_cast<int>(frame.size())) &&
               member.agent.received(now_, message, member);
        if (good && message.has_ping() && member.agent.registered()) next_is(member, message.ping());
        if (!was && member.agent.registered()) {
            ++registered_;
            ++registrations_;
        }
        epoch_seen_ = std::max(epoch_seen_, member.agent.epoch());
        if (board_.launched > launched && member.agent.epoch() > epoch_before_) first_launch_ = std::min(first_launch_, now_.instant);
    });
    return fed && good;
}

// One attempt for each time that somebody is named.
void Crowd::next_is(Member& member, const internal::Ping& ping) {
    if (!options_.waiting_links) return;
    Line& line = member.waiting();
    const auto next = endpoint_of(ping.next_master());
    if (!next || *next == member.serving().master) {
        if (line.stage == Stage::idle) line.act_at = base::Instant::max();
        return;
    }
    if (*next != line.master) {
        shut_waiting(member);
        line.master = *next;
        member.waiting_backoff.reset();
        member.no_waiting_before = {};
    }
    if (line.stage != Stage::idle || line.act_at != base::Instant::max()) return;
    if (now_.instant < member.no_waiting_before) return;
    const auto within = std::min<base::Duration>(waiting_spread * member.agent.return_within(), waiting_spread_max);
    line.act_at = now_.instant + base::Duration(board_.prng.below(static_cast<std::uint64_t>(within.count()) + 1));
}

// Thousands of pings in a row name the same one.
std::optional<http::tcp::endpoint> Crowd::endpoint_of(const std::string& address) {
    if (address == next_address_) return next_;
    next_address_ = address;
    next_.reset();
    if (address.empty()) return next_;
    const auto url = http::parse_url(address);
    const auto endpoint = url ? http::parse_endpoint(url->host, url->port) : url.error();
    if (endpoint)
        next_ = *endpoint;
    else
        note("the next master: " + endpoint.error().message());
    return next_;
}

void Crowd::flush(Member& member, Line& line) {
    if (line.socket < 0 || line.stage == Stage::connecting) return;
    if (!line.out.empty()) {
        const auto size = ::send(line.socket, line.out.data(), line.out.size(), MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            return ended(member, line, fmt::format("the link broke: {}", std::strerror(errno)));
        if (size > 0) line.out.erase(0, static_cast<std::size_t>(size));
        if (line.out.empty() && line.out.capacity() > 1024) line.out = {};
    }
    if (line.out.empty() == !line.waits_to_write) return;
    line.waits_to_write = !line.out.empty();
    ::epoll_event event{};
    event.events = line.waits_to_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u32 = id_of(member, line);
    ::epoll_ctl(poll_, EPOLL_CTL_MOD, line.socket, &event);
}

void Crowd::ended(Member& member, Line& line, const std::string& why) {
    if (&line == &member.serving()) return come_again(member, why);
    note("a link that waits: " + why);
    if (line.stage == Stage::open && now_.instant - line.open_since > held_long) member.waiting_backoff.reset();
    shut_waiting(member);
    member.no_waiting_before = now_.instant + member.waiting_backoff.next(board_.prng);
}

void Crowd::come_again(Member& member, const std::string& why) {
    note(why);
    const Line& line = member.serving();
    const bool held = line.stage == Stage::open && now_.instant - line.open_since > held_long;
    if (held) member.backoff = member.agent.backoff();
    shut(member);
    wait(member, member.backoff.next(board_.prng));
}

void Crowd::wait(Member& member, base::Duration time) {
    member.serving().act_at = now_.instant + time;
    arm(member);
}

void Crowd::shut(Member& member) {
    if (member.agent.registered()) {
        --registered_;
        ++broken_;
    }
    member.agent.link_closed();
    member.decoder = wire::FrameDecoder();
    close(member.serving());
}

// Whom it was to wait for stays known, and is not attempted again before a ping says so.
void Crowd::shut_waiting(Member& member) {
    if (member.waiting().stage == Stage::open) --waiting_;
    close(member.waiting());
}

void Crowd::close(Line& line) {
    if (line.socket >= 0) ::close(line.socket);
    line.socket = -1;
    line.stage = Stage::idle;
    line.act_at = base::Instant::max();
    line.head = {};
    line.out = {};
    line.waits_to_write = false;
}

}  // namespace fairlead::bench
