#include "masterd/core/ended_frameworks.hpp"

#include <gtest/gtest.h>

namespace fairlead::tests {
namespace {

using masterd::core::EndedFrameworks;
using base::AgentId;
using base::FrameworkId;
using Ids = EndedFrameworks::Ids;

const AgentId a("a");
const AgentId b("b");
const FrameworkId f("f");
const FrameworkId g("g");

TEST(EndedFrameworks, OneLingersUntilTheLastAgentIsOff) {
    EndedFrameworks ended;
    EXPECT_TRUE(ended.add(f, {{a, b}}));
    EXPECT_FALSE(ended.add(f, {{a}})) << "no news";
    EXPECT_FALSE(ended.is_off(a, f));
    EXPECT_FALSE(ended.is_off(a, f)) << "a second time";
    EXPECT_FALSE(ended.is_off(b, g));
    EXPECT_TRUE(ended.lingers(f));
    EXPECT_TRUE(ended.is_off(b, f));
    EXPECT_FALSE(ended.lingers(f));
    EXPECT_TRUE(ended.contains(f)) << "its id is not used again";
    EXPECT_TRUE(ended.add(f, {{a}})) << "an agent has brought something of it after all";
    EXPECT_TRUE(ended.is_off(a, f));
}

TEST(EndedFrameworks, OneOfWhichNobodyHasAnythingDoesNotLinger) {
    EndedFrameworks ended;
    EXPECT_FALSE(ended.add(f, {}));
    EXPECT_TRUE(ended.contains(f));
    EXPECT_FALSE(ended.lingers(f));
}

TEST(EndedFrameworks, OneThatMayBeOnAnyAgentThatIsAwayLingersUntilNoneIs) {
    EndedFrameworks ended;
    EXPECT_TRUE(ended.add(f, {{}, true}));
    EXPECT_TRUE(ended.add(g, {{a}, true}));
    EXPECT_FALSE(ended.is_off(b, f));
    EXPECT_EQ(ended.none_is_absent(), Ids{f});
    EXPECT_TRUE(ended.none_is_absent().empty());
    EXPECT_TRUE(ended.is_off(a, g));
}

TEST(EndedFrameworks, AnAgentsOnesAreFoundByIt) {
    EndedFrameworks ended;
    ended.add(f, {{a, b}});
    ended.add(g, {{a}});
    EXPECT_EQ(ended.on(a), (Ids{f, g}));
    ended.is_off(a, f);
    EXPECT_EQ(ended.on(a), Ids{g});
    EXPECT_EQ(ended.on(b), Ids{f});
}

TEST(EndedFrameworks, ThoseThatLingerAreForgottenLast) {
    EndedFrameworks ended;
    ended.add(f, {{a}});
    ended.add(g, {{b}, true});
    for (const char* id : {"x", "y", "z"}) ended.add(FrameworkId(id), {});
    EXPECT_TRUE(ended.forget_beyond(3).empty());
    EXPECT_FALSE(ended.contains(FrameworkId("y")));
    EXPECT_TRUE(ended.contains(FrameworkId("z")));
    EXPECT_EQ(ended.forget_beyond(1), Ids{f});
    EXPECT_TRUE(ended.on(a).empty());
    EXPECT_EQ(ended.forget_beyond(0), Ids{g});
    EXPECT_TRUE(ended.on(b).empty());
    EXPECT_TRUE(ended.none_is_absent().empty());
    EXPECT_EQ(ended.size(), 0u);
}

}  // namespace
}  // namespace fairlead::tests
