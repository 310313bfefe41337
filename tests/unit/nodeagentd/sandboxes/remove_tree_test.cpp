#include "nodeagentd/sandboxes/remove_tree.hpp"

#include "nodeagentd/sandboxes/directory.hpp"
#include "tests/unit/nodeagentd/sandboxes/scratch.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fairlead::nodeagentd::sandboxes {
namespace {

namespace fs = std::filesystem;

class RemoveTree : public Scratch {
  protected:
    base::Status remove(const std::string& name) {
        const auto parent = Directory::open(AT_FDCWD, folder_);
        return remove_tree(parent->descriptor(), name);
    }
};

TEST_F(RemoveTree, RemovesFilesAndFoldersOfEveryKind) {
    write("t/a/b/file");
    write("t/.hidden");
    fs::create_directories(folder_ / "t/empty");
    ASSERT_EQ(::mkfifo((folder_ / "t/pipe").c_str(), 0600), 0);
    EXPECT_TRUE(remove("t"));
    EXPECT_FALSE(fs::exists(folder_ / "t"));
}

TEST_F(RemoveTree, RemovesLinksAndNotWhereTheyLead) {
    write("outside/file");
    write("t/file");
    fs::create_directory_symlink(folder_ / "outside", folder_ / "t/folder-link");
    fs::create_symlink(folder_ / "outside/file", folder_ / "t/file-link");
    fs::create_symlink("..", folder_ / "t/up");
    fs::create_symlink("nowhere", folder_ / "t/dangling");
    EXPECT_TRUE(remove("t"));
    EXPECT_FALSE(fs::exists(folder_ / "t"));
    EXPECT_TRUE(fs::exists(folder_ / "outside/file"));
}

TEST_F(RemoveTree, DoesNotTakeALinkForTheTree) {
    write("outside/file");
    fs::create_directory_symlink(folder_ / "outside", folder_ / "t");
    EXPECT_FALSE(remove("t"));
    EXPECT_TRUE(fs::exists(folder_ / "outside/file"));
}

TEST_F(RemoveTree, IsDoneWhenThereIsNothing) {
    EXPECT_TRUE(remove("nothing"));
}

TEST_F(RemoveTree, TakesAnyDepth) {
    // Deeper than a path may be long.
    fs::create_directories(folder_ / "t");
    int current = ::open((folder_ / "t").c_str(), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 700; ++i) {
        ASSERT_EQ(::mkdirat(current, "deeper", 0700), 0);
        const int next = ::openat(current, "deeper", O_RDONLY | O_DIRECTORY);
        ::close(current);
        current = next;
    }
    ::close(::openat(current, "file", O_WRONLY | O_CREAT, 0600));
    ::close(current);
    const auto removed = remove("t");
    EXPECT_TRUE(removed) << removed.error().message();
    EXPECT_FALSE(fs::exists(folder_ / "t"));
}

}  // namespace
}  // namespace fairlead::nodeagentd::sandboxes
