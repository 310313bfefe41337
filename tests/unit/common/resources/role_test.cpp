#include "common/resources/role.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::resources {

TEST(Role, PathsAndTheStarAreLegal) {
    for (const char* legal :
         {"*", "eng", "eng/ads", "eng/ads/x", "a.b", "a-b", "...", "größe", "a*"})
        EXPECT_TRUE(check_role(legal)) << legal;
}

TEST(Role, WhatCannotBeAPathIsRefused) {
    for (const char* wrong :
         {"", ".", "..", "-eng", "eng/-ads", "/eng", "eng/", "eng//ads", "eng/./ads", "eng/..",
          "a b", "a\tb", "a\nb", "a\bb", "/", "*/eng", "eng/*"})
        EXPECT_FALSE(check_role(wrong)) << wrong;
    EXPECT_FALSE(check_role(std::string(256, 'r')));
}

TEST(Role, AnAncestorCoversItsDescendantsOnly) {
    const auto role = [](const char* name) { return base::Role(name); };
    EXPECT_TRUE(covers(role("eng"), role("eng")));
    EXPECT_TRUE(covers(role("eng"), role("eng/ads")));
    EXPECT_FALSE(covers(role("eng"), role("engine")));
    EXPECT_FALSE(covers(role("eng/ads"), role("eng")));
}

}  // namespace fairlead::resources
