// agents gone: what is asked of the master, and what people are told.

#include "cli/agent_commands.hpp"

#include "tests/unit/cli/command_test.hpp"

#include <gmock/gmock.h>

namespace fairlead::cli {
namespace {

class AgentCommands : public CommandTest {
    http::Response answer(const http::Request&) override { return http::text_response(404, ""); }
};

TEST_F(AgentCommands, GoneNamesTheAgent) {
    EXPECT_EQ(run(mark_agent_gone(cluster(), "S1")), success) << err;
    ASSERT_EQ(operated.size(), 1u);
    EXPECT_EQ(boost::json::parse(operated[0]),
              boost::json::parse(R"({"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"S1"}}})"));
    EXPECT_THAT(out, testing::HasSubstr("Agent S1 is gone"));
}

TEST_F(AgentCommands, AnAgentThatNobodyKnowsIsNotGone) {
    operated_answer = {404, "no such agent"};
    EXPECT_EQ(run(mark_agent_gone(cluster(), "S9")), not_found);
    EXPECT_THAT(err, testing::HasSubstr("no such agent"));
    EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace fairlead::cli
