#include "bench/locality/scan.hpp"

#include <algorithm>

namespace fairlead::bench {
namespace {

// A refusal of a second and more is one of somebody who wants nothing.
constexpr double refuse_seconds_max = 0.9;
constexpr double nothing_wanted_seconds = 5;

}  // namespace

Scan::Scan(VirtualCluster& cluster, std::string role, const File& file, ScanOptions options, std::uint64_t seed,
           v1::scheduler::OfferConstraints always)
    : VirtualFramework(cluster, std::move(role), {}, std::move(always)),
      options_(options),
      prng_(seed),
      delay_({options.wait, base::Duration::zero()}),
      blocks_(file.size()) {
    for (std::size_t block = 0; block < file.size(); ++block) ready_.add(block, file[block]);
}

void Scan::offers(const std::vector<v1::Offer>& offers) {
    std::vector<const v1::Offer*> unwanted;
    for (const auto& offer : offers) {
        auto tasks = tasks_for(offer);
        if (tasks.empty())
            unwanted.push_back(&offer);
        else
            launch(offer, std::move(tasks), refuse_seconds());
    }
    if (options_.hints) tell_what_is_wanted();
    for (const auto* offer : unwanted) decline(*offer, refuse_seconds());
    want_offers(!ready_.empty());
}

std::vector<v1::TaskInfo> Scan::tasks_for(const v1::Offer& offer) {
    const auto here = sdk::site_of(offer);
    std::vector<v1::TaskInfo> tasks;
    for (std::size_t slots = slots_of(offer); slots > 0; --slots) {
        const auto choice = ready_.take(here, delay_.farthest(cluster().now()));
        if (!choice) {
            if (ready_.empty()) break;
            delay_.passed_over(cluster().now());
            let_one_go_ = true;
            break;
        }
        delay_.launched(choice->where);
        ++launched_[static_cast<std::size_t>(choice->where)];
        const double mean =
            choice->where == sdk::Locality::host ? options_.local_seconds : options_.remote_seconds;
        tasks.push_back(task(offer, std::to_string(choice->task),
                             mean * (1 + options_.spread * (2 * prng_.unit() - 1))));
    }
    return tasks;
}

double Scan::refuse_seconds() const {
    if (ready_.empty()) return nothing_wanted_seconds;
    const auto widens = delay_.widens_at(cluster().now());
    if (!widens) return 0;
    return std::min(refuse_seconds_max, std::chrono::duration<double>(*widens - cluster().now()).count());
}

void Scan::tell_what_is_wanted() {
    if (ready_.empty()) return;
    const auto now = cluster().now();
    if (hint_.holds_back()) delay_.passed_over(now);
    const auto since = std::exchange(let_one_go_, false) ? sdk::OfferHint::Since::one_was_let_go
                                                         : sdk::OfferHint::Since::nothing_came_in_vain;
    if (const auto wanted = hint_.update(ready_.wanted(delay_.farthest(now)), since))
        constrain_offers(sdk::offers_only_from(*wanted, role()));
    look_again_when_it_widens();
}

void Scan::look_again_when_it_widens() {
    const auto widens = delay_.widens_at(cluster().now());
    if (!widens) return;
    cluster().after(*widens - cluster().now(), [this, at = *widens] {
        if (at == cluster().now() && hint_.holds_back()) tell_what_is_wanted();
    });
}

void Scan::ended(const std::string&) {
    if (++ended_ == blocks_) finished_at_ = cluster().seconds();
}

}  // namespace fairlead::bench
