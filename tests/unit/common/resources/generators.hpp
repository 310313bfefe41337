#pragma once
// Random resources for properties: small amounts and few names, so that kinds meet often; ranges of
// two vectors are made to be disjoint by their parity of tens, so that their sum exists.

#include "common/resources/resources.hpp"

#include <rapidcheck.h>

#include <string>
#include <vector>

namespace fairlead::resources {

enum class Side { left, right };

inline Ranges draw_ranges(Side side) {
    std::vector<Range> drawn;
    const auto decades = *rc::gen::container<std::vector<bool>>(8, rc::gen::arbitrary<bool>());
    for (std::size_t i = 0; i < decades.size(); ++i) {
        if (!decades[i]) continue;
        const std::uint64_t start = 31000 + 20 * i + (side == Side::left ? 0 : 10);
        const auto first = *rc::gen::inRange<std::uint64_t>(0, 10);
        const auto last = *rc::gen::inRange<std::uint64_t>(first, 10);
        drawn.push_back({start + first, start + last});
    }
    return Ranges::from(std::move(drawn)).value();
}

inline ItemSet draw_items(Side side) {
    std::vector<std::string> drawn;
    for (const char* name : {"a", "b", "c", "d"})
        if (*rc::gen::arbitrary<bool>())
            drawn.push_back(name + std::string(side == Side::left ? "1" : "2"));
    return ItemSet::from(std::move(drawn)).value();
}

inline Qualifier draw_qualifier() {
    Qualifier drawn;
    const auto depth = *rc::gen::weightedElement<int>({{4, 0}, {2, 1}, {1, 2}});
    std::string role;
    for (int i = 0; i < depth; ++i) {
        role += (role.empty() ? "" : "/") + *rc::gen::element<std::string>("eng", "ads");
        Reservation one{.role = base::Role(role)};
        if (i > 0 || *rc::gen::arbitrary<bool>()) {
            one.type = Reservation::Type::dynamic;
            if (*rc::gen::arbitrary<bool>()) one.principal = "alice";
            if (*rc::gen::arbitrary<bool>())
                one.labels = {{{"key", std::nullopt}, {"other", "value"}}};
        }
        drawn.reservations.push_back(std::move(one));
    }
    drawn.revocable = depth == 0 && *rc::gen::weightedElement<bool>({{4, false}, {1, true}});
    drawn.shared = !drawn.revocable && *rc::gen::weightedElement<bool>({{6, false}, {1, true}});
    return drawn;
}

inline Milli draw_amount() {
    return Milli(*rc::gen::inRange<std::int64_t>(0, 5000));
}

// Without qualifiers when `plain`: what the text form can carry.
inline Resources draw_resources(Side side, bool plain = false) {
    const auto qualifier = [&] { return plain ? Qualifier{} : draw_qualifier(); };
    Resources drawn = Resources::scalars(draw_amount(), draw_amount(), draw_amount(),
                                         Milli::units(*rc::gen::inRange<std::int64_t>(0, 4)));
    const auto more = *rc::gen::inRange(0, 4);
    for (int i = 0; i < more; ++i) {
        const auto name = *rc::gen::element<std::string>("cpus", "disk", "bandwidth");
        drawn.add(Resource(name, draw_amount(), qualifier()));
    }
    if (*rc::gen::arbitrary<bool>()) drawn.add(Resource("ports", draw_ranges(side), qualifier()));
    if (*rc::gen::arbitrary<bool>()) drawn.add(Resource("nics", draw_items(side), qualifier()));
    return drawn;
}

}  // namespace fairlead::resources
