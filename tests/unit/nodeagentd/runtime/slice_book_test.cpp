#include "nodeagentd/runtime/slice_book.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::runtime {
namespace {

using What = SliceBook::What;
const std::string slice = "fairlead-f.slice";

SliceBook::Member member(double cpus) {
    return {slice, base::FrameworkId("f"), "Hadoop", cpus};
}

std::optional<SliceBook::Do> deed(What what) {
    return SliceBook::Do{what, slice};
}

TEST(SliceBook, ASliceComesWithItsFirstContainerAndGoesAWhileAfterTheLast) {
    SliceBook book;
    EXPECT_EQ(book.join(member(1)), deed(What::start));
    EXPECT_FALSE(book.stands(slice));
    EXPECT_EQ(book.started(slice), std::nullopt);
    EXPECT_TRUE(book.stands(slice));
    EXPECT_EQ(book.join(member(1)), std::nullopt);
    EXPECT_EQ(book.leave(slice, 1), std::nullopt);
    EXPECT_EQ(book.leave(slice, 1), deed(What::linger));
    EXPECT_EQ(book.linger_over(slice), deed(What::stop));
    EXPECT_FALSE(book.stands(slice));
    EXPECT_EQ(book.stopped(slice), std::nullopt);
    EXPECT_EQ(book.join(member(1)), deed(What::start));
}

TEST(SliceBook, AContainerThatComesInTimeKeepsTheSlice) {
    SliceBook book;
    book.join(member(1));
    book.started(slice);
    EXPECT_EQ(book.leave(slice, 1), deed(What::linger));
    EXPECT_EQ(book.join(member(1)), std::nullopt);
    EXPECT_EQ(book.linger_over(slice), std::nullopt);
    EXPECT_TRUE(book.stands(slice));
}

TEST(SliceBook, AContainerThatComesWhileItsSliceIsBeingStoppedWaitsForTheNext) {
    SliceBook book;
    book.join(member(1));
    book.started(slice);
    book.leave(slice, 1);
    book.linger_over(slice);
    EXPECT_EQ(book.join(member(1)), std::nullopt);
    EXPECT_FALSE(book.stands(slice));
    EXPECT_EQ(book.stopped(slice), deed(What::start));
    book.started(slice);
    EXPECT_TRUE(book.stands(slice));
}

TEST(SliceBook, ASliceWhoseContainersLeftBeforeItStoodGoesToo) {
    SliceBook book;
    book.join(member(1));
    EXPECT_EQ(book.leave(slice, 1), std::nullopt);
    EXPECT_EQ(book.started(slice), deed(What::linger));
}

TEST(SliceBook, ASliceOfAnEarlierAgentIsStoppedWhenNobodyIsInIt) {
    SliceBook book;
    EXPECT_EQ(book.found(slice), deed(What::linger));
    EXPECT_EQ(book.linger_over(slice), deed(What::stop));
}

TEST(SliceBook, TheWeightFollowsWhatItsContainersWereGiven) {
    SliceBook book;
    book.join(member(1));
    EXPECT_TRUE(book.take_changed().empty());
    book.started(slice);
    EXPECT_TRUE(book.take_changed().empty());  // it was started with this weight
    book.join(member(2.5));
    EXPECT_EQ(book.take_changed(), std::vector<std::string>{slice});
    EXPECT_TRUE(book.take_changed().empty());
    EXPECT_DOUBLE_EQ(book.standing(slice).cpus, 3.5);
    EXPECT_EQ(book.standing(slice).framework_name, "Hadoop");
}

}  // namespace
}  // namespace fairlead::nodeagentd::runtime
