#include "common/zookeeper/paths.hpp"

#include <gtest/gtest.h>

namespace fairlead::zookeeper {
namespace {

TEST(ZookeeperPaths, AreJoinedAndTakenApart) {
    EXPECT_EQ(join("/a", "b"), "/a/b");
    EXPECT_EQ(join("/", "b"), "/b");
    EXPECT_EQ(name_of("/a/b"), "b");
}

TEST(ZookeeperPaths, SequenceIsTheNumberBehindTheLastUnderscore) {
    EXPECT_EQ(sequence_of("json.info_0000000012"), 12);
    EXPECT_EQ(sequence_of("a_b_7"), 7);
    for (const char* name : {"log_replicas", "json.info_", "0000000012", "json.info_12x", ""})
        EXPECT_EQ(sequence_of(name), std::nullopt) << name;
}

}  // namespace
}  // namespace fairlead::zookeeper
