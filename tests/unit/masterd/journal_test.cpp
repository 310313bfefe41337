#include "masterd/journal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace fairlead::masterd {
namespace {

using Kind = core::Report::Kind;

std::string read(const std::string& name) {
    std::ifstream file(std::string(LOG_FOLDER "/") + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::set<std::string> ids_in(const std::string& text, const std::string& pattern) {
    std::set<std::string> ids;
    const std::regex id(pattern, std::regex::multiline);
    for (std::sregex_iterator found(text.begin(), text.end(), id), end; found != end; ++found) ids.insert((*found)[1]);
    return ids;
}

TEST(Journal, EveryKindIsCountedAndEveryWrittenOneHasAnIdThatTheCatalogExplains) {
    const auto explained = ids_in(read("fairlead.catalog"), "^-- ([0-9a-f]{32})$");
    std::set<std::string> counters;
    for (int number = 0; number <= static_cast<int>(Kind::call_dropped); ++number) {
        SCOPED_TRACE("kind " + std::to_string(number));
        const Shape shape = shape_of(static_cast<Kind>(number));
        EXPECT_TRUE(counters.insert(shape.counter).second) << shape.counter;
        if (shape.priority == log::Priority::debug)
            EXPECT_TRUE(shape.message_id.empty());
        else
            EXPECT_TRUE(explained.contains(std::string(shape.message_id))) << shape.counter;
    }
}

TEST(Journal, TheCatalogExplainsExactlyTheIdsThatExist) {
    const auto ids = ids_in(read("message_ids.hpp"), "= \"([0-9a-f]{32})\";");
    EXPECT_GE(ids.size(), 16u);
    EXPECT_EQ(ids, ids_in(read("fairlead.catalog"), "^-- ([0-9a-f]{32})$"));
}

TEST(Journal, FieldsAreThoseThatTheReportHas) {
    core::Report report;
    report.kind = Kind::task_refused;
    report.framework_id = base::FrameworkId("f");
    report.task_id = base::TaskId("t");
    report.task_state = v1::TASK_ERROR;
    using Fields = std::vector<std::pair<std::string_view, std::string>>;
    EXPECT_EQ(fields_of(report), (Fields{{"FRAMEWORK_ID", "f"}, {"TASK_ID", "t"}, {"TASK_STATE", "TASK_ERROR"}}));
}

TEST(Journal, HowAConnectionHasEndedIsAFieldAndWhoWasTooSlowIsCounted) {
    using End = core::ConnectionEnd::Kind;
    core::Report report;
    report.agent_id = base::AgentId("a");
    using Fields = std::vector<std::pair<std::string_view, std::string>>;
    const std::map<End, std::string> texts{{End::lost, "lost"},
                                           {End::too_slow, "too-slow"},
                                           {End::too_fast, "too-fast"},
                                           {End::malformed, "malformed"},
                                           {End::silent, "silent"}};
    for (const auto& [end, text] : texts) {
        report.connection_end = end;
        EXPECT_EQ(fields_of(report), (Fields{{"AGENT_ID", "a"}, {"CONNECTION_END", text}}));
    }
    std::map<std::string, double> counters;
    LineLimit lines;
    for (const auto kind : {Kind::agent_disconnected, Kind::framework_disconnected, Kind::framework_standby_gone})
        for (const auto end : {End::lost, End::too_slow}) {
            report.kind = kind;
            report.connection_end = end;
            journal(report, counters, lines, base::Instant());
        }
    EXPECT_EQ(counters["master/agents_too_slow"], 1);
    EXPECT_EQ(counters["master/schedulers_too_slow"], 2);
}

TEST(Journal, UpdatesCountTheEndsOfTasksByTheirState) {
    std::map<std::string, double> counters;
    LineLimit lines;
    core::Report report;
    report.kind = Kind::task_updated;
    for (const auto state : {v1::TASK_RUNNING, v1::TASK_FINISHED, v1::TASK_FINISHED, v1::TASK_LOST}) {
        report.task_state = state;
        journal(report, counters, lines, base::Instant());
    }
    EXPECT_EQ(counters["master/valid_status_updates"], 4);
    EXPECT_EQ(counters["master/tasks_finished"], 2);
    EXPECT_EQ(counters["master/tasks_lost"], 1);
    EXPECT_FALSE(counters.contains("master/tasks_running"));
}

TEST(Journal, AgentsThatAllComeBackAtOnceDoNotFillIt) {
    std::map<std::string, double> counters;
    LineLimit lines;
    core::Report report;
    report.kind = Kind::agent_reregistered;
    report.message = "agent is back";
    const base::Instant begin(std::chrono::hours(1));
    testing::internal::CaptureStderr();
    for (int i = 0; i < 5000; ++i) journal(report, counters, lines, begin);
    journal_held_back(lines, begin + std::chrono::minutes(1));
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1001);
    EXPECT_NE(said.find("4000 more lines about agents that registered were not written"), std::string::npos);
    EXPECT_EQ(counters["master/slave_reregistrations"], 5000) << "all are counted";
}

}  // namespace
}  // namespace fairlead::masterd
