#include "common/detection/master_znode.hpp"

#include <gtest/gtest.h>

namespace fairlead::detection {
namespace {

v1::MasterInfo master() {
    v1::MasterInfo info;
    info.set_id("3b1c");
    info.set_ip(16777226);
    info.set_port(5050);
    info.set_pid("master@10.0.0.1:5050");
    info.set_hostname("m1");
    info.set_version("1.11.0");
    info.mutable_address()->set_hostname("m1");
    info.mutable_address()->set_ip("10.0.0.1");
    info.mutable_address()->set_port(5050);
    info.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name("eu");
    info.mutable_domain()->mutable_fault_domain()->mutable_zone()->set_name("r1");
    info.add_capabilities()->set_type(v1::MasterInfo::Capability::AGENT_UPDATE);
    info.add_capabilities()->set_type(v1::MasterInfo::Capability::QUOTA_V2);
    return info;
}

TEST(MasterZnode, IsWrittenAsMesosWritesIt) {
    EXPECT_EQ(to_znode(master()),
              R"({"address":{"hostname":"m1","ip":"10.0.0.1","port":5050},)"
              R"("capabilities":[{"type":"AGENT_UPDATE"},{"type":"QUOTA_V2"}],)"
              R"("domain":{"fault_domain":{"region":{"name":"eu"},"zone":{"name":"r1"}}},)"
              R"("hostname":"m1","id":"3b1c","ip":16777226,"pid":"master@10.0.0.1:5050","port":5050,"version":"1.11.0"})");
}

TEST(MasterZnode, IsReadAsItWasWritten) {
    const auto info = from_znode(to_znode(master()));
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(info->SerializeAsString(), master().SerializeAsString());
    EXPECT_EQ(authority_of(*info), "m1:5050");
    EXPECT_EQ(address_of(*info), "10.0.0.1:5050");
}

TEST(MasterZnode, OfAnOldMesosHasNoAddressButItsNumber) {
    const auto info = from_znode(R"({"id":"x","ip":16777226,"port":5051,"hostname":""})");
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(address_of(*info), "10.0.0.1:5051");
    EXPECT_EQ(authority_of(*info), "10.0.0.1:5051");
}

TEST(MasterZnode, WhatNamesNoMasterIsMalformed) {
    for (const char* data : {"", "garbage", "[]", "{}", R"({"id":"x","ip":0,"port":5050})", R"({"id":"x","ip":1,"port":70000})",
                             R"({"id":"x","ip":1,"port":0})"})
        EXPECT_EQ(from_znode(data).error().code(), base::ErrorCode::malformed) << data;
    EXPECT_FALSE(from_znode(std::string(znode_bytes_max + 1, ' ')));
}

TEST(MasterZnodes, LowestNumberComesFirstWhateverItsDigits) {
    const auto children = sort_children({"json.info_0000000010", "json.info_9", "json.info_2147483648", "json.info_x", "log_replicas",
                                         "info_0000000001", "notes"});
    EXPECT_EQ(children.contenders,
              (std::vector<std::string>{"json.info_9", "json.info_0000000010", "json.info_2147483648"}));
    EXPECT_EQ(children.foreign, (std::vector<std::string>{"info_0000000001", "json.info_x", "notes"}));
}

}  // namespace
}  // namespace fairlead::detection
