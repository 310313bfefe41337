#pragma once
// Many agents on one thread: their sockets in one epoll, their deadlines in one heap. Each has a connection of its own
// to a master, opened by the HTTP Upgrade of the real link, with the real link's frames on it; when it breaks the agent
// comes back after a wait of the real agent's lengths, to the master that is said to lead, else to the next one of the
// list. As the real agent does it keeps a second connection with the master that is said to lead next, on which nothing
// is said before that one leads; then it is the agent's link, without another Upgrade.
//
// Each thread has a table of descriptors of its own: a process has no more than its limit, which a machine may hold
// below what a swarm needs. An agent takes two at most.

#include "bench/swarm/agent.hpp"
#include "common/http/transport.hpp"
#include "common/wire/frame.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::bench {

struct CrowdOptions {
    std::vector<http::tcp::endpoint> masters;
    std::uint32_t first = 0;  // number of the first agent
    std::uint32_t agents = 0;
    double slots = 2;
    double connects_per_second = 5000;  // at the start
    std::uint16_t port_offset = 0;  // to the door of these agents, see wide_server.hpp
    std::uint64_t seed = 1;
    bool waiting_links = true;  // false: as agents whose master knows of nobody to lead next
};

// What others may know of a crowd at any time.
struct CrowdCounts {
    std::atomic<std::uint64_t> registered{0}, registrations{0}, launched{0}, ended{0}, held{0}, messages_in{0},
        messages_out{0}, resent{0}, stale_epochs{0}, refused{0}, broken{0};
    std::atomic<std::uint64_t> waiting_links{0};  // that are ready to be registered on
};

// Who has registered at or after some moment.
struct Back {
    std::size_t agents = 0;
    std::size_t on_waiting_links = 0;  // of those, on the link that had waited
    base::Instant last{};
};

class Crowd {
  public:
    explicit Crowd(CrowdOptions options);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    // --- any thread ---
    const CrowdCounts& counts() const { return counts_; }
    // Runs on the crowd's thread, soon.
    void post(std::function<void()> what);
    // The same, and returns when it has.
    void inside(const std::function<void()>& what);
    // Who is linked to another master goes to this one.
    void leader_is(http::tcp::endpoint leader);
    std::string last_trouble() const;

    // --- inside() only ---
    Back back_since(base::Instant since) const;
    // The first task that comes to an agent from a later leader than any that has spoken so far.
    void await_launch_by_next_leader();
    base::Instant first_launch() const { return first_launch_; }
    Ledger& ledger() { return board_.ledger; }

  private:
    enum class Stage : std::uint8_t { idle, connecting, upgrading, open };
    // One connection of an agent, or the next attempt at one.
    struct Line {
        std::string head;  // of the answer to the upgrade, as far as it has come
        std::string out;   // not taken by the socket yet
        http::tcp::endpoint master;
        base::Instant act_at = base::Instant::max();  // when idle: the next attempt; else until open: its deadline
        base::Instant open_since{};
        int socket = -1;
        Stage stage = Stage::idle;
        bool waits_to_write = false;
    };
    struct Member : Agent::Link {
        Member(std::uint32_t number, AgentsBoard& board)
            : agent(number, board), backoff(agent.backoff()) {}
        void send(const internal::FromAgent& message) override { (void)wire::append_frame(message, serving().out); }
        Line& serving() { return lines[serves]; }
        Line& waiting() { return lines[1 - serves]; }

        Agent agent;
        async::Backoff backoff;
        async::Backoff waiting_backoff{{std::chrono::seconds(20), std::chrono::minutes(10), 2.0}};  // 10 s and more
        base::Instant no_waiting_before{};
        wire::FrameDecoder decoder;  // of the line that serves
        std::array<Line, 2> lines;
        std::uint8_t serves = 0;  // which of the lines: they change places without their sockets noticing
        bool on_waiting_link = false;  // the line that serves had waited
        std::uint32_t attempts = 0;
        std::uint32_t redirects = 0;  // followed since the last attempt of its own
        base::Instant armed_at = base::Instant::max();
    };
    struct Alarm {
        base::Instant at;
        std::uint32_t member;
        bool operator<(const Alarm& other) const { return at > other.at; }
    };

    void run();
    void take_jobs();
    void ready(std::uint32_t id, std::uint32_t events);
    void due(Member& member);
    void attempt(Member& member);
    void connect(Member& member, Line& line, http::tcp::endpoint master);
    void ask_for_upgrade(Member& member, Line& line);
    void read(Member& member, Line& line);
    void take_head(Member& member, Line& line, std::string_view bytes);
    void take_answer(Member& member, Line& line, const std::string& head, std::string_view rest);
    bool take_frames(Member& member, std::string_view bytes);
    void next_is(Member& member, const internal::Ping& ping);
    std::optional<http::tcp::endpoint> endpoint_of(const std::string& address);
    void register_on_waiting(Member& member);
    void flush(Member& member, Line& line);
    void ended(Member& member, Line& line, const std::string& why);
    void come_again(Member& member, const std::string& why);
    void wait(Member& member, base::Duration time);
    void shut(Member& member);
    void shut_waiting(Member& member);
    void close(Line& line);
    void arm(Member& member);
    std::uint32_t id_of(const Member& member, const Line& line) const;
    void publish();
    void note(const std::string& trouble);

    const CrowdOptions options_;
    AgentsBoard board_;
    std::vector<std::unique_ptr<Member>> members_;
    std::priority_queue<Alarm> alarms_;
    std::optional<http::tcp::endpoint> leader_;
    std::string next_address_;  // that a ping has named last, and what it means
    std::optional<http::tcp::endpoint> next_;
    base::Moment now_ = base::read_clocks();
    std::uint64_t epoch_seen_ = 0;
    std::uint64_t epoch_before_ = std::numeric_limits<std::uint64_t>::max();
    base::Instant first_launch_ = base::Instant::max();
    std::uint64_t registered_ = 0, registrations_ = 0, broken_ = 0, waiting_ = 0;
    int poll_ = -1;

    CrowdCounts counts_;
    mutable std::mutex mutex_;
    std::vector<std::function<void()>> jobs_;
    std::string trouble_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace fairlead::bench
