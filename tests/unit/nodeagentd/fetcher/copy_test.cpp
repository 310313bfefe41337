#include "nodeagentd/fetcher/copy.hpp"

#include "tests/unit/nodeagentd/fetcher/folders.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

namespace fairlead::nodeagentd::fetcher {
namespace {

using Copy = Folders;
namespace fs = std::filesystem;

unsigned mode_of(const fs::path& file) { return static_cast<unsigned>(fs::status(file).permissions()) & 0777; }

TEST_F(Copy, KeepsContentsAndMode) {
    const std::string source = write(host("data"), std::string(3 << 20, 'x') + "end");
    fs::permissions(source, fs::perms(0640));
    ASSERT_TRUE(copy_into(sandbox(), source, "data", Executable::as_the_source));
    EXPECT_EQ(text_of(in_sandbox("data")), text_of(source));
    EXPECT_EQ(mode_of(in_sandbox("data")), 0640u);
}

TEST_F(Copy, AnEmptyFileIsAFile) {
    ASSERT_TRUE(copy_into(sandbox(), write(host("empty"), ""), "empty", Executable::as_the_source));
    EXPECT_TRUE(fs::is_regular_file(in_sandbox("empty")));
}

TEST_F(Copy, AFileOfProcIsReadToItsEnd) {
    ASSERT_TRUE(copy_into(sandbox(), "/proc/self/status", "status", Executable::as_the_source));
    EXPECT_NE(text_of(in_sandbox("status")).find("Name:"), std::string::npos);
}

TEST_F(Copy, MakesExecutableAndMakesFolders) {
    ASSERT_TRUE(copy_into(sandbox(), write(host("run.sh"), "#!/bin/sh\n"), "bin/here/run", Executable::yes));
    EXPECT_EQ(mode_of(in_sandbox("bin/here/run")), 0755u);
}

TEST_F(Copy, AFileWithTheNameIsReplacedNotWrittenThrough) {
    const auto box = sandbox();
    const std::string outside = write(host("outside"), "untouched");
    fs::create_symlink(outside, in_sandbox("link"));
    ASSERT_TRUE(copy_into(box, write(host("data"), "new"), "link", Executable::as_the_source));
    EXPECT_EQ(text_of(outside), "untouched");
    EXPECT_EQ(text_of(in_sandbox("link")), "new");
}

TEST_F(Copy, ALinkedFolderDoesNotLeadOut) {
    const auto box = sandbox();
    fs::create_directory_symlink(root_ / "host", in_sandbox("out"));
    const auto copied = copy_into(box, write(host("data"), "new"), "out/planted", Executable::as_the_source);
    ASSERT_FALSE(copied);
    EXPECT_FALSE(fs::exists(host("planted")));
}

TEST_F(Copy, SaysWhatIsWrongWithTheSource) {
    const auto box = sandbox();
    const auto why = [&](const std::string& source) {
        const auto copied = copy_into(box, source, "x", Executable::as_the_source);
        return copied ? "" : copied.error().message();
    };
    EXPECT_EQ(why("/nonexistent/file"), "cannot fetch /nonexistent/file: No such file or directory");
    EXPECT_EQ(why(host("").string()), "cannot fetch " + host("").string() + ": it is a directory");
    const std::string pipe = host("pipe").string();
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(why(pipe), "cannot fetch " + pipe + ": it is not a regular file");
}

TEST_F(Copy, NoRoomIsSaid) {
    // A limit on the size of files is the one kind of full disk that needs no disk.
    const auto box = sandbox();
    const std::string source = write(host("large"), std::string(1 << 20, 'x'));
    EXPECT_EXIT(
        {
            rlimit limit;
            limit.rlim_cur = limit.rlim_max = 4096;
            ::setrlimit(RLIMIT_FSIZE, &limit);
            ::signal(SIGXFSZ, SIG_IGN);
            const auto copied = copy_into(box, source, "large", Executable::as_the_source);
            ::_exit(!copied && copied.error().message().ends_with("File too large") ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace fairlead::nodeagentd::fetcher
