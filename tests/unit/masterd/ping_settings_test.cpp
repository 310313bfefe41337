#include "masterd/settings.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace fairlead::masterd {
namespace {

std::string complaint(const std::string& lines) {
    const std::string file = testing::TempDir() + "masterd-ping-" + std::to_string(::getpid()) + ".conf";
    std::ofstream(file) << "[Master]\n" << lines;
    const auto settings = read_settings(file);
    ::unlink(file.c_str());
    return settings ? "" : settings.error().message();
}

TEST(PingSettings, TheIntervalMustBeBelowTheTimeout) {
    EXPECT_EQ(complaint("AgentPingInterval=2min\nAgentPingTimeout=5min\n"), "");
    for (const char* lines : {"AgentPingInterval=75s\n", "AgentPingTimeout=15s\n", "AgentPingInterval=6s\nAgentPingTimeout=5s\n"}) {
        const std::string why = complaint(lines);
        EXPECT_NE(why.find(".conf:2"), std::string::npos) << why;
        EXPECT_NE(why.find("must be below AgentPingTimeout"), std::string::npos) << why;
    }
}

}  // namespace
}  // namespace fairlead::masterd
