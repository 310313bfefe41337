#include "common/http/places.hpp"

#include <utility>

namespace fairlead::http {
namespace {

// That are being told 503; beyond it they are closed without a word.
constexpr std::size_t told_at_once_max = 64;
constexpr base::Duration between_reports = std::chrono::seconds(10);

}  // namespace

std::string Shortage::text() const {
    const std::string its_own = std::to_string(held);
    std::string text = "connections from " + address.to_string() + " are closed: ";
    text += has_all_its_share ? "it has " + its_own + " open, as many as one address may have"
                              : "all places for connections are taken, " + its_own + " of them by it";
    if (closed > 1) text += " (of all addresses, " + std::to_string(closed) + " were closed since the last such line)";
    return text;
}

Places::Entry Places::enter(const std::shared_ptr<Connection>& connection, const Address& address, base::Instant now) {
    std::lock_guard lock(mutex_);
    Entry entry;
    if (closed_) {
        entry.verdict = Verdict::not_even_told;
        return entry;
    }
    const auto holder = holders_.try_emplace(address).first;
    const bool share_used_up = holder->second.held >= limits_.of_one_address;
    if (share_used_up || held_ >= limits_.all) {
        entry.report = report(address, holder->second.held, now);
        entry.gives_way = longest_at_rest(holder->second, now);
        if (!entry.gives_way) {
            if (holder->second.held == 0) holders_.erase(holder);
            entry.verdict = share_used_up ? Verdict::share_used_up : Verdict::no_place_left;
            if (guests_.size() - held_ < told_at_once_max)
                guests_[connection.get()].connection = connection;
            else
                entry.verdict = Verdict::not_even_told;
            return entry;
        }
    }
    ++holder->second.held;
    ++held_;
    auto& guest = guests_[connection.get()];
    guest.connection = connection;
    guest.holder = holder;
    guest.has_place = true;
    return entry;
}

// Its address's entry stays: the place is for somebody from there.
std::shared_ptr<Connection> Places::longest_at_rest(Holder& holder, base::Instant now) {
    if (holder.resting.empty()) return nullptr;
    const auto found = guests_.find(holder.resting.front());
    Guest& guest = found->second;
    if (now - guest.resting_since < limits_.rest_min) return nullptr;
    auto connection = guest.connection.lock();
    if (!connection) return nullptr;  // it is leaving
    stop_resting(guest);
    --holder.held;
    --held_;
    guests_.erase(found);
    return connection;
}

void Places::stop_resting(Guest& guest) {
    if (const auto rest = std::exchange(guest.rest, std::nullopt)) guest.holder->second.resting.erase(*rest);
}

void Places::leave(const Connection* connection) {
    std::lock_guard lock(mutex_);
    const auto found = guests_.find(connection);
    if (found == guests_.end()) return;  // gave way
    Guest& guest = found->second;
    if (guest.has_place) {
        stop_resting(guest);
        --held_;
        if (--guest.holder->second.held == 0) holders_.erase(guest.holder);
    }
    guests_.erase(found);
}

void Places::rests(Connection* connection, base::Instant now) {
    std::lock_guard lock(mutex_);
    const auto found = guests_.find(connection);
    if (found == guests_.end() || !found->second.has_place || found->second.rest) return;
    Guest& guest = found->second;
    auto& resting = guest.holder->second.resting;
    guest.resting_since = now;
    guest.rest = resting.insert(resting.end(), connection);
}

bool Places::works(Connection* connection) {
    std::lock_guard lock(mutex_);
    const auto found = guests_.find(connection);
    if (found == guests_.end()) return false;
    stop_resting(found->second);
    return true;
}

std::optional<Shortage> Places::report(const Address& address, std::size_t held, base::Instant now) {
    ++closed_since_report_;
    if (reported_at_ && now - *reported_at_ < between_reports) return std::nullopt;
    reported_at_ = now;
    return Shortage{address, held, held >= limits_.of_one_address, std::exchange(closed_since_report_, 0)};
}

std::vector<std::shared_ptr<Connection>> Places::close() {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Connection>> here;
    closed_ = true;
    for (const auto& [key, guest] : guests_)
        if (auto connection = guest.connection.lock()) here.push_back(std::move(connection));
    return here;
}

std::size_t Places::count() const {
    std::lock_guard lock(mutex_);
    return guests_.size();
}

}  // namespace fairlead::http
