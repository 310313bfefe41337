#include "masterd/core/packed.hpp"

#include "fairlead/v1/mesos.pb.h"

#include <gtest/gtest.h>

namespace fairlead::masterd::core {
namespace {

TEST(Packed, GivesBackTheMessageAlsoWhereItIsNotComplete) {
    v1::Task task;  // without the ids that are required
    task.set_name("sort");
    task.mutable_labels()->add_labels()->set_key("stage");
    const Packed<v1::Task> packed(task);
    EXPECT_TRUE(packed);
    EXPECT_EQ(packed.message().SerializePartialAsString(), task.SerializePartialAsString());
}

TEST(Packed, IsSharedByItsCopiesAndOutlivesTheFirst) {
    Packed<v1::TaskStatus> first;
    v1::TaskStatus status;
    status.set_message(std::string(1000, 'm'));
    first = Packed(status);
    Packed<v1::TaskStatus> second = first;
    first = {};
    EXPECT_FALSE(first);
    EXPECT_EQ(second.message().message(), std::string(1000, 'm'));
    second = second;
    EXPECT_EQ(second.size(), status.ByteSizeLong());
}

TEST(Packed, IsAnEmptyMessageWhereThereIsNone) {
    const Packed<v1::Task> none;
    EXPECT_FALSE(none);
    EXPECT_FALSE(none.message().has_name());
    EXPECT_EQ(none.size(), 0u);
    EXPECT_TRUE(Packed(v1::Task())) << "an empty message is one";
}

}  // namespace
}  // namespace fairlead::masterd::core
