// REQUEST: what a framework wants, said ahead of offers. A call is taken as a whole or refused as a whole. What is asked for
// again takes its own earlier place: a gang by its name, anything else by its role, agent and shape.

#include "allocator/portion.hpp"
#include "common/resources/wire.hpp"
#include "masterd/core/core.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <map>

namespace fairlead::masterd::core {

using allocator::Wish;
namespace limits = base::limits;

namespace {

base::Error refuse(std::string why) { return base::Error(base::ErrorCode::invalid_argument, std::move(why)); }

struct Asked {
    base::Role role;
    Wish wish;  // count 0: no longer
};

base::Result<base::Role> role_of(const v1::Request& request, const Framework& framework) {
    if (framework.roles.empty()) return refuse("the framework has no role to request something for");
    if (!request.has_role()) return framework.roles.front();
    const base::Role role(request.role());
    if (std::find(framework.roles.begin(), framework.roles.end(), role) == framework.roles.end())
        return refuse("the framework is not subscribed to role '" + request.role() + "'");
    return role;
}

base::Status check_count(const v1::Request& request) {
    const bool is_gang = !request.gang().empty();
    if (is_gang)
        if (const auto ok = base::check_id("gang", request.gang()); !ok) return ok;
    const std::size_t max = is_gang ? limits::gang_count_max : limits::wish_count_max;
    if (request.count() > max)
        return refuse(fmt::format("{} tasks are more than the {} that can be asked for {}", request.count(), max,
                                  is_gang ? "at the same time" : "at once"));
    return {};
}

base::Result<base::Duration> lifetime_of(const v1::Request& request, const CoreOptions& options) {
    if (!request.has_within()) return options.wish_lifetime;
    const base::Duration within(request.within().nanoseconds());
    if (within <= base::Duration::zero()) return refuse("'within' must be above zero");
    if (within > options.wish_lifetime_max)
        return refuse(fmt::format("'within' must not be more than {}",
                                  std::chrono::duration_cast<std::chrono::seconds>(options.wish_lifetime_max)));
    return within;
}

// Amounts count; ports and items come along with what is offered.
base::Result<resources::Quantities> shape_of(const v1::Request& request) {
    const auto wanted = resources::from_wire(request.resources());
    if (!wanted) return refuse("invalid resources: " + wanted.error().message());
    auto shape = wanted->quantities();
    if (shape.empty()) return refuse("no amount of any resource is asked for");
    bool countable = true;
    shape.for_each([&](std::string_view, resources::Milli amount) {
        countable &= amount.thousandths() <= resources::Milli::units(resources::Milli::units_max).thousandths() /
                                                 static_cast<std::int64_t>(std::max(1U, request.count()));
    });
    if (!countable) return refuse("it is more than can be counted");
    return shape;
}

// As an old client may say it who knows that nobody listens.
bool asks_for_nothing(const v1::Request& request) {
    return !request.has_count() && !request.has_gang() && std::none_of(request.resources().begin(), request.resources().end(),
                                                                       [](const auto& one) { return one.has_scalar(); });
}

base::Result<Asked> read(const v1::Request& request, const Framework& framework, const CoreOptions& options,
                         base::Instant now) {
    const auto role = role_of(request, framework);
    if (!role) return role.error();
    if (const auto ok = check_count(request); !ok) return ok.error();
    const auto lifetime = lifetime_of(request, options);
    if (!lifetime) return lifetime.error();
    Asked asked{*role, {}};
    asked.wish.count = request.count();
    asked.wish.gang = request.gang();
    asked.wish.since = now;
    asked.wish.until = now + *lifetime;
    asked.wish.agent = base::AgentId(request.agent_id().value());
    if (request.count() == 0 && !request.gang().empty()) return asked;  // its name is enough to take it back
    auto shape = shape_of(request);
    if (!shape) return shape.error();
    asked.wish.shape = *std::move(shape);
    return asked;
}

using WishesByRole = std::map<base::Role, std::vector<Wish>>;

// Takes what this one replaces out of the wishes.
std::optional<Wish> take_predecessor(WishesByRole& wishes, const Asked& asked) {
    const auto is_predecessor = [&](const base::Role& role, const Wish& other) {
        if (!asked.wish.gang.empty() || !other.gang.empty()) return asked.wish.gang == other.gang;
        return role == asked.role && other.agent == asked.wish.agent && other.shape == asked.wish.shape;
    };
    for (auto& [role, list] : wishes)
        for (auto other = list.begin(); other != list.end(); ++other) {
            if (!is_predecessor(role, *other)) continue;
            Wish taken = std::move(*other);
            list.erase(other);
            return taken;
        }
    return std::nullopt;
}

}  // namespace

void Core::request(Framework& framework, const CallArrived& arrived) {
    WishesByRole wishes;
    for (const base::Role& role : framework.roles)
        if (const auto* claim = books_.claim(framework.slot, role)) wishes[role] = claim->wishes;
    std::map<base::Role, bool> changed;  // whether more is wanted than before
    std::uint64_t number = next_wish_;
    for (const v1::Request& each : arrived.call->request().requests()) {
        if (asks_for_nothing(each)) continue;
        auto asked = read(each, framework, options_, now_.instant);
        if (!asked) return reply(arrived.request, 400, "REQUEST refused: " + asked.error().message());
        auto& wish = asked->wish;
        const auto before = take_predecessor(wishes, *asked);
        const bool is_same = before && before->shape == wish.shape && before->agent == wish.agent &&
                             (wish.gang.empty() || before->count == wish.count);
        wish.number = is_same ? before->number : ++number;
        if (is_same) wish.since = before->since;
        changed[asked->role] |= wish.count > 0 && (!is_same || wish.count > before->count);
        if (wish.count > 0) wishes[asked->role].push_back(std::move(wish));
    }
    std::size_t count = 0;
    for (const auto& [role, list] : wishes) count += list.size();
    if (count > limits::wishes_per_framework_max)
        return reply(arrived.request, 400,
                     fmt::format("REQUEST refused: a framework may have {} requests that are not answered yet, and this "
                                 "would make {}",
                                 limits::wishes_per_framework_max, count));
    reply(arrived.request, 202);
    next_wish_ = number;
    for (auto& [role, list] : wishes) {
        std::stable_sort(list.begin(), list.end(), [](const Wish& a, const Wish& b) { return a.since < b.since; });
        books_.set_wishes(framework, role, std::move(list));
    }
    // Who asks for more than before has not refused it before.
    for (const auto& [role, more] : changed) {
        if (!more) continue;
        books_.set_hungry(framework, role);
        filters_.drop_role(framework.slot, role);
    }
    books_.wake(framework);
    await_end_of_wishes(framework);
}

void Core::await_end_of_wishes(Framework& framework) {
    timers_.cancel(framework.wishes_over);
    std::optional<base::Instant> first;
    for (const auto& claim : books_.framework_entries()[framework.slot].claims)
        for (const Wish& wish : claim.wishes)
            if (wish.until) first = std::min(first.value_or(*wish.until), *wish.until);
    if (first) framework.wishes_over = timers_.schedule(*first, WishesOver{framework.slot});
}

// For something that the cluster could give, if nothing ran in it.
bool Core::waits_for_something(const allocator::Claim& claim) const {
    return std::any_of(claim.wishes.begin(), claim.wishes.end(), [&](const Wish& wish) {
        return allocator::could_be_met(books_.agent_entries(), wish);
    });
}

// Whether an offer holds what its framework has asked for, or it has asked for nothing.
bool Core::is_asked_for(const Offer& offer) const {
    const allocator::Claim* claim = books_.claim(offer.framework, offer.role);
    if (!claim || claim->wishes.empty()) return true;
    const auto amounts = offer.resources.quantities();
    return std::any_of(claim->wishes.begin(), claim->wishes.end(),
                       [&](const Wish& wish) { return amounts.contains(wish.shape); });
}

}  // namespace fairlead::masterd::core
