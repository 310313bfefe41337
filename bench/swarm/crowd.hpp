#pragma once
// Many agents on one thread: their sockets in one epoll, their deadlines in one heap. Each has a connection of its own
// to a master, opened by the HTTP Upgrade of the real link, with the real link's frames on it; when it breaks the agent
// comes back after a wait of the real agent's lengths, to the master that is said to lead, else to the next one of the
// list.
//
// A thread that is told to has a table of descriptors of its own: a process has no more than its limit, which a machine
// may hold below what a swarm needs.

#include "bench/swarm/agent.hpp"
#include "common/http/transport.hpp"
#include "common/wire/frame.hpp"

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
};

// What others may know of a crowd at any time.
struct CrowdCounts {
    std::atomic<std::uint64_t> registered{0}, registrations{0}, launched{0}, ended{0}, held{0}, messages_in{0},
        messages_out{0}, resent{0}, stale_epochs{0}, refused{0}, broken{0};
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
    // How many have registered at or after `since`, and when the last of them did.
    std::pair<std::size_t, base::Instant> back_since(base::Instant since) const;
    // The first task that comes to an agent from a later leader than any that has spoken so far.
    void await_launch_by_next_leader();
    base::Instant first_launch() const { return first_launch_; }
    Ledger& ledger() { return board_.ledger; }

  private:
    enum class Stage : std::uint8_t { waiting, connecting, upgrading, linked };
    struct Member : Agent::Link {
        Member(std::uint32_t number, AgentsBoard& board)
            : agent(number, board), backoff(agent.backoff()) {}
        void send(const internal::FromAgent& message) override { (void)wire::append_frame(message, out); }

        Agent agent;
        async::Backoff backoff;
        wire::FrameDecoder decoder;
        std::string head;  // of the answer to the upgrade, as far as it has come
        std::string out;   // not taken by the socket yet
        int socket = -1;
        Stage stage = Stage::waiting;
        bool waits_to_write = false;
        std::uint32_t attempts = 0;
        std::uint32_t redirects = 0;  // followed since the last attempt of its own
        http::tcp::endpoint master;
        base::Instant act_at{};      // when waiting: the next attempt; else until linked: its deadline
        base::Instant linked_since{};
        base::Instant armed_at = base::Instant::max();
    };
    struct Alarm {
        base::Instant at;
        std::uint32_t member;
        bool operator<(const Alarm& other) const { return at > other.at; }
    };

    void run();
    void take_jobs();
    void ready(std::uint32_t index, std::uint32_t events);
    void due(std::uint32_t index);
    void connect(std::uint32_t index, http::tcp::endpoint master);
    void connected(Member& member);
    void read(std::uint32_t index);
    bool take_head(std::uint32_t index, std::string_view bytes);
    bool take_frames(Member& member, std::string_view bytes);
    void flush(std::uint32_t index);
    void come_again(std::uint32_t index, const std::string& why);
    void wait(std::uint32_t index, base::Duration time);
    void shut(Member& member);
    void arm(std::uint32_t index);
    void publish();
    void note(const std::string& trouble);

    const CrowdOptions options_;
    AgentsBoard board_;
    std::vector<std::unique_ptr<Member>> members_;
    std::priority_queue<Alarm> alarms_;
    std::optional<http::tcp::endpoint> leader_;
    base::Moment now_ = base::read_clocks();
    std::uint64_t epoch_seen_ = 0;
    std::uint64_t epoch_before_ = std::numeric_limits<std::uint64_t>::max();
    base::Instant first_launch_ = base::Instant::max();
    std::uint64_t registered_ = 0, registrations_ = 0, broken_ = 0;
    int poll_ = -1;

    CrowdCounts counts_;
    mutable std::mutex mutex_;
    std::vector<std::function<void()>> jobs_;
    std::string trouble_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace fairlead::bench
