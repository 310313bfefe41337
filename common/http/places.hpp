#pragma once
// Who may connect while places are scarce. A server has so many places for connections, and one address has a share of
// them, so that a host that opens connections without end keeps only itself out. At the end of its share, the address's
// own connection that has waited longest without asking anything gives way to the new one; where none has waited long,
// the new one is turned away. Other addresses' connections are never touched. Both are reported, now and then.
//
// An upgraded connection holds no place: agents' links have bounds of their own. Any thread.

#include "common/base/instant.hpp"

#include <boost/asio/ip/address.hpp>

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::http {

class Connection;

// Why somebody's connections are closed.
struct Shortage {
    boost::asio::ip::address address;
    std::size_t held = 0;            // places that this address holds
    bool has_all_its_share = false;  // else all places are taken
    std::size_t closed = 0;          // since the last report, of all addresses

    std::string text() const;
};

class Places {
  public:
    using Address = boost::asio::ip::address;

    struct Limits {
        std::size_t all = 0;
        std::size_t of_one_address = 0;
        base::Duration rest_min{};  // who has waited for less does not give way
    };
    explicit Places(Limits limits) : limits_(limits) {}

    enum class Verdict { welcome, no_place_left, share_used_up, not_even_told };
    struct Entry {
        Verdict verdict = Verdict::welcome;
        std::shared_ptr<Connection> gives_way;  // to be cut; holds no place any more
        std::optional<Shortage> report;         // now and then, not for each
    };
    // Who is turned away is here as well until it leaves, unless so many are that it is closed without a word.
    Entry enter(const std::shared_ptr<Connection>& connection, const Address& address, base::Instant now);
    void leave(const Connection* connection);

    // It waits for a request; it has one. False: it has given way meanwhile and is not to serve it.
    void rests(Connection* connection, base::Instant now);
    bool works(Connection* connection);

    // Nobody enters from now on; gives those who are here.
    std::vector<std::shared_ptr<Connection>> close();
    std::size_t count() const;

  private:
    struct Holder {
        std::size_t held = 0;
        std::list<Connection*> resting;  // who has rested longest is in front
    };
    struct Guest {
        std::weak_ptr<Connection> connection;
        std::map<Address, Holder>::iterator holder;  // none for who is turned away
        bool has_place = false;
        base::Instant resting_since{};
        std::optional<std::list<Connection*>::iterator> rest;
    };

    std::shared_ptr<Connection> longest_at_rest(Holder& holder, base::Instant now);
    void stop_resting(Guest& guest);
    std::optional<Shortage> report(const Address& address, std::size_t held, base::Instant now);

    const Limits limits_;
    mutable std::mutex mutex_;
    std::unordered_map<const Connection*, Guest> guests_;
    std::map<Address, Holder> holders_;
    std::size_t held_ = 0;  // places
    bool closed_ = false;
    std::size_t closed_since_report_ = 0;
    std::optional<base::Instant> reported_at_;
};

}  // namespace fairlead::http
