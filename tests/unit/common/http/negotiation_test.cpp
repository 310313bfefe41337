#include "common/http/negotiation.hpp"

#include "common/http/compress.hpp"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

TEST(Accept, TakesAnythingWhenItSaysNothing) {
    EXPECT_TRUE(accepts({}, "application/json"));
    EXPECT_TRUE(accepts({{"Accept", ""}}, "application/json"));
}

TEST(Accept, LetsTheMostSpecificRangeDecide) {
    const Headers headers{{"Accept", "application/*;q=0.5, application/x-protobuf;q=0"},
                          {"accept", "*/*;q=0.1"}};
    EXPECT_DOUBLE_EQ(accept_weight(headers, "application/json"), 0.5);
    EXPECT_FALSE(accepts(headers, "application/x-protobuf"));
    EXPECT_DOUBLE_EQ(accept_weight(headers, "text/plain"), 0.1);
    EXPECT_FALSE(accepts({{"Accept", "text/html"}}, "application/json"));
}

TEST(AcceptEncoding, MeansGzipOnlyWhenItSaysSo) {
    EXPECT_FALSE(accepts_gzip({}));
    EXPECT_TRUE(accepts_gzip({{"Accept-Encoding", "deflate, GZIP"}}));
    EXPECT_TRUE(accepts_gzip({{"Accept-Encoding", "*"}}));
    EXPECT_FALSE(accepts_gzip({{"Accept-Encoding", "gzip;q=0, *"}}));
    EXPECT_FALSE(accepts_gzip({{"Accept-Encoding", "identity"}}));
}

TEST(Gzip, IsUndoneByGunzipWithinItsLimit) {
    const std::string plain(300000, 'q');
    EXPECT_EQ(gunzip(gzip(plain), plain.size()).value(), plain);
    EXPECT_EQ(gunzip(gzip(""), 10).value(), "");
    EXPECT_EQ(gunzip(gzip(plain), 1000).error().code(), base::ErrorCode::limit_exceeded);
    EXPECT_EQ(gunzip("no gzip", 1000).error().code(), base::ErrorCode::malformed);
    const auto packed = gzip(plain);
    EXPECT_EQ(gunzip(packed.substr(0, packed.size() / 2), 1000000).error().code(),
              base::ErrorCode::malformed);
}

}  // namespace
}  // namespace fairlead::http
