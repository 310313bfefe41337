#include "common/base/uuid.hpp"

#include <gtest/gtest.h>

namespace fairlead::base {

TEST(Uuid, TextAndBytesComeBack) {
    Prng prng(3);
    const Uuid uuid = Uuid::draw(prng);
    EXPECT_EQ(Uuid::parse(uuid.text()), uuid);
    EXPECT_EQ(Uuid::from_bytes(uuid.bytes()), uuid);
}

TEST(Uuid, IsAVersion4) {
    Prng prng(9);
    const std::string text = Uuid::draw(prng).text();
    ASSERT_EQ(text.size(), 36u);
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
}

TEST(Uuid, RefusesOtherShapes) {
    EXPECT_FALSE(Uuid::parse(""));
    EXPECT_FALSE(Uuid::parse("130ae4e36b134ef4baa99f2e85c3e9af"));
    EXPECT_FALSE(Uuid::parse("130ae4e3-6b13-4ef4-baa9-9f2e85c3e9ag"));
    EXPECT_FALSE(Uuid::from_bytes("short"));
}

}  // namespace fairlead::base
