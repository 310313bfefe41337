// Pages take turns at the owner's strand. The owner, the clock and the timer are the test's.

#include "masterd/api/page_turns.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd::api {
namespace {

using namespace std::chrono_literals;

class Turns : public testing::Test {
  protected:
    Turns() {
        PageTurns::Parts parts;
        parts.look = [this](driver::Driver::Look look) {
            if (mailbox_is_full) return false;
            looks.push_back(std::move(look));
            return true;
        };
        parts.clock = [this] { return now; };
        parts.later = [this](base::Duration pause, std::function<void()> what) {
            if (pause > base::Duration::zero()) pauses.push_back(pause);
            later.emplace_back(now + pause, std::move(what));
        };
        turns = std::make_shared<PageTurns>(std::move(parts));
    }
    void ask(const std::string& key) {
        const auto render = [this, key](const core::State&) -> PageTurns::Answer {
            now += cost;
            const int number = ++rendered[key];
            return [this, key, number](const http::Request&, http::Responder&) {
                answers.push_back(key + std::to_string(number));
            };
        };
        turns->ask(key, render, {}, {});
    }
    // The owner comes to what it was asked to look at.
    void run_owner() {
        for (auto& look : std::exchange(looks, {})) look(state);
    }
    // What is due by now is done, and what follows from it at once.
    void run_timers() {
        for (bool any = true; std::exchange(any, false);)
            for (auto& [when, what] : std::exchange(later, {}))
                if (when <= now) {
                    what();
                    any = true;
                } else {
                    later.emplace_back(when, std::move(what));
                }
    }

    core::State state;
    std::shared_ptr<PageTurns> turns;
    base::Instant now{1h};
    base::Duration cost = 100ms;
    bool mailbox_is_full = false;
    std::vector<driver::Driver::Look> looks;
    std::vector<std::pair<base::Instant, std::function<void()>>> later;
    std::vector<base::Duration> pauses;
    std::map<std::string, int> rendered;
    std::vector<std::string> answers;
};

using Answers = std::vector<std::string>;

TEST_F(Turns, WhoeverAsksForWhatWaitsSharesItsAnswer) {
    for (int i = 0; i < 3; ++i) ask("state");
    EXPECT_EQ(looks.size(), 1u);
    run_owner();
    run_timers();
    EXPECT_EQ(answers, (Answers{"state1", "state1", "state1"}));
    EXPECT_EQ(rendered["state"], 1);
}

// It may ask because it has changed something.
TEST_F(Turns, NobodyIsAnsweredWithWhatIsOlderThanTheQuestion) {
    ask("state");
    run_owner();
    ask("state");  // the first one's answer is not written yet
    run_timers();
    EXPECT_EQ(answers, Answers{"state1"});
    now += 1s;
    run_timers();
    run_owner();
    run_timers();
    EXPECT_EQ(answers, (Answers{"state1", "state2"}));
}

TEST_F(Turns, OnePageAtATimeAndTheOwnerHasItsOwnTimeAfterEach) {
    ask("state");
    ask("tasks");
    EXPECT_EQ(looks.size(), 1u);
    run_owner();
    run_timers();
    EXPECT_EQ(pauses, std::vector<base::Duration>{400ms}) << "four times what it has cost";
    now += 399ms;
    run_timers();
    EXPECT_TRUE(looks.empty());
    now += 1ms;
    run_timers();
    EXPECT_EQ(looks.size(), 1u);
    run_owner();
    run_timers();
    EXPECT_EQ(answers, (Answers{"state1", "tasks1"}));
}

TEST_F(Turns, AfterItsTimeAPageIsRenderedAtOnceAgain) {
    ask("state");
    run_owner();
    now += 1s;
    run_timers();
    EXPECT_TRUE(looks.empty());
    ask("state");
    EXPECT_EQ(looks.size(), 1u);
}

TEST_F(Turns, HoweverManyAskTheOwnerGivesAFifthOfItsTime) {
    const base::Instant begin = now;
    for (int round = 0; now < begin + 10s; ++round) {
        ask("page" + std::to_string(round % 50));
        run_owner();
        run_timers();
        now += 1ms;
    }
    int all = 0;
    for (const auto& [key, count] : rendered) all += count;
    EXPECT_LE(all, 21);
    EXPECT_GE(all, 19);
}

TEST_F(Turns, AnOwnerWithAFullMailboxHoldsNobodyUp) {
    mailbox_is_full = true;
    ask("state");
    ask("tasks");
    mailbox_is_full = false;
    run_timers();
    run_owner();
    run_timers();
    EXPECT_EQ(rendered["state"], 0);
    EXPECT_EQ(answers, Answers{"tasks1"});
}

TEST_F(Turns, DifferentPagesThatWaitHaveABound) {
    for (std::size_t i = 0; i < 2 * PageTurns::pages_waiting_max; ++i) ask("page" + std::to_string(i));
    for (int i = 0; i < 1000; ++i) {
        run_owner();
        now += 1s;
        run_timers();
    }
    EXPECT_EQ(answers.size(), PageTurns::pages_waiting_max);
}

}  // namespace
}  // namespace fairlead::masterd::api
