#include "sdk/local_tasks.hpp"

#include <algorithm>
#include <limits>
#include <ranges>

namespace fairlead::sdk {
namespace {

using Selector = v1::scheduler::AttributeConstraint::Selector;

// What a master takes of one framework, over all of its roles.
constexpr std::size_t conditions_max = 1000;
// Tasks that are looked at for one launch.
constexpr std::size_t compared_max = 32;

template <typename Index, typename Order>
void forget(Index& index, const std::string& key, Order order) {
    const auto found = index.find(key);
    if (found == index.end()) return;
    found->second.erase(order);
    if (found->second.empty()) index.erase(found);
}

}  // namespace

Site site_of(const v1::Offer& offer, std::string_view rack_attribute) {
    Site site{offer.hostname(), {}};
    for (const auto& attribute : offer.attributes())
        if (attribute.name() == rack_attribute && attribute.type() == v1::Value::TEXT) site.rack = attribute.text().value();
    return site;
}

void LocalTasks::add(Task task, std::vector<Site> replicas) {
    const Order order = next_++;
    if (replicas.empty()) without_data_.insert(order);
    for (const Site& site : replicas) {
        on_host_[site.host].insert(order);
        if (!site.rack.empty()) in_rack_[site.rack].insert(order);
    }
    tasks_.emplace(order, Entry{task, std::move(replicas)});
}

std::optional<LocalTasks::Choice> LocalTasks::take(const Site& here, Locality farthest) {
    if (tasks_.empty()) return {};
    if (const auto found = on_host_.find(here.host); found != on_host_.end())
        return take(best_of(found->second, here.host), Locality::host);
    if (!without_data_.empty()) return take(*without_data_.begin(), Locality::host);
    if (farthest == Locality::host) return {};
    if (const auto found = in_rack_.find(here.rack); found != in_rack_.end())
        return take(best_of(found->second, here.host), Locality::rack);
    if (farthest == Locality::rack) return {};
    return take(best_of(std::views::keys(tasks_), here.host), Locality::anywhere);
}

template <typename Orders>
LocalTasks::Order LocalTasks::best_of(const Orders& orders, const std::string& here) const {
    std::optional<Order> best;
    std::size_t most = 0, compared = 0;
    for (const Order order : orders) {
        const std::size_t choice = choice_elsewhere(tasks_.at(order), here);
        if (!best || choice > most) {
            best = order;
            most = choice;
        }
        if (++compared == compared_max) break;
    }
    return *best;
}

// Ready tasks on that of its other hosts which has the fewest.
std::size_t LocalTasks::choice_elsewhere(const Entry& entry, const std::string& here) const {
    std::size_t fewest = std::numeric_limits<std::size_t>::max();
    for (const Site& site : entry.replicas)
        if (site.host != here) fewest = std::min(fewest, on_host_.at(site.host).size());
    return fewest;
}

LocalTasks::Choice LocalTasks::take(Order order, Locality where) {
    const auto entry = tasks_.extract(order);
    without_data_.erase(order);
    for (const Site& site : entry.mapped().replicas) {
        forget(on_host_, site.host, order);
        forget(in_rack_, site.rack, order);
    }
    return {entry.mapped().task, where};
}

WantedSites LocalTasks::wanted(Locality farthest) const {
    WantedSites sites;
    if (tasks_.empty()) return sites;
    sites.anywhere = farthest == Locality::anywhere || !without_data_.empty();
    if (sites.anywhere) return sites;
    for (const auto& [host, tasks] : on_host_) sites.hosts.insert(sites.hosts.end(), host);
    if (farthest == Locality::rack)
        for (const auto& [rack, tasks] : in_rack_) sites.racks.insert(sites.racks.end(), rack);
    return sites;
}

void WantedSites::include(const WantedSites& others) {
    anywhere |= others.anywhere;
    hosts.insert(others.hosts.begin(), others.hosts.end());
    racks.insert(others.racks.begin(), others.racks.end());
}

bool WantedSites::cover(const WantedSites& others) const {
    if (anywhere || others.anywhere) return anywhere;
    return std::ranges::includes(hosts, others.hosts) && std::ranges::includes(racks, others.racks);
}

std::optional<WantedSites> OfferHint::update(WantedSites wanted, Since since) {
    if (since == Since::nothing_came_in_vain && told_.cover(wanted)) return {};
    if (wanted == told_) return {};
    told_ = wanted;
    return wanted;
}

v1::scheduler::OfferConstraints offers_only_from(const WantedSites& sites, const std::string& role,
                                                 const std::string& rack_attribute) {
    v1::scheduler::OfferConstraints constraints;
    const std::size_t conditions = sites.hosts.size() + sites.racks.size();
    if (sites.anywhere || conditions == 0 || conditions > conditions_max) return constraints;
    auto& groups = (*constraints.mutable_role_constraints())[role];
    for (const auto& host : sites.hosts) {
        auto& condition = *groups.add_groups()->add_attribute_constraints();
        condition.mutable_selector()->set_pseudoattribute_type(Selector::HOSTNAME);
        condition.mutable_predicate()->mutable_text_equals()->set_value(host);
    }
    for (const auto& rack : sites.racks) {
        auto& condition = *groups.add_groups()->add_attribute_constraints();
        condition.mutable_selector()->set_attribute_name(rack_attribute);
        condition.mutable_predicate()->mutable_text_equals()->set_value(rack);
    }
    return constraints;
}

}  // namespace fairlead::sdk
