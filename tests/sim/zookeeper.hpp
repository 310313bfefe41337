#pragma once
// ZooKeeper as the simulated masters use it: sessions that expire, znodes that elect, and the registry with its epoch.
// Each call is one request as a server carries it out, in one order for all; what is lost on the way there and back is
// the network's matter. Decisions of ours are none of it: masters decide what to ask.

#include "common/base/instant.hpp"
#include "masterd/core/durable.hpp"
#include "tests/support/master_registry.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace fairlead::sim {

class Zookeeper {
  public:
    using SessionId = std::uint64_t;  // 0: none

    explicit Zookeeper(base::Duration timeout) : timeout_(timeout) {}
    base::Duration timeout() const { return timeout_; }

    // With a znode of its own behind all others.
    SessionId open(int master, base::Instant now) {
        const SessionId id = ++last_;
        sessions_[id] = {master, now + timeout_};
        return id;
    }
    // False: it has expired.
    bool touch(SessionId id, base::Instant now) {
        const auto found = sessions_.find(id);
        if (found == sessions_.end()) return false;
        found->second.expires = now + timeout_;
        return true;
    }
    void close(SessionId id) { sessions_.erase(id); }
    // Those that were not heard of for too long.
    void expire(base::Instant now) {
        std::erase_if(sessions_, [&](const auto& session) { return session.second.expires <= now; });
    }
    // After a time in which nobody could be heard.
    void be_lenient(base::Instant now) {
        for (auto& [id, session] : sessions_) session.expires = now + timeout_;
    }
    bool is_alive(SessionId id) const { return sessions_.contains(id); }
    SessionId first() const { return sessions_.empty() ? 0 : sessions_.begin()->first; }
    std::optional<int> leader() const {
        if (sessions_.empty()) return std::nullopt;
        return sessions_.begin()->second.master;
    }

    // --- the registry ---
    std::uint64_t begin_epoch() { return ++epoch_; }
    std::uint64_t epoch() const { return epoch_; }
    std::optional<masterd::core::Inheritance> read(std::uint64_t epoch) const {
        if (epoch != epoch_) return std::nullopt;
        return registry_.read();
    }
    // A write that is repeated because its answer was lost is made once. False: another epoch has begun.
    bool write(std::uint64_t epoch, std::uint64_t number, const std::vector<masterd::core::Persist>& changes) {
        if (epoch != epoch_) return false;
        if (std::pair(epoch, number) <= last_write_) return true;
        last_write_ = {epoch, number};
        registry_.write(changes);
        return true;
    }

  private:
    struct Session {
        int master = 0;
        base::Instant expires{};
    };

    base::Duration timeout_;
    std::map<SessionId, Session> sessions_;  // the first leads
    SessionId last_ = 0;
    std::uint64_t epoch_ = 0;
    std::pair<std::uint64_t, std::uint64_t> last_write_{};
    tests::MasterRegistry registry_;
};

}  // namespace fairlead::sim
