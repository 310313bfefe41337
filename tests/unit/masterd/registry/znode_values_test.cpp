#include "masterd/registry/znode_values.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace fairlead::masterd::registry {
namespace {

using base::ErrorCode;

TEST(ZnodeNames, AreSafeWhateverTheIdIs) {
    EXPECT_EQ(escape("0f3a-S12_x"), "0f3a-S12_x");
    EXPECT_EQ(escape("."), "%2E");
    EXPECT_EQ(escape("eng/ads*%"), "eng%2Fads%2A%25");
    EXPECT_EQ(escape("\xc3\xa4"), "%C3%A4");
}

TEST(ZnodeNames, AreToldFromThoseThatCannotBeOurs) {
    for (const char* id : {"0f3a-S12_x", ".", "eng/ads*%", "\xc3\xa4"})
        for (const Shelf shelf : shelves) EXPECT_TRUE(may_be_item(shelf, path_of(shelf, id))) << id;
    EXPECT_FALSE(may_be_item(Shelf::agents, "agents/8d/a")) << "it belongs into 8c";
    EXPECT_FALSE(may_be_item(Shelf::agents, "roles/8c/a"));
    for (const char* name : {"", "%61", "%", "%2", "%2x", "%+1", "%2e", "a b"})
        for (unsigned bucket = 0; bucket < buckets; ++bucket)
            EXPECT_FALSE(may_be_item(Shelf::agents, "agents/" + name_of_bucket(bucket) + "/" + name)) << name;
}

TEST(ZnodeNames, ABucketIsTheSameForEver) {
    EXPECT_EQ(path_of(Shelf::agents, "a"), "agents/8c/a");
    EXPECT_EQ(path_of(Shelf::roles, "*"), "roles/7d/%2A") << "changing the hash would lose what is there";
}

TEST(ZnodeValues, WhatIsNoRegistryIsToldFromANewerOne) {
    const auto code = [](const std::string& value) { return read_header("/r", value).error().message(); };
    EXPECT_NE(code("").find("not a Fairlead registry"), std::string::npos);
    EXPECT_NE(code("a recipe").find("not a Fairlead registry"), std::string::npos);
    internal::RegistryHeader header;
    header.set_magic(std::string(znode_magic));
    header.set_format_version(znode_format_version + 1);
    header.set_cluster_id("c");
    EXPECT_NE(code(header.SerializeAsString()).find("newer Fairlead"), std::string::npos);
    EXPECT_NE(code(header_value("c", true)).find("import"), std::string::npos);
    EXPECT_EQ(read_header("/r", header_value("c", false))->cluster_id(), "c");
}

TEST(ZnodeValues, AnItemThatSaysWhatItsNameDoesNotIsRefused) {
    const core::AgentRecord agent{base::AgentId("a"), core::AgentRecord::Standing::admitted, {}};
    ItemsRead read;
    EXPECT_TRUE(read.add(Shelf::agents, path_of(Shelf::agents, "a"), value_of(agent)));
    const auto wrong = read.add(Shelf::agents, path_of(Shelf::agents, "b"), value_of(agent));
    EXPECT_EQ(wrong.error().code(), ErrorCode::malformed);
    EXPECT_NE(wrong.error().message().find(path_of(Shelf::agents, "b")), std::string::npos) << wrong.error().message();
    EXPECT_FALSE(read.add(Shelf::agents, path_of(Shelf::agents, "b"), "garbage"));
    EXPECT_EQ(read.take().agents.size(), 1u);
}

TEST(ZnodeValues, AmountsThatCannotBeAreRefused) {
    internal::RegistryRole role;
    role.set_name("eng");
    const auto is_read = [&] { return ItemsRead().add(Shelf::roles, path_of(Shelf::roles, "eng"), role.SerializeAsString()).has_value(); };
    EXPECT_TRUE(is_read());
    role.set_weight(-1);
    EXPECT_FALSE(is_read());
    role.set_weight(1);
    auto& amount = *role.add_guarantee();
    amount.set_resource("cpus");
    amount.set_thousandths(-5);
    EXPECT_FALSE(is_read());
    amount.set_thousandths(std::numeric_limits<std::int64_t>::max());
    EXPECT_FALSE(is_read());
    amount.set_thousandths(5000);
    EXPECT_TRUE(is_read());
    *role.add_guarantee() = role.guarantee(0);
    EXPECT_FALSE(is_read());
}

TEST(ZnodeValues, FrameworksComeInTheOrderOfTheirNumbers) {
    ItemsRead read;
    for (const auto& [id, number] : {std::pair("x", 12), std::pair("y", 3), std::pair("z", 7)})
        EXPECT_TRUE(read.add(Shelf::frameworks, path_of(Shelf::frameworks, id),
                             value_of(base::FrameworkId(id), static_cast<std::uint64_t>(number))));
    EXPECT_EQ(read.framework_numbers(), 12u);
    const std::vector expected{base::FrameworkId("y"), base::FrameworkId("z"), base::FrameworkId("x")};
    EXPECT_EQ(read.take().ended_frameworks, expected);
}

}  // namespace
}  // namespace fairlead::masterd::registry
