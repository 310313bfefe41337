// What is noted outlives the boot, also where the power is cut, the disk is full for a while, or the agent ends in
// between.

#include "nodeagentd/checkpoint/disk.hpp"

#include "nodeagentd/checkpoint/checkpoint.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/nodeagentd/checkpoint/records.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <optional>
#include <thread>

namespace fairlead::nodeagentd::checkpoint {
namespace {

namespace fs = std::filesystem;

class HostDisk : public testing::Test {
  protected:
    HostDisk() { start("boot 1"); }

    // A process of the agent in this boot.
    core::Recovered start(const std::string& boot, Disk::Limits limits = Disk::Limits()) {
        disk_.reset();
        checkpoint_.emplace(lib_, run_, boot);
        EXPECT_TRUE(checkpoint_->prepare());
        auto recovered = checkpoint_->read();
        EXPECT_TRUE(recovered);
        limits.pause_min = base::Duration::zero();
        disk_.emplace(lib_, boot, limits);
        EXPECT_TRUE(disk_->begin(*recovered));
        return *recovered;
    }
    core::Recovered reboot(const std::string& boot) {
        disk_.reset();
        fs::remove_all(run_);
        return start(boot);
    }
    void write(const core::Persist& persist) {
        ASSERT_TRUE(checkpoint_->write(persist));
        disk_->note(persist);
    }
    template <typename Condition>
    static void until(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }

    tests::ScratchFolder folder_;
    const fs::path lib_ = folder_.path() / "lib", run_ = folder_.path() / "run";
    std::optional<Checkpoint> checkpoint_;
    std::optional<Disk> disk_;
};

TEST_F(HostDisk, WhatWasThereIsToldToTheNextBoot) {
    write(framework("f"));
    write(runs("c"));
    write(ended("d"));
    write(runs("e"));
    write(forgotten("e"));
    const auto recovered = reboot("boot 2");
    EXPECT_EQ(recovered.frameworks.size(), 1u);
    ASSERT_EQ(recovered.containers.size(), 2u);
    for (const auto& record : recovered.containers) EXPECT_EQ(record.boot_id(), "boot 1");
}

TEST_F(HostDisk, ItIsTakenOverOnce) {
    write(runs("c"));
    reboot("boot 2");
    write(forgotten("c"));
    EXPECT_TRUE(start("boot 2").containers.empty());
    EXPECT_TRUE(reboot("boot 3").containers.empty());
}

TEST_F(HostDisk, ItIsNotLostToASecondReboot) {
    write(runs("c"));
    reboot("boot 2");
    EXPECT_EQ(reboot("boot 3").containers.size(), 1u);
}

// The agent was killed after it had made the files of this boot, before it began the log.
TEST_F(HostDisk, TakingOverMayBeginAgain) {
    write(runs("c"));
    write(runs("d"));
    disk_.reset();
    fs::remove_all(run_);
    Checkpoint killed(lib_, run_, "boot 2");
    ASSERT_TRUE(killed.prepare());
    ASSERT_EQ(killed.read()->containers.size(), 2u);
    EXPECT_EQ(start("boot 2").containers.size(), 2u);
}

TEST_F(HostDisk, ItIsOnTheDiskSoonWithoutAnybodyWaiting) {
    write(runs("c"));
    until([this] { return read_task_log(task_log_file(lib_))->containers.size() == 1; });
}

TEST_F(HostDisk, TheLogStaysSmall) {
    Disk::Limits limits;
    limits.log_slack_bytes = 100;
    start("boot 1", limits);
    for (int i = 0; i < 30; ++i) {
        const std::string id = "c" + std::to_string(i);
        write(runs(id));
        until([&] { return read_task_log(task_log_file(lib_))->containers.size() == 1; });
        write(forgotten(id));
        until([&] { return read_task_log(task_log_file(lib_))->containers.empty(); });
        ASSERT_LT(fs::file_size(task_log_file(lib_)), 1000u);
    }
}

TEST_F(HostDisk, ALogThatCannotBeWrittenDoesNotTellWhatIsOver) {
    Disk::Limits limits;
    limits.retry = std::chrono::milliseconds(1);
    start("boot 1", limits);
    write(runs("c"));
    disk_.reset();
    // No log can be made now.
    fs::remove(task_log_file(lib_));
    fs::create_directory(task_log_file(lib_).string() + ".new");
    disk_.emplace(lib_, "boot 1", limits);
    ASSERT_TRUE(disk_->begin({}));
    write(runs("d"));
    EXPECT_FALSE(fs::exists(task_log_file(lib_)));
    fs::remove(task_log_file(lib_).string() + ".new");
    until([this] { return read_task_log(task_log_file(lib_))->containers.size() == 1; });
}

internal::AgentRecord agent_record(std::uint64_t epoch) {
    internal::AgentRecord record;
    record.mutable_agent_id()->set_value("A");
    record.set_highest_epoch(epoch);
    return record;
}

TEST_F(HostDisk, TheAgentsRecordIsThereWhenItIsSaidToBe) {
    for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
        std::promise<base::Status> written;
        disk_->write(agent_record(epoch), [&](base::Status status) { written.set_value(std::move(status)); });
        ASSERT_TRUE(written.get_future().get());
        EXPECT_EQ(checkpoint_->read()->agent->highest_epoch(), epoch);
    }
}

TEST_F(HostDisk, ARecordThatCannotBeWrittenIsSaidNotToBeThere) {
    fs::create_directory(agent_file(lib_).string() + ".new");
    std::promise<base::Status> written;
    disk_->write(agent_record(1), [&](base::Status status) { written.set_value(std::move(status)); });
    const auto status = written.get_future().get();
    ASSERT_FALSE(status);
    EXPECT_TRUE(status.error().message().ends_with("Is a directory")) << status.error().message();
}

// A file that nobody reads stands for a disk that does not answer.
TEST_F(HostDisk, ADiskThatDoesNotAnswerIsLeftBehind) {
    Disk::Limits limits;
    limits.stop_max = base::Duration::zero();
    start("boot 1", limits);
    const std::string draft = agent_file(lib_).string() + ".new";
    ASSERT_EQ(::mkfifo(draft.c_str(), 0600), 0);
    disk_->write(agent_record(1), [](base::Status) { ADD_FAILURE() << "nobody is there to be told"; });
    disk_.reset();
    const int reader = ::open(draft.c_str(), O_RDONLY | O_CLOEXEC);  // waits for the one that was left behind
    char bytes[100];
    while (::read(reader, bytes, sizeof bytes) > 0) {
    }
    ::close(reader);
}

}  // namespace
}  // namespace fairlead::nodeagentd::checkpoint
