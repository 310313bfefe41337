#pragma once
// Hierarchical dominant resource fairness (Bhattacharya et al., SoCC 2013): who is furthest below a fair share, in a tree.
//
// Think of a street of families at a buffet with several dishes, and of the family whose fullest plate is emptiest being
// sent first. Inside a family the same rule holds. The trap is one brother who only eats bread and another who only drinks
// wine: added up naively their family always looks full, and the second brother is never sent. So a family is measured as
// if all its members who still can eat had only as much as the least of them, and a dish that is empty does not count.
//
//   share of a leaf   the largest part of any scalar's total that it holds
//   share of a group  that of a vector: for each child that can still grow and holds something, what it holds scaled down to
//                     the smallest weighted share among those; for each child that cannot, what it holds; all added up.
//                     Scalars of which nothing is left are ignored.
//   order             by share / weight among siblings, smallest first. Shares in one band (a fraction of the whole cluster)
//                     count as equal and are decided by lot.
//
// Hungry leaves come before content ones at every level. An update costs the depth of the tree times a logarithm; the
// order is kept, not computed. (Vectors V11 and V12 of the tests are the paper's.)

#include "common/base/prng.hpp"
#include "common/resources/quantities.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace fairlead::allocator::drf {

using NodeId = std::uint32_t;

// Whether a leaf wants to be served; `content` is asked when nobody hungry takes what there is.
enum class Appetite { none, content, hungry };

class ShareTree {
  public:
    enum class Order { fair, lottery };
    enum class Ties { by_lot, by_age };
    struct Options {
        Order order = Order::fair;  // lottery: with a chance in proportion to the weights, whatever anybody holds
        double band = 1.0 / 512;    // shares are compared as multiples of it; 0: exactly
        Ties ties = Ties::by_lot;   // by_age: nodes that were added earlier first, for runs that are compared by hand
    };

    ShareTree(Options options, std::uint64_t seed);

    static constexpr NodeId root = 0;
    NodeId add_group(NodeId parent, double weight);
    NodeId add_leaf(NodeId parent);
    void remove(NodeId node);  // it has no children
    void set_weight(NodeId node, double weight);

    // What shares are parts of, and the scalars of which nothing is left to give. Costs the whole tree when it is a change.
    void set_cluster(const resources::Quantities& total, std::vector<std::string> saturated);

    void set_held(NodeId leaf, const resources::Quantities& held);
    void set_appetite(NodeId leaf, Appetite appetite);
    // It was given something, and holds so much now: its next lot is drawn.
    void serve(NodeId leaf, const resources::Quantities& held);

    double share(NodeId node) const { return nodes_[node].share; }
    // Whether `a` is to be served before `b`; both leaves.
    bool precedes(NodeId a, NodeId b) const;

    // visit(NodeId leaf) -> bool in the order in which the hungry leaves below `from`, then the content ones, are to be
    // served, until one returns true. The tree may not be changed meanwhile. Whether one did.
    template <typename Visit>
    bool first_of(NodeId from, Visit&& visit) const {
        return walk(from, &Node::hungry, visit) || walk(from, &Node::content, visit);
    }

  private:
    using Fractions = boost::container::small_vector<double, resources::predefined_count>;
    struct Key {
        double rank;
        std::uint64_t lot;
        NodeId node;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Node {
        NodeId parent = root;
        bool is_leaf = false;
        double weight = 1;
        Key key{};
        double share = 0;
        Appetite appetite = Appetite::none;  // of a leaf
        bool blocked = true;                 // cannot grow
        Fractions held;                      // of the total; a group's are scaled as described above
        resources::Quantities amount;        // of a leaf

        // Of a group.
        std::set<Key> hungry, content;                   // children that have such leaves
        std::set<std::pair<double, NodeId>> growing;     // not blocked and holding something, by weighted share
        std::size_t unblocked = 0;
        Fractions grown;  // sum over `growing` of held / weighted share
        Fractions fixed;  // sum over the blocked of held
        std::vector<NodeId> children;
        std::size_t position = 0;  // among its parent's children
        unsigned updates = 0;      // since the sums were last made anew
        double last_drawn = 0;     // in a lottery: the rank of the child that was served last
    };

    template <typename Visit>
    bool walk(NodeId from, std::set<Key> Node::*who, Visit& visit) const {
        const Node& node = nodes_[from];
        if (node.is_leaf) return visit(from);
        for (const Key& key : node.*who)
            if (walk(key.node, who, visit)) return true;
        return false;
    }

    NodeId add(NodeId parent, bool is_leaf, double weight);
    void measure_leaf(Node& leaf);
    void measure_group(Node& group);
    void sum_up_anew(Node& group);
    void enter(NodeId child);  // counts it in its parent
    void leave(NodeId child);
    enum class Because { measures, served };
    // Its own measures are stale: brings it and all above it up to date.
    void changed(NodeId node, Because because = Because::measures);
    void rebuild(NodeId group);
    static double weighted(const Node& node) { return node.share / node.weight; }
    void draw(Node& node);

    Options options_;
    base::Prng prng_;
    std::vector<Node> nodes_;
    std::vector<NodeId> free_;
    resources::Quantities total_;
    std::vector<std::string> names_;  // of the scalars in `total_`, in the order of Fractions
    std::vector<bool> saturated_;
};

}  // namespace fairlead::allocator::drf
