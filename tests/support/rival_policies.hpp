#pragma once
// The policies that dominant resource fairness was weighed against, for divisible tasks and in exact fractions: what they
// do wrong is a test of ours only when it is really they who do it. Small, and for tests alone.

#include <boost/rational.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace fairlead::tests {

using Fraction = boost::rational<std::int64_t>;
using Bundle = std::array<Fraction, 2>;  // of two scalars

// Asset fairness: everybody's sum of shares is the same, as far as the first scalar that is used up. Tasks of each.
inline std::vector<Fraction> asset_fair(const Bundle& capacity, const std::vector<Bundle>& tasks) {
    std::vector<Fraction> each;  // for a sum of shares of one
    for (const Bundle& task : tasks) each.push_back(1 / (task[0] / capacity[0] + task[1] / capacity[1]));
    std::optional<Fraction> scale;
    for (std::size_t scalar = 0; scalar < 2; ++scalar) {
        Fraction used;
        for (std::size_t i = 0; i < tasks.size(); ++i) used += each[i] * tasks[i][scalar];
        const Fraction fits = capacity[scalar] / used;
        if (!scale || fits < *scale) scale = fits;
    }
    for (Fraction& count : each) count *= *scale;
    return each;
}

// Competitive equilibrium from equal incomes for two users: of all that fits, the largest product of their tasks. That lies
// where one scalar alone binds and is halved between them, or where both bind.
inline std::pair<Fraction, Fraction> competitive_equilibrium(const Bundle& capacity, const Bundle& a, const Bundle& b) {
    std::vector<std::pair<Fraction, Fraction>> candidates;
    for (std::size_t scalar = 0; scalar < 2; ++scalar)
        candidates.emplace_back(capacity[scalar] / (2 * a[scalar]), capacity[scalar] / (2 * b[scalar]));
    const Fraction determinant = a[0] * b[1] - a[1] * b[0];
    if (determinant != 0)
        candidates.emplace_back((capacity[0] * b[1] - capacity[1] * b[0]) / determinant,
                                (a[0] * capacity[1] - a[1] * capacity[0]) / determinant);
    std::erase_if(candidates, [&](const auto& tasks) {
        return tasks.first < 0 || tasks.second < 0 ||
               tasks.first * a[0] + tasks.second * b[0] > capacity[0] ||
               tasks.first * a[1] + tasks.second * b[1] > capacity[1];
    });
    return *std::max_element(candidates.begin(), candidates.end(), [](const auto& one, const auto& other) {
        return one.first * one.second < other.first * other.second;
    });
}

// First come, first served under constraints: in this order each takes every slot that is left on the machines it may use.
inline std::vector<int> greedy(const std::vector<std::vector<std::size_t>>& may_use, std::vector<int> slots,
                               const std::vector<std::size_t>& order) {
    std::vector<int> taken(may_use.size());
    for (const std::size_t user : order)
        for (const std::size_t machine : may_use[user]) taken[user] += std::exchange(slots[machine], 0);
    return taken;
}

}  // namespace fairlead::tests
