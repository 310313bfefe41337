#include "nodeagentd/core/uris.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::core {
namespace {

v1::CommandInfo command(const std::string& uri, const std::string& output_file = "") {
    v1::CommandInfo command;
    auto* one = command.add_uris();
    one->set_value(uri);
    if (!output_file.empty()) one->set_output_file(output_file);
    return command;
}
std::string why(const v1::CommandInfo& command) {
    const auto fetches = plan_fetches(command);
    return fetches ? "" : fetches.error().message();
}

TEST(Uris, NameFilesOfThisHost) {
    for (const char* uri : {"/srv/data/x.tgz", "file:///srv/data/x.tgz", "file://localhost/srv/data/x.tgz"}) {
        const auto fetches = plan_fetches(command(uri));
        ASSERT_TRUE(fetches) << uri;
        EXPECT_EQ((*fetches)[0].source, "/srv/data/x.tgz");
        EXPECT_EQ((*fetches)[0].name, "x.tgz");
        EXPECT_TRUE((*fetches)[0].extract) << "by default";
        EXPECT_FALSE((*fetches)[0].executable);
    }
    EXPECT_EQ(plan_fetches(command("/srv/x", "deep/y"))->at(0).name, "deep/y");
}

TEST(Uris, WhatCannotBeFetchedIsSaid) {
    EXPECT_EQ(why(command("https://example.org/x")),
              "cannot fetch 'https://example.org/x': scheme 'https' is not supported by this agent, only file:// is");
    EXPECT_EQ(why(command("x")), "cannot fetch 'x': only file:// and absolute paths are supported");
    EXPECT_EQ(why(command("file://other/x")), "cannot fetch 'file://other/x': files of another host cannot be read");
    EXPECT_EQ(why(command("")), "cannot fetch '': it is empty");
    EXPECT_EQ(why(command("/srv/")), "cannot fetch '/srv/': it names no file");
}

TEST(Uris, AnOutputFileStaysInTheSandbox) {
    for (const char* name : {"/etc/passwd", "../x", "a/../../x", ".."})
        EXPECT_EQ(why(command("/x", name)),
                  "cannot fetch '/x': its output_file '" + std::string(name) + "' leads out of the sandbox");
    EXPECT_EQ(why(command("/x", "a..b/..c")), "");
}

TEST(Uris, AreBounded) {
    v1::CommandInfo many;
    for (int i = 0; i <= uris_per_task_max; ++i) many.add_uris()->set_value("/x");
    EXPECT_EQ(why(many), "the task has 1001 uris, more than the 1000 that are allowed");
}

}  // namespace
}  // namespace fairlead::nodeagentd::core
