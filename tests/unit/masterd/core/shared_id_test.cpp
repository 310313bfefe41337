#include "masterd/core/shared_id.hpp"

#include <gtest/gtest.h>

#include <unordered_map>

namespace fairlead::masterd::core {
namespace {

using Shared = SharedId<base::TaskId>;

TEST(SharedId, IsThePlainIdToWhoeverLooks) {
    const base::TaskId plain("sort-0001");
    const Shared shared = plain;
    EXPECT_EQ(shared.value(), "sort-0001");
    const base::TaskId& back = shared;
    EXPECT_EQ(back, plain);
    EXPECT_TRUE(shared == plain && plain == shared);
    EXPECT_EQ(sizeof(Shared), sizeof(void*));
}

TEST(SharedId, KeepsOneIdForAllItsCopies) {
    Shared first = base::TaskId("sort-0001");
    const Shared second = first;
    EXPECT_EQ(&first.plain(), &second.plain());
    first = base::TaskId("other");
    EXPECT_EQ(second.value(), "sort-0001");
    EXPECT_FALSE(first == second);
    EXPECT_TRUE(second == Shared(base::TaskId("sort-0001"))) << "equal is equal, wherever it is kept";
}

TEST(SharedId, IsEmptyLikeAnEmptyId) {
    EXPECT_TRUE(Shared().empty());
    EXPECT_TRUE(Shared(base::TaskId()).empty());
    EXPECT_EQ(Shared().value(), "");
    EXPECT_TRUE(Shared() == base::TaskId());
}

TEST(SharedId, IsFoundInATableByThePlainId) {
    std::unordered_map<Shared, int, SharedIdHash<base::TaskId>, std::equal_to<>> table;
    table[base::TaskId("a")] = 1;
    EXPECT_EQ(table.find(base::TaskId("a"))->second, 1);
    EXPECT_FALSE(table.contains(base::TaskId("b")));
}

}  // namespace
}  // namespace fairlead::masterd::core
