#include "masterd/registry/registry.hpp"

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
    auto first = Registry::open(file());
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_EQ(first->begin_epoch().value(), 1u);
    EXPECT_EQ(first->begin_epoch().value(), 2u);
    auto second = Registry::open(file());
    ASSERT_TRUE(second);
    EXPECT_EQ(second->begin_epoch().value(), 3u);
}

TEST_F(RegistryFile, TheClusterKeepsItsName) {
    const std::string name = Registry::open(file()).value().cluster_id();
    EXPECT_EQ(name.size(), 36u);
    EXPECT_EQ(Registry::open(file()).value().cluster_id(), name);
}

TEST_F(RegistryFile, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
    std::ofstream(file()) << std::string(5000, 'x');
    const auto opened = Registry::open(file());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("not a database"), std::string::npos) << opened.error().message();
    EXPECT_EQ(std::filesystem::file_size(file()), 5000u);
}

TEST_F(RegistryFile, SomebodyElsesDatabaseIsRefused) {
    sql("CREATE TABLE recipes (name TEXT)");
    const auto opened = Registry::open(file());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("not a Fairlead registry"), std::string::npos);
}

TEST_F(RegistryFile, ANewerLayoutIsRefused) {
    ASSERT_TRUE(Registry::open(file()));
    sql("PRAGMA user_version = 99");
    const auto opened = Registry::open(file());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("newer Fairlead"), std::string::npos);
}

TEST_F(RegistryFile, AFolderThatIsNotThereIsNamed) {
    const auto opened = Registry::open("/nonexistent/registry.sqlite");
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("/nonexistent/registry.sqlite"), std::string::npos);
}

}  // namespace fairlead::masterd::registry
