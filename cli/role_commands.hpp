#pragma once
// The commands about who gets how much: roles, their weights and quota, the offers that stand, and why a framework gets
// none. Each gives the program's exit status.

#include "cli/views.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fairlead::cli {

async::awaitable<int> show_roles(Cluster cluster, Output output);
async::awaitable<int> show_weights(Cluster cluster, Output output);
async::awaitable<int> show_quota(Cluster cluster, Output output);
async::awaitable<int> show_offers(Cluster cluster, Output output);
// `framework` is an id, or a name that only one framework has.
async::awaitable<int> show_why(Cluster cluster, Output output, std::string framework);

// Each "ROLE=WEIGHT"; all of them or none.
async::awaitable<int> set_weights(Cluster cluster, std::vector<std::string> weights);

struct QuotaOrder {
    std::string role;
    std::string guarantee;  // "cpus:4;mem:512" or "none"; empty: as it is
    std::string limit;      // likewise
    bool force = false;
};
async::awaitable<int> set_quota(Cluster cluster, QuotaOrder order);
async::awaitable<int> remove_quota(Cluster cluster, std::string role);

}  // namespace fairlead::cli
