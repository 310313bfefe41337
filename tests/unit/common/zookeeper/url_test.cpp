#include "common/zookeeper/url.hpp"

#include <gtest/gtest.h>

namespace fairlead::zookeeper {
namespace {

std::string refusal(std::string_view text) {
    const auto url = parse_url(text);
    return url ? "accepted as " + url->text() : url.error().message();
}

TEST(ZookeeperUrl, HasHostsWithPortsAndAPath) {
    const auto url = parse_url("zk://zk1:2181,zk2:2182,10.0.0.3:2183/fairlead");
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->servers, (std::vector<std::string>{"zk1:2181", "zk2:2182", "10.0.0.3:2183"}));
    EXPECT_EQ(url->connection(), "zk1:2181,zk2:2182,10.0.0.3:2183");
    EXPECT_EQ(url->path, "/fairlead");
    EXPECT_FALSE(url->credentials);
}

TEST(ZookeeperUrl, PathMayBeDeepAndEndWithASlash) {
    const auto url = parse_url("zk://zk1/site/a/fairlead/");
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->path, "/site/a/fairlead");
    EXPECT_EQ(url->servers, std::vector<std::string>{"zk1:2181"}) << "the port may be left out";
}

TEST(ZookeeperUrl, KeepsIpv6AddressesInTheirBrackets) {
    const auto url = parse_url("zk://[::1]:2182,[fe80::1]/x");
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->servers, (std::vector<std::string>{"[::1]:2182", "[fe80::1]:2181"}));
}

TEST(ZookeeperUrl, HasCredentialsBeforeTheAtSign) {
    const auto url = parse_url("zk://me:p@ss:word@zk1:2181/x");
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->credentials, (Credentials{"me", "p@ss:word"}));
    EXPECT_EQ(url->text(), "zk://zk1:2181/x") << "what is shown has no password";
}

TEST(ZookeeperUrl, WhatIsWrongIsTold) {
    EXPECT_EQ(refusal("zk1:2181/x"), "expected zk://host1:2181,host2:2181/path");
    EXPECT_EQ(refusal("zk://zk1:2181"), "the path is missing, such as /fairlead; expected zk://host1:2181,host2:2181/path");
    EXPECT_EQ(refusal("zk://zk1:2181/"), "the path is missing, such as /fairlead; expected zk://host1:2181,host2:2181/path");
    EXPECT_EQ(refusal("zk://zk1:2181,,zk2/x"), "a host is missing between two commas or at an end of the list of hosts");
    EXPECT_EQ(refusal("zk:///x"), "a host is missing between two commas or at an end of the list of hosts");
    EXPECT_EQ(refusal("zk://zk1:0/x"), "\"zk1:0\": the port must be a number from 1 to 65535");
    EXPECT_EQ(refusal("zk://zk1:port/x"), "\"zk1:port\": the port must be a number from 1 to 65535");
    EXPECT_EQ(refusal("zk://zk1:65536/x"), "\"zk1:65536\": the port must be a number from 1 to 65535");
    EXPECT_EQ(refusal("zk://::1/x"), "\"::1\": an IPv6 address needs brackets, as in [::1]:2181");
    EXPECT_EQ(refusal("zk://[::1/x"), "\"[::1\": the [ has no ]");
    EXPECT_EQ(refusal("zk://z k1/x"), "\"z k1\" holds a character that no host name has");
    EXPECT_EQ(refusal("zk://zk1,zk1:2181/x"), "\"zk1:2181\" is named twice");
    EXPECT_EQ(refusal("zk://zk1/a//b"), "the path /a//b has two slashes in a row");
    EXPECT_EQ(refusal("zk://zk1/a/../b"), "the path /a/../b holds \"..\"");
    EXPECT_EQ(refusal("zk://zk1/a b"), "the path holds a space or a control character");
    EXPECT_EQ(refusal("zk://zk1/zookeeper/x"), "the path /zookeeper is ZooKeeper's own");
    EXPECT_EQ(refusal("zk://me@zk1/x"), "before the @: expected user:password");
    EXPECT_EQ(refusal("zk://zk1/" + std::string(2000, 'a')), "the path has more than 1024 bytes");
}

TEST(ZookeeperUrl, PasswordIsNeverRepeated) {
    for (const char* text : {"zk://me:secret/word@zk1/x", "zk://me:secret@zk1:0/x", "zk://me:secret@/x",
                             "zk://me:secret@zk1", "zk://secret@zk1/x"})
        EXPECT_EQ(refusal(text).find("secret"), std::string::npos) << refusal(text);
}

TEST(ZookeeperUrl, TooManyHostsAreRefused) {
    std::string text = "zk://h";
    for (std::size_t i = 0; i < servers_max; ++i) text += ",h" + std::to_string(i);
    EXPECT_EQ(refusal(text + "/x"), "more than 64 hosts");
}

TEST(ZookeeperCredentials, AreReadFromALineOfAFile) {
    EXPECT_EQ(*parse_credentials("me:pa:ss\n"), (Credentials{"me", "pa:ss"}));
    for (const char* text : {"", "me", ":x", "me:", "me:a\nb:c"}) EXPECT_FALSE(parse_credentials(text)) << text;
}

}  // namespace
}  // namespace fairlead::zookeeper
