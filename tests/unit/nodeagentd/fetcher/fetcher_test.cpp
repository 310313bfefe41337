#include "nodeagentd/fetcher/fetcher.hpp"

#include "tests/unit/nodeagentd/fetcher/folders.hpp"

#include <boost/asio/io_context.hpp>

#include <map>

namespace fairlead::nodeagentd::fetcher {
namespace {

class Fetcher : public Folders {
  protected:
    void start(Options options) {
        fetcher_ = std::make_unique<ProcessFetcher>(io_.get_executor(), options);
        fetcher_->set_sink([this](ports::Fetched fetched) {
            EXPECT_FALSE(answers_.contains(fetched.container.value())) << "answered twice";
            answers_[fetched.container.value()] = fetched.status ? "" : fetched.status.error().message();
        });
    }
    void start() { start({.program = FAIRLEAD_FETCHER}); }
    void fetch(const std::string& id, std::vector<core::Fetch> fetches) {
        fetcher_->fetch({base::ContainerId(id), (root_ / "sandbox").string(), "", std::move(fetches)});
    }
    void wait_for(std::size_t answers) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (answers_.size() < answers && std::chrono::steady_clock::now() < deadline) {
            io_.restart();
            io_.run_one_for(std::chrono::milliseconds(100));
        }
        ASSERT_EQ(answers_.size(), answers);
    }

    boost::asio::io_context io_;
    std::unique_ptr<ProcessFetcher> fetcher_;
    std::map<std::string, std::string> answers_;
};

TEST_F(Fetcher, BringsTheFilesInTheirOrder) {
    start();
    fetch("c", {{write(host("a"), "first"), "x"}, {write(host("b"), "second"), "x", true}});
    wait_for(1);
    EXPECT_EQ(answers_["c"], "");
    EXPECT_EQ(text_of(in_sandbox("x")), "second");
    EXPECT_EQ(fetcher_->counters().succeeded, 1u);
}

TEST_F(Fetcher, TellsWhichFileCouldNotBeHad) {
    start();
    fetch("c", {{write(host("a"), "first"), "a"}, {"/nonexistent/b", "b"}});
    wait_for(1);
    EXPECT_EQ(answers_["c"], "cannot fetch /nonexistent/b: No such file or directory");
    EXPECT_EQ(fetcher_->counters().failed, 1u);
}

TEST_F(Fetcher, TheUserDecidesWhatCanBeRead) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can act as another user";
    start();
    const std::string secret = write(host("secret"), "for root");
    std::filesystem::permissions(secret, std::filesystem::perms(0600));
    std::filesystem::permissions(root_, std::filesystem::perms(0755));
    fetcher_->fetch({base::ContainerId("c"), (root_ / "sandbox").string(), "nobody", {{secret, "s"}}});
    wait_for(1);
    EXPECT_EQ(answers_["c"], "cannot fetch " + secret + ": Permission denied");
    fetcher_->fetch({base::ContainerId("d"), (root_ / "sandbox").string(), "nobody", {{"/etc/hostname", "s"}}});
    wait_for(2);
    EXPECT_EQ(answers_["d"], "");
    fetcher_->fetch({base::ContainerId("e"), (root_ / "sandbox").string(), "no.such.user", {{secret, "s"}}});
    wait_for(3);
    EXPECT_EQ(answers_["e"], "no such user on this host: no.such.user");
}

TEST_F(Fetcher, EndsWhatTakesTooLongAndGoesOn) {
    write(host("slow"), "#!/bin/sh\nexec /bin/sleep 1000\n");
    std::filesystem::permissions(host("slow"), std::filesystem::perms(0755));
    start({.program = host("slow").string(), .running_max = 1, .deadline = std::chrono::milliseconds(100)});
    fetch("c", {{"/x", "x"}});
    fetch("d", {{"/x", "x"}});
    EXPECT_EQ(fetcher_->counters().running, 1u);
    EXPECT_EQ(fetcher_->counters().waiting, 1u);
    wait_for(2);
    EXPECT_EQ(answers_["c"], "the task's files were not there within the time allowed for it");
    EXPECT_EQ(answers_["d"], answers_["c"]);
}

TEST_F(Fetcher, CanBeCancelledWhileItRunsAndWhileItWaits) {
    write(host("slow"), "#!/bin/sh\nexec /bin/sleep 1000\n");
    std::filesystem::permissions(host("slow"), std::filesystem::perms(0755));
    start({.program = host("slow").string(), .running_max = 1});
    fetch("c", {{"/x", "x"}});
    fetch("d", {{"/x", "x"}});
    fetcher_->cancel(base::ContainerId("d"));
    fetcher_->cancel(base::ContainerId("c"));
    fetcher_->cancel(base::ContainerId("unknown"));
    wait_for(2);
    EXPECT_EQ(answers_["c"], "the fetch was cancelled");
    EXPECT_EQ(answers_["d"], "the fetch was cancelled");
}

TEST_F(Fetcher, AQueueThatIsFullAndAProgramThatIsMissingAreSaid) {
    start({.program = "/nonexistent/fetcher", .waiting_max = 0});
    fetch("c", {{"/x", "x"}});
    wait_for(1);
    EXPECT_EQ(answers_["c"], "more than 0 tasks wait for their files on this agent");
    start({.program = "/nonexistent/fetcher"});
    fetch("d", {{"/x", "x"}});
    wait_for(2);
    EXPECT_EQ(answers_["d"],
              "cannot fetch the task's files: cannot start /nonexistent/fetcher: No such file or directory");
}

}  // namespace
}  // namespace fairlead::nodeagentd::fetcher
