#include "nodeagentd/supervisor/journal_lines.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::supervisor {
namespace {

// Stands in for journald: a datagram socket that somebody reads, or does not.
class JournalLinesTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(::mkdtemp(directory_), nullptr);
        path_ = std::string(directory_) + "/socket";
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path_.c_str());
        journald_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        ASSERT_EQ(::bind(journald_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        lines_.open("TASK_ID=t1\n", 6, path_.c_str());
    }
    void TearDown() override {
        ::close(journald_);
        ::unlink(path_.c_str());
        ::rmdir(directory_);
    }

    void write(const std::string& text) { lines_.write(text.data(), text.size()); }

    std::vector<std::string> entries() {
        std::vector<std::string> all;
        std::vector<char> buffer(64 * 1024);
        ssize_t got = 0;
        while ((got = ::recv(journald_, buffer.data(), buffer.size(), 0)) > 0)
            all.emplace_back(buffer.data(), static_cast<std::size_t>(got));
        return all;
    }
    static std::string entry(int priority, const std::string& message) {
        return "TASK_ID=t1\nPRIORITY=" + std::to_string(priority) + "\nMESSAGE=" + message + "\n";
    }

    char directory_[32] = "/tmp/journal-lines-XXXXXX";
    std::string path_;
    int journald_ = -1;
    JournalLines lines_;
};

using Entries = std::vector<std::string>;

TEST_F(JournalLinesTest, EachLineIsAnEntryWithTheFields) {
    write("one\ntwo\n");
    EXPECT_EQ(entries(), (Entries{entry(6, "one"), entry(6, "two")}));
}

TEST_F(JournalLinesTest, ALineMayComeInPieces) {
    write("on");
    EXPECT_TRUE(entries().empty());
    write("e\ntw");
    EXPECT_EQ(entries(), Entries{entry(6, "one")});
    lines_.close();
    EXPECT_EQ(entries(), Entries{entry(6, "tw")});
}

TEST_F(JournalLinesTest, EmptyLinesAreNone) {
    write("\n\none\n\n");
    EXPECT_EQ(entries(), Entries{entry(6, "one")});
}

TEST_F(JournalLinesTest, APrefixSetsThePriority) {
    write("<3>bad\n<9>not one\n<4>\n");
    EXPECT_EQ(entries(), (Entries{entry(3, "bad"), entry(6, "<9>not one")}));
}

TEST_F(JournalLinesTest, ALongLineBecomesSeveral) {
    const std::string half(8 * 1024, 'x');
    write(half + half + "y\nz\n");
    EXPECT_EQ(entries(), (Entries{entry(6, half), entry(6, half), entry(6, "y"), entry(6, "z")}));
}

TEST_F(JournalLinesTest, WhatTheJournalCouldNotTakeIsCounted) {
    std::string flood;
    for (int line = 0; line < 5000; ++line) flood += "0123456789\n";
    write(flood);
    const std::size_t taken = entries().size();
    ASSERT_LT(taken, 5000U);
    write("after\n");
    const Entries rest = entries();
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest[0], entry(4, "[fairlead-supervisor: " + std::to_string((5000 - taken) * 11) +
                                    " bytes are missing here, the sandbox has them]"));
    EXPECT_EQ(rest[1], entry(6, "after"));
}

TEST_F(JournalLinesTest, WithoutAJournalNothingHappens) {
    JournalLines nowhere;
    nowhere.open("", 6, "/nonexistent/socket");
    nowhere.write("one\n", 4);
    nowhere.close();
}

}  // namespace
}  // namespace fairlead::nodeagentd::supervisor
