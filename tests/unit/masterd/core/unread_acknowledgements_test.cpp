#include "masterd/core/unread_acknowledgements.hpp"

#include <gtest/gtest.h>

namespace fairlead::tests {
namespace {

using masterd::core::UnreadAcknowledgements;
using Slots = std::vector<masterd::core::AgentSlot>;

TEST(UnreadAcknowledgements, AreReadOnceAPingThatCameAfterThemIsAnswered) {
    UnreadAcknowledgements unread;
    unread.sent(3, 7, 2);
    unread.answered(3, 1);
    unread.answered(3, 2);
    EXPECT_EQ(unread.agents_of(7), Slots{3}) << "these pings were sent before it";
    unread.answered(4, 3);
    EXPECT_EQ(unread.agents_of(7), Slots{3}) << "another agent's";
    unread.answered(3, 3);
    EXPECT_TRUE(unread.empty());
}

TEST(UnreadAcknowledgements, TheLastOneCounts) {
    UnreadAcknowledgements unread;
    unread.sent(3, 7, 0);
    unread.sent(3, 7, 1);
    unread.sent(3, 8, 0);
    unread.answered(3, 1);
    EXPECT_EQ(unread.agents_of(7), Slots{3});
    EXPECT_TRUE(unread.agents_of(8).empty());
    EXPECT_EQ(unread.frameworks_on(3), Slots{7});
    unread.answered(3, 2);
    EXPECT_TRUE(unread.empty());
}

TEST(UnreadAcknowledgements, AreForgottenWithTheAgentAndWithTheFramework) {
    UnreadAcknowledgements unread;
    for (const masterd::core::AgentSlot agent : {5u, 1u, 3u})
        for (const masterd::core::FrameworkSlot framework : {7u, 8u}) unread.sent(agent, framework, 0);
    EXPECT_EQ(unread.agents_of(7), (Slots{1, 3, 5})) << "in their order";
    unread.drop_agent(3);
    EXPECT_EQ(unread.agents_of(7), (Slots{1, 5}));
    EXPECT_TRUE(unread.frameworks_on(3).empty());
    unread.drop_framework(7);
    EXPECT_EQ(unread.frameworks_on(1), Slots{8});
    unread.drop_framework(8);
    EXPECT_TRUE(unread.empty());
}

}  // namespace
}  // namespace fairlead::tests
