// Paths as tools write them (reference: clients.md 5, "Routing" and "Versions").

#include "masterd/api/agent_link.hpp"
#include "tests/unit/masterd/api/served_master.hpp"

#include <regex>

namespace fairlead::masterd::api {
namespace {

using namespace std::string_literals;

TEST(Routes, TakePrefixesTrailingSlashesAndTheLongestKnownPath) {
    ServedMaster master;
    const auto agent = master.join();
    for (const std::string target : {"/health", "/master/health", "/health/", "/master/health/", "/health?x=1"})
        EXPECT_EQ(status_of(ask(master, "GET", target)), 200) << target;
    for (const std::string& target : {"/slaves"s, "/slaves/" + agent, "/master/slaves/"s, "/slaves/none/at/all"s})
        for (const std::string method : {"GET", "POST"})
            EXPECT_TRUE(holds(ask(master, method, target), "\"id\":\"" + agent + "\"")) << method << " " << target;
    EXPECT_EQ(status_of(ask(master, "POST", "/tasks/")), 200);
    EXPECT_TRUE(holds(ask(master, "GET", "/tasks?limit=-1&order=asc"), "\"tasks\":[]"));
    for (const std::string target : {"/api/v1", "/api/v1/", "/api/v1/operator", "/master/api/v1/operator"})
        EXPECT_TRUE(holds(ask(master, "POST", target, json_type, R"({"type":"GET_VERSION"})"), "\"version\""))
            << target;
    for (const std::string target : {"/", "/nothing", "/statement", "/masterful/health", "/api"})
        EXPECT_EQ(status_of(ask(master, "GET", target)), 404) << target;
}

TEST(Routes, RedirectNamesTheLeaderWithoutAScheme) {
    ServedMaster master;
    for (const std::string target : {"/redirect", "/master/redirect", "/redirect/"}) {
        const auto answer = ask(master, "GET", target);
        EXPECT_EQ(status_of(answer), 307) << target;
        EXPECT_TRUE(holds(answer, "\r\nLocation: //master1:5050\r\n")) << answer;
    }
    EXPECT_EQ(status_of(ask(master, "GET", "/redirect/state")), 404);
}

TEST(Routes, StandbySendsToTheSamePathOfTheLeader) {
    ServedMaster master;
    master.standing().other("m2:5050");
    for (const std::string target : {"/state", "/master/state?x=1", "/api/v1/scheduler", "/master/api/v1", "/tasks?limit=5",
                                     "/slaves/x", "/quota", "/weights", "/fairlead/agent-link", "/why?framework_id=x"})
        for (const std::string method : {"GET", "POST"}) {
            const auto answer = ask(master, method, target);
            EXPECT_EQ(status_of(answer), 307) << target;
            EXPECT_TRUE(holds(answer, "\r\nLocation: //m2:5050" + target + "\r\n")) << answer;
        }
    EXPECT_TRUE(holds(ask(master, "GET", "http://proxied:80/state?x=1"), "\r\nLocation: //m2:5050/state?x=1\r\n"));
    EXPECT_TRUE(holds(ask(master, "GET", "/redirect"), "\r\nLocation: //m2:5050\r\n"));
}

TEST(Routes, StandbyThatKnowsNoLeaderSaysSo) {
    ServedMaster master;
    master.standing().unknown();
    for (const std::string target : {"/state", "/api/v1/scheduler", "/master/api/v1", "/redirect", "/fairlead/agent-link"}) {
        const auto answer = ask(master, "POST", target);
        EXPECT_EQ(status_of(answer), 503) << target;
        EXPECT_TRUE(holds(answer, "No leader elected")) << answer;
    }
}

TEST(Routes, EachMasterAnswersForItself) {
    ServedMaster master;
    EXPECT_TRUE(holds(ask(master, "GET", "/health"), "\r\n\r\nleading\n"));
    master.standing().other("m2:5050");
    EXPECT_TRUE(holds(ask(master, "GET", "/health"), "\r\n\r\nstandby of m2:5050\n"));
    master.standing().unknown();
    EXPECT_TRUE(holds(ask(master, "GET", "/health"), "\r\n\r\nstandby, no leader is known\n"));
    for (const std::string target : {"/health", "/flags", "/version", "/metrics/snapshot"})
        EXPECT_EQ(status_of(ask(master, "GET", target)), 200) << target;
}

TEST(Routes, WhoIsElectedAndDoesNotLeadYetIsRecovering) {
    ServedMaster master;
    master.driver().stop_leading("the next term begins");
    EXPECT_TRUE(holds(ask(master, "GET", "/health"), "\r\n\r\nrecovering\n"));
    EXPECT_EQ(status_of(ask(master, "GET", "/health")), 200) << "there is nothing to heal";
    v1::MasterInfo info;
    info.set_id("m");
    master.driver().lead({2, info});
    EXPECT_TRUE(holds(ask(master, "GET", "/health"), "\r\n\r\nleading\n"));
}

TEST(Routes, TheVersionIsThreeNumbersAndNothingElse) {
    ServedMaster master;
    const auto answer = ask(master, "GET", "/version");
    EXPECT_TRUE(std::regex_search(answer, std::regex(R"re("version":"1\.(9|1[0-9])\.[0-9]+"[,}])re"))) << answer;
}

TEST(Routes, OperatorCallsAreCheckedLikeSchedulerCalls) {
    ServedMaster master;
    const auto status = [&](std::string_view method, std::string_view headers, std::string_view body) {
        return status_of(ask(master, method, "/api/v1", headers, body));
    };
    EXPECT_EQ(status("GET", "", ""), 405);
    EXPECT_EQ(status("POST", "", "{}"), 400);
    EXPECT_EQ(status("POST", "Content-Type: text/html\r\n", "{}"), 415);
    EXPECT_EQ(status("POST", json_type, "{"), 400);
    EXPECT_EQ(status("POST", "Content-Type: application/json\r\nAccept: text/html\r\n", R"({"type":"GET_HEALTH"})"), 406);
    EXPECT_EQ(status("POST", json_type, R"({"type":"KILL_TASK"})"), 400);
    EXPECT_EQ(status("POST", json_type, R"({"type":"GET_HEALTH"})"), 200);
}

TEST(Routes, TheAgentLinkTellsOthersToUpgrade) {
    ServedMaster master;
    const auto answer = ask(master, "GET", agent_link_path);
    EXPECT_EQ(status_of(answer), 426) << answer;
}

}  // namespace
}  // namespace fairlead::masterd::api
