#include "masterd/core/agent_records.hpp"

#include "common/resources/wire.hpp"
#include "tests/support/master_messages.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd::core {
namespace {

v1::AgentInfo in_rack(const std::string& host, const std::string& rack) {
    v1::AgentInfo info = tests::agent_info(host, 4, 1024);
    info.mutable_id()->set_value("id of " + host);
    auto& attribute = *info.add_attributes();
    attribute.set_name("rack");
    attribute.set_type(v1::Value::TEXT);
    attribute.mutable_text()->set_value(rack);
    return info;
}

TEST(AgentKinds, HaveWhatManyAgentsSayOnce) {
    AgentKinds kinds;
    const auto one = kinds.find_or_add(in_rack("host1", "r1"), "1.0");
    EXPECT_EQ(kinds.find_or_add(in_rack("host2", "r1"), "1.0"), one);
    EXPECT_NE(kinds.find_or_add(in_rack("host3", "r2"), "1.0"), one);
    EXPECT_NE(kinds.find_or_add(in_rack("host4", "r1"), "1.1"), one);
    v1::AgentInfo elsewhere = in_rack("host5", "r1");
    elsewhere.set_port(7000);
    EXPECT_NE(kinds.find_or_add(elsewhere, "1.0"), one);
    EXPECT_EQ(one->version, "1.0");
    EXPECT_EQ(one->info.attributes(0).text().value(), "r1");
    EXPECT_FALSE(one->info.has_hostname() || one->info.has_id() || one->info.resources_size() > 0);
}

TEST(AgentKinds, ForgetThoseThatNobodyHasAnyMore) {
    AgentKinds kinds;
    const auto kept = kinds.find_or_add(in_rack("host", "kept"), "1.0");
    for (int i = 0; i < 1000; ++i) kinds.find_or_add(in_rack("host", std::to_string(i)), "1.0");
    EXPECT_LT(kinds.size(), 40u);
    EXPECT_EQ(kinds.find_or_add(in_rack("another", "kept"), "1.0"), kept);
}

TEST(AgentKinds, LoseNothingOfWhatTheAgentSaid) {
    AgentKinds kinds;
    v1::AgentInfo info = in_rack("host1", "r1");
    info.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name("north");
    info.mutable_domain()->mutable_fault_domain()->mutable_zone()->set_name("a");
    const auto total = resources::from_wire(info.resources()).value();
    const auto kind = kinds.find_or_add(info, "1.0");
    v1::AgentInfo again = info_of(*kind, "host1", "id of host1", total);
    EXPECT_EQ(resources::from_wire(again.resources()).value(), total);
    again.clear_resources();
    info.clear_resources();
    EXPECT_EQ(again.SerializeAsString(), info.SerializeAsString());
}

}  // namespace
}  // namespace fairlead::masterd::core
