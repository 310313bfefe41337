#include "common/http/message.hpp"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

TEST(Target, IsSplitAndDecoded) {
    const auto target = parse_target("/a%20b/c+d?x=1+2&y=%2F&flag&&z=").value();
    EXPECT_EQ(target.path, "/a b/c+d");
    EXPECT_EQ(target.query.get("x"), "1 2");
    EXPECT_EQ(target.query.get("y"), "/");
    EXPECT_EQ(target.query.get("flag"), "");
    EXPECT_EQ(target.query.get("z"), "");
    EXPECT_FALSE(target.query.get("w"));
    EXPECT_EQ(parse_target("http://h:1/p?q=1")->path, "/p");
    EXPECT_EQ(parse_target("http://h:1")->path, "/");
}

TEST(Target, IsRefusedWhenItIsDamaged) {
    for (const auto* target : {"", "x", "/%", "/%4", "/%zz", "/%00", "/a?b=%f"}) {
        EXPECT_FALSE(parse_target(target)) << target;
    }
    EXPECT_EQ(parse_target("/%41")->path, "/A");
}

TEST(Percent, EncodingIsUndoneByDecoding) {
    std::string all;
    for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
    EXPECT_EQ(percent_decode(percent_encode(all), DecodePlus::as_space).value(), all);
}

TEST(Headers, CompareNamesWithoutCaseAndKeepDuplicates) {
    Headers headers{{"Accept", "a/b"}, {"ACCEPT", "c/d"}, {"X", "y\r\nEvil: 1"}};
    EXPECT_EQ(headers.get("accept"), "a/b");
    EXPECT_EQ(headers.joined("Accept"), "a/b, c/d");
    EXPECT_EQ(headers.get("x"), "yEvil: 1");
    headers.set("accept", "e/f");
    EXPECT_EQ(headers.joined("Accept"), "e/f");
    EXPECT_EQ(headers.size(), 2u);
}

TEST(Request, WantsAnUpgradeOnlyWhenBothHeadersSaySo) {
    Request request;
    request.headers.add("Upgrade", "Fairlead-Link");
    EXPECT_FALSE(request.wants_upgrade("fairlead-link"));
    request.headers.add("Connection", "keep-alive, Upgrade");
    EXPECT_TRUE(request.wants_upgrade("fairlead-link"));
    EXPECT_FALSE(request.wants_upgrade("websocket"));
}

}  // namespace
}  // namespace fairlead::http
