#include "common/http/url.hpp"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

TEST(Url, IsReadInEveryFormThatPeopleWrite) {
    EXPECT_EQ(parse_url("master1", 5050).value(), (Url{"master1", 5050, "/"}));
    EXPECT_EQ(parse_url("10.0.0.1:80", 5050).value(), (Url{"10.0.0.1", 80, "/"}));
    EXPECT_EQ(parse_url("[::1]:5050").value(), (Url{"::1", 5050, "/"}));
    EXPECT_EQ(parse_url("http://[::1]", 7).value(), (Url{"::1", 7, "/"}));
    EXPECT_EQ(parse_url("http://h:1/a/b?c=d#e").value(), (Url{"h", 1, "/a/b?c=d"}));
    EXPECT_EQ(parse_url("h?x=1").value().target, "/?x=1");
    EXPECT_EQ(parse_url("h/a?u=http://x").value(), (Url{"h", 80, "/a?u=http://x"}));
    EXPECT_EQ(parse_url("http://[fe80::1]:5050/x").value().text(), "http://[fe80::1]:5050/x");
}

TEST(Url, ErrorsSayWhatIsWrong) {
    const auto why = [](std::string_view text) {
        const auto url = parse_url(text);
        return url ? std::string("parsed") : url.error().message();
    };
    EXPECT_NE(why("https://h").find("https is not supported"), std::string::npos);
    EXPECT_NE(why("zk://h").find("scheme"), std::string::npos);
    EXPECT_NE(why("").find("host is missing"), std::string::npos);
    EXPECT_NE(why(":5050").find("host is missing"), std::string::npos);
    EXPECT_NE(why("::1").find("brackets"), std::string::npos);
    EXPECT_NE(why("[::1").find("]"), std::string::npos);
    EXPECT_NE(why("[[[]:5050").find("IPv6"), std::string::npos);
    EXPECT_NE(why("a]b").find("host"), std::string::npos);
    for (const auto* text : {"h:", "h:x", "h:0", "h:65536", "h:5050x"}) {
        EXPECT_NE(why(text).find("port"), std::string::npos) << text;
    }
    EXPECT_NE(why("a b").find("host"), std::string::npos);
    EXPECT_NE(why("h/a b").find("%20"), std::string::npos);
    EXPECT_NE(why("user@h").find("user name"), std::string::npos);
}

TEST(Location, LeadsWhereItSays) {
    const Url base{"follower", 5050, "/api/v1/scheduler?x=1"};
    EXPECT_EQ(resolve_location(base, "//leader:5051/api").value(), (Url{"leader", 5051, "/api"}));
    EXPECT_EQ(resolve_location(base, "//leader:5051").value(), (Url{"leader", 5051, "/"}));
    EXPECT_EQ(resolve_location(base, "http://l/x").value(), (Url{"l", 80, "/x"}));
    EXPECT_EQ(resolve_location(base, "/y").value(), (Url{"follower", 5050, "/y"}));
    EXPECT_EQ(resolve_location(base, "/y?u=http://z").value(),
              (Url{"follower", 5050, "/y?u=http://z"}));
    EXPECT_EQ(resolve_location(base, "z").value(), (Url{"follower", 5050, "/api/v1/z"}));
    EXPECT_FALSE(resolve_location(base, ""));
    EXPECT_FALSE(resolve_location(base, "https://l/x"));
}

}  // namespace
}  // namespace fairlead::http
