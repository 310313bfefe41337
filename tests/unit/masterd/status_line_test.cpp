// What `systemctl status` shows, of cores that really are in the state.

#include "masterd/status_line.hpp"

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using masterd::status_line;
using masterd::api::Standing;

TEST(StatusLine, OfALeaderSaysWhatItHas) {
    MasterHarness master;
    const auto line = [&] { return status_line(master.core.state(), Standing().view()); };
    EXPECT_EQ(line(), "leading, epoch 1: 0 agents, 0 frameworks, 0 offers out");
    master.join("host1");
    master.join("host2");
    master.subscribe();
    EXPECT_EQ(line(), "leading, epoch 1: 2 agents, 1 frameworks, 2 offers out");
}

TEST(StatusLine, OfAStandbySaysWhoLeads) {
    const masterd::core::State state;
    Standing standing;
    standing.unknown();
    EXPECT_EQ(status_line(state, standing.view()), "standing by: nobody is known to lead");
    standing.other("m2:5050");
    EXPECT_EQ(status_line(state, standing.view()), "standing by: m2:5050 leads");
    standing.own();
    EXPECT_EQ(status_line(state, standing.view()), "elected: reading the registry");
}

TEST(StatusLine, SaysWhatKeepsAMasterFromLeadingWhoeverLeads) {
    const masterd::core::State state;
    Standing standing;
    standing.trouble("znode /x is damaged");
    EXPECT_EQ(status_line(state, standing.view()),
              "elected: reading the registry; cannot take over: znode /x is damaged");
    standing.other("m2:5050");
    EXPECT_EQ(status_line(state, standing.view()), "standing by: m2:5050 leads; cannot take over: znode /x is damaged");
    standing.trouble("");
    EXPECT_EQ(status_line(state, standing.view()), "standing by: m2:5050 leads");
}

TEST(StatusLine, IsOneLineWhateverAZnodeHolds) {
    const masterd::core::State state;
    Standing standing;
    standing.trouble("garbage\nMAINPID=1\t" + std::string(10'000, 'x'));
    const std::string line = status_line(state, standing.view());
    EXPECT_EQ(line.find_first_of("\n\t"), std::string::npos);
    EXPECT_LT(line.size(), 1000u);
}

}  // namespace
}  // namespace fairlead::tests
