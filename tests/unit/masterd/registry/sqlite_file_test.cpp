#include "masterd/registry/sqlite_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <fstream>

namespace fairlead::masterd::registry {
namespace {

class RegistryFile : public testing::Test {
  protected:
    RegistryFile() {
        char name[] = "/tmp/fairlead-registry-XXXXXX";
        folder_ = mkdtemp(name);
    }
    ~RegistryFile() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path file() const { return folder_ / "registry.sqlite"; }

    void sql(const char* statement) {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(database, statement, nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
    }

  private:
    std::filesystem::path folder_;
};

}  // namespace

TEST_F(RegistryFile, EpochsNeverComeTwiceNotEvenOverARestart) {
    auto first = SqliteFile::open(file());
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_EQ(first->begin_epoch().value(), 1u);
    EXPECT_EQ(first->begin_epoch().value(), 2u);
    auto second = SqliteFile::open(file());
    ASSERT_TRUE(second);
    EXPECT_EQ(second->begin_epoch().value(), 3u);
}

TEST_F(RegistryFile, TheClusterKeepsItsName) {
    const std::string name = SqliteFile::open(file()).value().cluster_id();
    EXPECT_EQ(name.size(), 36u);
    EXPECT_EQ(SqliteFile::open(file()).value().cluster_id(), name);
}

TEST_F(RegistryFile, WhoMakesANewOneSaysWhereAndWhichClusterBegins) {
    testing::internal::CaptureStderr();
    const std::string name = SqliteFile::open(file()).value().cluster_id();
    const std::string said = testing::internal::GetCapturedStderr();
    for (const std::string& part : {file().string(), "a new cluster begins, " + name, std::string("Registry=")})
        EXPECT_NE(said.find(part), std::string::npos) << part << " in " << said;
    testing::internal::CaptureStderr();
    EXPECT_TRUE(SqliteFile::open(file()));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "only once";
}

TEST_F(RegistryFile, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
    std::ofstream(file()) << std::string(5000, 'x');
    const auto opened = SqliteFile::open(file());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("not a database"), std::string::npos) << opened.error().message();
    EXPECT_EQ(std::filesystem::file_size(file()), 5000u);
}

TEST_F(RegistryFile, SomebodyElsesDatabaseIsRefused) {
    sql("CREATE TABLE recipes (name TEXT)");
    const auto opened = SqliteFile::open(file());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("not a Fairlead registry"), std::string::npos);
}

TEST_F(RegistryFile, ANewerLayoutIsRefused) {
    ASSERT_TRUE(SqliteFile::open(file()));
    sql("PRAGMA user_version = 99");
    const auto opened = SqliteFile::open(file());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("newer Fairlead"), std::string::npos);
}

TEST_F(RegistryFile, AnEpochThatIsNoneIsRefusedAndLeftAlone) {
    ASSERT_TRUE(SqliteFile::open(file()).value().begin_epoch());
    for (const char* value : {"'soon'", "'7 dwarfs'", "''", "-1", "9223372036854775807", "1e300"}) {
        sql(fmt::format("UPDATE facts SET value = {} WHERE name = 'epoch'", value).c_str());
        const auto opened = SqliteFile::open(file());
        ASSERT_FALSE(opened) << value;
        EXPECT_EQ(opened.error().code(), base::ErrorCode::malformed) << opened.error().message();
        EXPECT_NE(opened.error().message().find(file().string()), std::string::npos) << opened.error().message();
    }
    sql("UPDATE facts SET value = 7 WHERE name = 'epoch'");
    EXPECT_EQ(SqliteFile::open(file()).value().begin_epoch().value(), 8u);
}

TEST_F(RegistryFile, AnEpochThatIsNoneAnyMoreIsNotCountedOn) {
    auto opened = SqliteFile::open(file()).value();
    const auto epoch = opened.begin_epoch().value();
    sql("UPDATE facts SET value = 'soon' WHERE name = 'epoch'");
    EXPECT_EQ(opened.begin_epoch().error().code(), base::ErrorCode::malformed);
    EXPECT_EQ(opened.write(epoch, {}).error().code(), base::ErrorCode::malformed);
    EXPECT_FALSE(opened.copy_out());
}

TEST_F(RegistryFile, AnEmptyFileIsRefusedAndNoNewClusterBegun) {
    std::ofstream(file()).close();
    const auto opened = SqliteFile::open(file());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), base::ErrorCode::malformed);
    EXPECT_NE(opened.error().message().find("is empty or cut off (0 bytes)"), std::string::npos) << opened.error().message();
    EXPECT_EQ(std::filesystem::file_size(file()), 0u);
}

void write_many_pages(const std::filesystem::path& file) {
    auto made = SqliteFile::open(file).value();
    const auto epoch = made.begin_epoch().value();
    std::vector<core::Persist> changes;
    for (int i = 0; i < 2000; ++i)
        changes.push_back(core::PersistAgent{{base::AgentId("a-" + std::to_string(i)), {}, {}}});
    ASSERT_TRUE(made.write(epoch, changes));
}

// Wherever it is cut, and whatever its head still says.
TEST_F(RegistryFile, ACutOffFileIsRefusedAndLeftAlone) {
    write_many_pages(file());
    const auto whole = std::filesystem::file_size(file());
    for (const auto size : {std::uintmax_t{1}, std::uintmax_t{100}, std::uintmax_t{4096}, whole / 2, whole - 1}) {
        const auto copy = file().string() + ".cut";
        std::filesystem::copy_file(file(), copy, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(copy, size);
        const auto opened = SqliteFile::open(copy);
        ASSERT_FALSE(opened) << size;
        EXPECT_EQ(opened.error().code(), base::ErrorCode::malformed) << size << ": " << opened.error().message();
        EXPECT_NE(opened.error().message().find(copy), std::string::npos) << opened.error().message();
        EXPECT_EQ(std::filesystem::file_size(copy), size);
    }
}

TEST_F(RegistryFile, APageThatWasOverwrittenIsRefused) {
    write_many_pages(file());
    std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-4096, std::ios::end);
    bytes << std::string(4096, 'x');
    bytes.close();
    const auto opened = SqliteFile::open(file());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), base::ErrorCode::malformed) << opened.error().message();
}

TEST_F(RegistryFile, AFolderThatIsNotThereIsNamed) {
    const auto opened = SqliteFile::open("/nonexistent/registry.sqlite");
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("/nonexistent/registry.sqlite"), std::string::npos);
}

using Standing = core::AgentRecord::Standing;

static base::Status write(SqliteFile& registry, const std::vector<core::Persist>& changes) {
    return registry.write(registry.begin_epoch().value(), changes);
}

static core::PersistAgent agent(const std::string& id, Standing standing, int since_s) {
    return {{base::AgentId(id), standing, base::WallTime(std::chrono::seconds(since_s))}};
}

TEST_F(RegistryFile, WhatWasWrittenIsReadByTheNextLife) {
    {
        auto registry = SqliteFile::open(file());
        ASSERT_TRUE(registry);
        const auto nothing = registry->read();
        ASSERT_TRUE(nothing);
        EXPECT_TRUE(nothing->agents.empty());
        ASSERT_TRUE(write(*registry, {agent("a", Standing::admitted, 1), agent("b", Standing::removed, 2),
                                     agent("c", Standing::admitted, 3), agent("a", Standing::unreachable, 4),
                                     core::PersistEndedFramework{base::FrameworkId("f")},
                                     core::PersistEndedFramework{base::FrameworkId("e")},
                                     core::PersistEndedFramework{base::FrameworkId("f")}}));
        ASSERT_TRUE(write(*registry, {core::ForgetAgent{base::AgentId("c")},
                                     core::PersistEndedFramework{base::FrameworkId("g")},
                                     core::ForgetEndedFramework{base::FrameworkId("e")}}));
    }
    const auto left = SqliteFile::open(file()).value().read();
    ASSERT_TRUE(left) << left.error().message();
    ASSERT_EQ(left->agents.size(), 2u);
    EXPECT_EQ(left->agents[0].id.value(), "b");
    EXPECT_EQ(left->agents[0].standing, Standing::removed);
    EXPECT_EQ(left->agents[0].since, base::WallTime(std::chrono::seconds(2)));
    EXPECT_EQ(left->agents[1].id.value(), "a");
    EXPECT_EQ(left->agents[1].standing, Standing::unreachable);
    EXPECT_EQ(left->ended_frameworks, (std::vector{base::FrameworkId("f"), base::FrameworkId("g")}));
}

TEST_F(RegistryFile, WhatOperatorsSaidOfRolesIsReadByTheNextLife) {
    core::RoleOrders heavy{2.5, {}, {}};
    core::RoleOrders quota;
    quota.guarantee.add("cpus", resources::Milli(1500));
    quota.guarantee.add("licences", resources::Milli::units(3));
    quota.limit.set("cpus", resources::Milli::units(4));
    quota.limit.set("gpus", resources::Milli{});  // none at all
    const base::Role eng("eng/ads"), batch("batch");
    {
        auto registry = SqliteFile::open(file());
        ASSERT_TRUE(registry);
        EXPECT_TRUE(registry->read()->role_orders.empty());
        ASSERT_TRUE(write(*registry, {core::PersistRoleOrders{eng, quota}, core::PersistRoleOrders{batch, quota}}));
        ASSERT_TRUE(write(*registry, {core::PersistRoleOrders{batch, heavy}}));
    }
    const core::OrdersByRole expected{{eng, quota}, {batch, heavy}};
    auto registry = SqliteFile::open(file());
    const auto left = registry.value().read();
    ASSERT_TRUE(left) << left.error().message();
    EXPECT_EQ(left->role_orders, expected);
    ASSERT_TRUE(write(*registry, {core::PersistRoleOrders{eng, {}}, core::PersistRoleOrders{batch, {}}}));
    EXPECT_TRUE(registry->read()->role_orders.empty());
}

TEST_F(RegistryFile, TheLayoutBeforeOrdersOfRolesIsBroughtUpToDate) {
    ASSERT_TRUE(SqliteFile::open(file())->write(0, {agent("a", Standing::admitted, 1)}));
    sql("DROP TABLE role_amounts; DROP TABLE roles; PRAGMA user_version = 2");
    auto registry = SqliteFile::open(file());
    ASSERT_TRUE(registry) << registry.error().message();
    EXPECT_EQ(registry->read()->agents.size(), 1u);
    EXPECT_TRUE(write(*registry, {core::PersistRoleOrders{base::Role("eng"), {2, {}, {}}}}));
    EXPECT_EQ(registry->read()->role_orders.size(), 1u);
}

TEST_F(RegistryFile, OfChangesOfWhichOneFailsNoneIsMade) {
    auto registry = SqliteFile::open(file());
    ASSERT_TRUE(registry);
    sql("CREATE TRIGGER full BEFORE INSERT ON ended_frameworks BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    const auto written = write(*registry,
        {agent("a", Standing::admitted, 1), core::PersistEndedFramework{base::FrameworkId("f")}});
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().message().find("the disk is full"), std::string::npos) << written.error().message();
    EXPECT_TRUE(registry->read()->agents.empty());
    EXPECT_TRUE(write(*registry, {agent("a", Standing::admitted, 1)}));
}

TEST_F(RegistryFile, TheFirstLayoutIsBroughtUpToDate) {
    const std::string name = SqliteFile::open(file()).value().cluster_id();
    sql("DROP TABLE agents; DROP TABLE ended_frameworks; DROP TABLE role_amounts; DROP TABLE roles; PRAGMA user_version = 1");
    auto registry = SqliteFile::open(file());
    ASSERT_TRUE(registry) << registry.error().message();
    EXPECT_EQ(registry->cluster_id(), name);
    EXPECT_TRUE(write(*registry, {agent("a", Standing::admitted, 1)}));
}

}  // namespace fairlead::masterd::registry
