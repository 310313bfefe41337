// Shared objects that do one thing wrong, by one definition: such as a master must refuse, and such as it has to live with.
// But for their fault they offer everything to everybody, first come, first served.

#include "allocator/module_abi.hpp"
#include "allocator/round.hpp"

#include <chrono>
#include <stdexcept>

namespace {

using namespace fairlead::allocator;

// Not to be optimised away: nothing in it ends.
[[maybe_unused]] void loop_for_ever() {
    for (volatile unsigned turns = 0;; turns = turns + 1) {}
}

#ifdef LOOPS_WHEN_LOADED
__attribute__((constructor)) void when_loaded() { loop_for_ever(); }
#endif

struct Faulty : Module {
    explicit Faulty(std::uint64_t) {
#if defined(FAILS_AT_START)
        throw std::runtime_error("the moon is in the wrong place");
#elif defined(LOOPS_AT_START)
        loop_for_ever();
#endif
    }
    ~Faulty() override {
#ifdef LOOPS_AT_END
        loop_for_ever();
#endif
    }

    Plan plan(const Snapshot& snapshot, const Changes& changes) override {
        Round round(snapshot, changes, Round::Look::everywhere);
        for (const AgentSlot agent : round.agents())
            for (Asker& asker : round.askers()) round.offer(asker, agent, round.limits_of(asker.claim->role));
        Plan plan = round.take_plan();
        [[maybe_unused]] const bool at_fault = ++plans_ % 2 == 0;
#if defined(LOOPS_IN_PLAN)
        if (at_fault) loop_for_ever();
#elif defined(SLOW)
        const auto start = std::chrono::steady_clock::now();
        while (at_fault && std::chrono::steady_clock::now() - start < std::chrono::seconds(2)) {}
#elif defined(THROWS)
        if (at_fault) throw std::runtime_error("the moon has set");
#elif defined(THROWS_NO_EXCEPTION)
        if (at_fault) throw 7;
#elif defined(LIES)
        add_lies(snapshot, plan);
#endif
        return plan;
    }

    [[maybe_unused]] static void add_lies(const Snapshot& snapshot, Plan& plan) {
        const auto much = fairlead::resources::Resources::parse("cpus:100000;mem:100000000").value();
        const auto agents = static_cast<AgentSlot>(snapshot.agents.size());
        const auto frameworks = static_cast<FrameworkSlot>(snapshot.frameworks.size());
        const auto roles = static_cast<RoleSlot>(snapshot.roles.size());
        for (const OfferLine& wrong : {OfferLine{0, 0, agents, much}, OfferLine{frameworks + 7, 1, 0, much},
                                       OfferLine{0, roles, 0, much}, OfferLine{0, 1, 0, much}, OfferLine{0, 1, 0, {}},
                                       OfferLine{~0U, ~0U, ~0U, much, std::chrono::hours(-1), "gang"}})
            plan.offers.insert(plan.offers.begin(), wrong);
        plan.offers.insert(plan.offers.end(), plan.offers.begin(), plan.offers.end());
        plan.rescinds.push_back({frameworks, agents});
        plan.revocations.push_back({0, 0, fairlead::base::TaskId("nobody-knows-it"), 1});
        plan.call_offs.push_back({~0U, fairlead::base::TaskId("nobody-knows-it")});
        plan.inverse_offers.push_back({0, agents, much});
        plan.again_at = snapshot.now - std::chrono::hours(1);
        plan.holds = {{~0U, ~0U, ~0U, {}, {}}};
    }

    unsigned plans_ = 0;
};

}  // namespace

#if defined(OTHER_INTERFACE) || defined(OTHER_LAYOUT)
extern "C" const fairlead_allocation_module_entry* fairlead_allocation_module() {
    static const fairlead_allocation_module_entry entry{
#ifdef OTHER_INTERFACE
        fairlead_allocation_interface + 1, fairlead::allocator::layout_of_interface(),
#else
        fairlead_allocation_interface, fairlead::allocator::layout_of_interface() + 1,
#endif
        "other", "1", [](std::uint64_t seed) -> fairlead::allocator::Module* { return new Faulty(seed); },
        [](fairlead::allocator::Module* module) { delete module; }};
    return &entry;
}
#elif !defined(NO_DOOR)
FAIRLEAD_ALLOCATION_MODULE(Faulty, ITS_NAME, "1")
#endif
