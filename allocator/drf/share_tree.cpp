#include "allocator/drf/share_tree.hpp"

#include <algorithm>
#include <cmath>

namespace fairlead::allocator::drf {
namespace {

// Sums of floating point drift when parts are added and taken away; after so many updates they are made anew.
constexpr unsigned updates_max = 4096;

// A part below this is nothing: less than a thousandth of a cpu in a cluster of a million.
constexpr double least_share = 1e-13;

}  // namespace

ShareTree::ShareTree(Options options, std::uint64_t seed) : options_(options), prng_(seed), nodes_(1) {}

NodeId ShareTree::add(NodeId parent, bool is_leaf, double weight) {
    NodeId id = static_cast<NodeId>(nodes_.size());
    if (free_.empty()) {
        nodes_.emplace_back();
    } else {
        id = free_.back();
        free_.pop_back();
    }
    Node& node = nodes_[id];
    node.parent = parent;
    node.is_leaf = is_leaf;
    node.weight = weight;
    node.held.assign(names_.size(), 0);
    node.grown = node.fixed = node.held;
    node.position = nodes_[parent].children.size();
    nodes_[parent].children.push_back(id);
    node.key.rank = nodes_[parent].last_drawn;
    draw(node);
    enter(id);
    return id;
}

NodeId ShareTree::add_group(NodeId parent, double weight) { return add(parent, false, weight); }

NodeId ShareTree::add_leaf(NodeId parent) { return add(parent, true, 1); }

void ShareTree::remove(NodeId id) {
    leave(id);
    const NodeId parent = nodes_[id].parent;
    auto& siblings = nodes_[parent].children;
    siblings[nodes_[id].position] = siblings.back();
    nodes_[siblings.back()].position = nodes_[id].position;
    siblings.pop_back();
    nodes_[id] = {};
    free_.push_back(id);
    if (parent != root) changed(parent);
}

void ShareTree::set_weight(NodeId id, double weight) {
    if (nodes_[id].weight == weight) return;
    leave(id);
    nodes_[id].weight = weight;
    enter(id);
    if (nodes_[id].parent != root) changed(nodes_[id].parent);
}

void ShareTree::set_cluster(const resources::Quantities& total, std::vector<std::string> saturated) {
    std::vector<std::string> names;
    total.for_each([&](std::string_view name, resources::Milli) { names.emplace_back(name); });
    std::vector<bool> is_saturated(names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
        is_saturated[i] = std::find(saturated.begin(), saturated.end(), names[i]) != saturated.end();
    if (total == total_ && is_saturated == saturated_) return;
    total_ = total;
    names_ = std::move(names);
    saturated_ = std::move(is_saturated);
    rebuild(root);
}

void ShareTree::set_held(NodeId leaf, const resources::Quantities& held) {
    if (nodes_[leaf].amount == held) return;
    nodes_[leaf].amount = held;
    changed(leaf);
}

void ShareTree::set_appetite(NodeId leaf, Appetite appetite) {
    if (nodes_[leaf].appetite == appetite) return;
    leave(leaf);
    nodes_[leaf].appetite = appetite;
    measure_leaf(nodes_[leaf]);
    enter(leaf);
    changed(nodes_[leaf].parent);
}

void ShareTree::serve(NodeId leaf, const resources::Quantities& held) {
    nodes_[leaf].amount = held;
    changed(leaf, Because::served);
}

bool ShareTree::precedes(NodeId a, NodeId b) const {
    if (nodes_[a].appetite != nodes_[b].appetite) return nodes_[a].appetite > nodes_[b].appetite;
    const auto depth = [&](NodeId id) {
        unsigned steps = 0;
        for (; id != root; id = nodes_[id].parent) ++steps;
        return steps;
    };
    unsigned above_a = depth(a), above_b = depth(b);
    for (; above_a > above_b; --above_a) a = nodes_[a].parent;
    for (; above_b > above_a; --above_b) b = nodes_[b].parent;
    if (a == b) return false;
    for (; nodes_[a].parent != nodes_[b].parent; a = nodes_[a].parent) b = nodes_[b].parent;
    return nodes_[a].key < nodes_[b].key;
}

void ShareTree::measure_leaf(Node& leaf) {
    leaf.held.assign(names_.size(), 0);
    leaf.share = 0;
    leaf.blocked = leaf.appetite != Appetite::hungry;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        const auto amount = leaf.amount.of(names_[i]);
        if (amount.is_zero()) continue;
        leaf.held[i] = static_cast<double>(amount.thousandths()) / static_cast<double>(total_.of(names_[i]).thousandths());
        leaf.share = std::max(leaf.share, leaf.held[i]);
        // What it holds says what it asks for: more of the same is not to be had.
        if (saturated_[i]) leaf.blocked = true;
    }
}

void ShareTree::measure_group(Node& group) {
    const double least = group.growing.empty() ? 0 : group.growing.begin()->first;
    group.blocked = group.unblocked == 0;
    group.share = 0;
    double share_of_all = 0;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        // Below zero only by what rounding has left of sums that are nothing.
        group.held[i] = std::max(0.0, group.fixed[i] + least * group.grown[i]);
        share_of_all = std::max(share_of_all, group.held[i]);
        if (!saturated_[i]) group.share = std::max(group.share, group.held[i]);
    }
    // Nothing that is left counts for a group that lives on what is used up: it is not poor for that.
    if (group.share < least_share) group.share = group.blocked ? share_of_all : 0;
}

void ShareTree::sum_up_anew(Node& group) {
    group.updates = 0;
    group.grown.assign(names_.size(), 0);
    group.fixed.assign(names_.size(), 0);
    for (const NodeId id : group.children) {
        const Node& child = nodes_[id];
        if (child.share < least_share) continue;
        Fractions& sum = child.blocked ? group.fixed : group.grown;
        const double scale = child.blocked ? 1 : 1 / weighted(child);
        for (std::size_t i = 0; i < names_.size(); ++i) sum[i] += child.held[i] * scale;
    }
}

void ShareTree::enter(NodeId id) {
    Node& child = nodes_[id];
    Node& parent = nodes_[child.parent];
    if (options_.order == Order::fair)
        child.key.rank = options_.band > 0 ? std::floor(weighted(child) / options_.band) : weighted(child);
    child.key.node = id;
    if (child.is_leaf ? child.appetite == Appetite::hungry : !child.hungry.empty()) parent.hungry.insert(child.key);
    if (child.is_leaf ? child.appetite == Appetite::content : !child.content.empty()) parent.content.insert(child.key);
    if (!child.blocked) ++parent.unblocked;
    if (child.share < least_share) return;
    if (!child.blocked) parent.growing.emplace(weighted(child), id);
    Fractions& sum = child.blocked ? parent.fixed : parent.grown;
    const double scale = child.blocked ? 1 : 1 / weighted(child);
    for (std::size_t i = 0; i < names_.size(); ++i) sum[i] += child.held[i] * scale;
}

void ShareTree::leave(NodeId id) {
    const Node& child = nodes_[id];
    Node& parent = nodes_[child.parent];
    parent.hungry.erase(child.key);
    parent.content.erase(child.key);
    if (!child.blocked) --parent.unblocked;
    if (child.share < least_share) return;
    if (!child.blocked) parent.growing.erase({weighted(child), id});
    Fractions& sum = child.blocked ? parent.fixed : parent.grown;
    const double scale = child.blocked ? 1 : 1 / weighted(child);
    for (std::size_t i = 0; i < names_.size(); ++i) sum[i] -= child.held[i] * scale;
}

void ShareTree::changed(NodeId id, Because because) {
    for (; id != root; id = nodes_[id].parent) {
        leave(id);
        Node& node = nodes_[id];
        if (node.is_leaf) {
            measure_leaf(node);
        } else {
            if (++node.updates >= updates_max) sum_up_anew(node);
            measure_group(node);
        }
        if (because == Because::served)
            nodes_[node.parent].last_drawn = std::max(nodes_[node.parent].last_drawn, node.key.rank);
        if (options_.order == Order::fair || because == Because::served) draw(node);
        enter(id);
    }
}

void ShareTree::rebuild(NodeId id) {
    Node& node = nodes_[id];
    if (node.is_leaf) return measure_leaf(node);
    node.hungry.clear();
    node.content.clear();
    node.growing.clear();
    node.unblocked = 0;
    node.updates = 0;
    node.grown.assign(names_.size(), 0);
    node.fixed = node.held = node.grown;
    for (const NodeId child : node.children) {
        rebuild(child);
        enter(child);
    }
    measure_group(node);
}

// In a lottery everybody's next turn comes after an exponential wait, the shorter the larger the weight: the first to come
// is drawn in proportion to the weights, and so is the order of all.
void ShareTree::draw(Node& node) {
    node.key.lot = options_.ties == Ties::by_lot ? prng_() : 0;
    if (options_.order == Order::lottery) node.key.rank -= std::log(1 - prng_.unit()) / node.weight;
}

}  // namespace fairlead::allocator::drf
