// A registry that is carried from place to place stays the same cluster's, and never overwrites another.

#include "masterd/registry/import_registry.hpp"

#include "masterd/registry/sqlite_file.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/zookeeper_server.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace fairlead::masterd::registry {
namespace {

using base::ErrorCode;
using tests::ScratchFolder;

class Import : public testing::Test {
  protected:
    // What a single master has left.
    SqliteFile make_source() {
        auto file = SqliteFile::open(source()).value();
        const std::uint64_t epoch = file.begin_epoch().value();
        core::RoleOrders heavy{3, {}, {}};
        heavy.limit.set("cpus", resources::Milli::units(7));
        const std::vector<core::Persist> changes{
            core::PersistAgent{{base::AgentId("a"), core::AgentRecord::Standing::admitted, base::WallTime(base::Duration(5))}},
            core::PersistAgent{{base::AgentId("b"), core::AgentRecord::Standing::removed, base::WallTime(base::Duration(6))}},
            core::PersistEndedFramework{base::FrameworkId("f")}, core::PersistRoleOrders{base::Role("eng/ads"), heavy}};
        EXPECT_TRUE(file.write(epoch, changes));
        return file;
    }
    std::string source() const { return folder.file("source.sqlite").string(); }
    std::string copy() const { return folder.file("copy.sqlite").string(); }
    static std::string url() {
        static int count = 0;
        return "zk://" + tests::ZookeeperServer::shared().address() + "/import" + std::to_string(++count) + "/fairlead";
    }

    ScratchFolder folder;
};

TEST_F(Import, FromSqliteToZooKeeperAndBackNothingIsLost) {
    const auto original = make_source().copy_out().value();
    const std::string zookeeper = url();
    const auto there = import_registry(source(), zookeeper, {});
    ASSERT_TRUE(there) << there.error().message();
    EXPECT_NE(there->find("2 agents, orders about 1 roles, 1 ended frameworks"), std::string::npos) << *there;
    const auto back = import_registry(zookeeper, copy(), {});
    ASSERT_TRUE(back) << back.error().message();
    auto file = SqliteFile::open(copy()).value();
    const auto copied = file.copy_out().value();
    EXPECT_EQ(copied.cluster_id, original.cluster_id);
    EXPECT_EQ(file.cluster_id(), original.cluster_id);
    EXPECT_EQ(copied.inheritance.agents.size(), 2u);
    EXPECT_EQ(copied.inheritance.agents[1].since, original.inheritance.agents[1].since);
    EXPECT_EQ(copied.inheritance.ended_frameworks, original.inheritance.ended_frameworks);
    EXPECT_EQ(copied.inheritance.role_orders, original.inheritance.role_orders);
    EXPECT_GT(file.begin_epoch().value(), original.epoch + epochs_skipped) << "later than any leader since the copy was made";
    EXPECT_EQ(std::filesystem::exists(copy() + ".unfinished"), false);
}

TEST_F(Import, ATargetThatIsThereIsRefusedAndLeftAlone) {
    make_source();
    std::ofstream(copy()) << "my notes";
    const auto refused = import_registry(source(), copy(), {});
    EXPECT_EQ(refused.error().code(), ErrorCode::already_exists) << refused.error().message();
    EXPECT_EQ(std::filesystem::file_size(copy()), 8u);
    const std::string zookeeper = url();
    ASSERT_TRUE(import_registry(source(), zookeeper, {}));
    const auto again = import_registry(source(), zookeeper, {});
    EXPECT_EQ(again.error().code(), ErrorCode::already_exists) << again.error().message();
}

TEST_F(Import, ASourceThatIsNotThereIsNotMade) {
    const auto refused = import_registry(source(), copy(), {});
    EXPECT_NE(refused.error().message().find("there is no file"), std::string::npos) << refused.error().message();
    EXPECT_FALSE(std::filesystem::exists(source()));
    EXPECT_FALSE(std::filesystem::exists(copy()));
    EXPECT_EQ(import_registry(url(), copy(), {}).error().code(), ErrorCode::not_found);
    EXPECT_FALSE(import_registry("zk://", copy(), {}));
}

TEST_F(Import, WhatAnInterruptedOneHasLeftIsNoRegistryAndInNobodysWay) {
    make_source();
    std::ofstream(copy() + ".unfinished") << "half of it";
    ASSERT_TRUE(import_registry(source(), copy(), {}));
    EXPECT_EQ(SqliteFile::open(copy())->copy_out()->inheritance.agents.size(), 2u);
}

}  // namespace
}  // namespace fairlead::masterd::registry
