#include "common/async/backoff.hpp"

#include <algorithm>

namespace fairlead::async {

Backoff::Backoff() : Backoff(Bounds{}) {}

Backoff::Backoff(Bounds bounds) : bounds_(bounds), ceiling_(bounds.min) {}

base::Duration Backoff::next(base::Prng& prng) {
    const auto half = ceiling_ / 2;
    const auto wait = half + base::Duration(static_cast<base::Duration::rep>(
                                 static_cast<double>((ceiling_ - half).count()) * prng.unit()));
    const double grown = static_cast<double>(ceiling_.count()) * bounds_.factor;
    const double bound = static_cast<double>(bounds_.max.count());
    ceiling_ =
        grown < bound ? base::Duration(static_cast<base::Duration::rep>(grown)) : bounds_.max;
    ++attempts_;
    return wait;
}

void Backoff::reset() {
    ceiling_ = bounds_.min;
    attempts_ = 0;
}

}  // namespace fairlead::async
