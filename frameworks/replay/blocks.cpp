#include "frameworks/replay/blocks.hpp"

#include "common/base/prng.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace fairlead::frameworks::replay {
namespace {

constexpr std::uint64_t mixes_numbers = 0x9e3779b97f4a7c15ULL;

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

}  // namespace

Blocks::Blocks(std::vector<sdk::Site> hosts, unsigned copies, std::uint64_t seed)
    : hosts_(std::move(hosts)), copies_(copies), seed_(seed) {
    std::ranges::sort(hosts_, {}, &sdk::Site::host);
    const auto doubles = std::ranges::unique(hosts_, {}, &sdk::Site::host);
    hosts_.erase(doubles.begin(), doubles.end());
}

std::vector<sdk::Site> Blocks::copies_of(std::uint64_t block) const {
    base::Prng prng(seed_ ^ (block + 1) * mixes_numbers);
    std::vector<sdk::Site> copies;
    // Any host that has none yet, of those that suit first.
    const auto place = [&](auto&& suits) {
        std::vector<const sdk::Site*> free, best;
        for (const auto& host : hosts_)
            if (std::ranges::find(copies, host) == copies.end()) free.push_back(&host);
        std::ranges::copy_if(free, std::back_inserter(best), [&](const auto* host) { return suits(*host); });
        const auto& among = best.empty() ? free : best;
        copies.push_back(*among[prng.below(among.size())]);
    };
    while (copies.size() < std::min<std::size_t>(copies_, hosts_.size())) {
        switch (copies.size()) {
            case 1: place([&](const sdk::Site& host) { return host.rack != copies[0].rack; }); break;
            case 2: place([&](const sdk::Site& host) { return host.rack == copies[1].rack; }); break;
            default: place([](const sdk::Site&) { return true; });
        }
    }
    return copies;
}

base::Result<std::vector<sdk::Site>> parse_agents(std::string_view page) {
    boost::system::error_code error;
    const auto document = boost::json::parse({page.data(), page.size()}, error);
    const auto* object = error ? nullptr : document.if_object();
    const auto* agents = object ? object->if_contains("slaves") : nullptr;
    if (!agents || !agents->is_array()) return base::Error(base::ErrorCode::malformed, "no list of agents");
    std::vector<sdk::Site> sites;
    for (const auto& agent : agents->as_array()) {
        if (!agent.is_object() || text_at(agent.as_object(), "hostname").empty())
            return base::Error(base::ErrorCode::malformed, "an agent without a host name");
        const auto* attributes = agent.as_object().if_contains("attributes");
        const bool described = attributes && attributes->is_object();
        sites.push_back({text_at(agent.as_object(), "hostname"),
                         described ? text_at(attributes->as_object(), "rack") : std::string()});
    }
    return sites;
}

}  // namespace fairlead::frameworks::replay
