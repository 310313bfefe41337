// roles, weights, quota, offers and why against a master that shows given documents, over real sockets on loopback.

#include "cli/role_commands.hpp"
#include "cli/role_records.hpp"
#include "tests/unit/cli/command_test.hpp"

#include <gmock/gmock.h>

#include <map>

namespace fairlead::cli {
namespace {

using boost::json::parse;
using testing::ElementsAre;
using testing::HasSubstr;

class RoleCommands : public CommandTest {
  protected:
    std::map<std::string, std::string> pages;  // by target

  private:
    http::Response answer(const http::Request& request) override {
        const auto page = pages.find(request.target);
        return page == pages.end() ? http::text_response(404, "") : http::json_response(200, page->second);
    }
};

const char* const two_roles = R"({"roles":[
    {"name":"batch","weight":1.0,"quota":{"role":"batch","guarantee":{},"limit":{},"consumed":{}},
     "allocated":{"cpus":2.5},"offered":{},"frameworks":["f1","f2"]},
    {"name":"eng","weight":2.0,"quota":{"role":"eng","guarantee":{"cpus":4.0},"limit":{"cpus":8.0,"gpus":0.0},
     "consumed":{"cpus":3.0}},"allocated":{"cpus":3.0,"mem":512.0},"offered":{"cpus":1.0},"frameworks":[]}]})";

TEST_F(RoleCommands, RolesAreATable) {
    pages["/roles"] = two_roles;
    EXPECT_EQ(run(show_roles(cluster(), Output::table)), success);
    EXPECT_EQ(out,
              "ROLE   WEIGHT  FRAMEWORKS  CPUS  MEMORY  GUARANTEE  LIMIT\n"
              "batch       1           2   2.5      0M  none       none\n"
              "eng         2           0     3    512M  cpus:4     cpus:8;gpus:0\n");
}

TEST_F(RoleCommands, QuotaIsOfThoseThatHaveOne) {
    pages["/roles"] = two_roles;
    EXPECT_EQ(run(show_quota(cluster(), Output::json)), success);
    EXPECT_EQ(parse(out), parse(R"([{"role":"eng","guarantee":{"cpus":4},"limit":{"cpus":8,"gpus":0},
                                     "consumed":{"cpus":3}}])"));
}

TEST_F(RoleCommands, RecordsOfRolesHaveWhatIsUsedAndOffered) {
    const auto records = role_records(parse(two_roles));
    EXPECT_EQ(records.at(1).at("cpus_used"), 3);
    EXPECT_EQ(records.at(1).at("mem_used_mb"), 512);
    EXPECT_EQ(records.at(1).at("cpus_offered"), 1);
    EXPECT_EQ(records.at(1).at("weight"), 2);
    EXPECT_EQ(records.at(0).at("frameworks"), parse(R"(["f1","f2"])"));
}

TEST_F(RoleCommands, WeightsThatAreNotSetAreSaidToBeOne) {
    pages["/weights"] = "[]";
    EXPECT_EQ(run(show_weights(cluster(), Output::table)), success);
    EXPECT_EQ(out, "Every role weighs 1.\n");
}

TEST_F(RoleCommands, WeightsAreWrittenWithoutAnExponent) {
    pages["/weights"] = R"([{"role":"eng","weight":2.0}])";
    EXPECT_EQ(run(show_weights(cluster(), Output::json)), success);
    EXPECT_EQ(out, "[{\"role\":\"eng\",\"weight\":2}]\n");
}

TEST_F(RoleCommands, WeightsAreSetInOneCall) {
    EXPECT_EQ(run(set_weights(cluster(), {"eng=2.5", "a=b=3"})), success);
    ASSERT_EQ(operated.size(), 1u);
    EXPECT_EQ(parse(operated[0]), parse(R"({"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[
        {"role":"eng","weight":2.5E0},{"role":"a=b","weight":3E0}]}})"));
}

TEST_F(RoleCommands, AWeightThatIsNoneAsksNobody) {
    EXPECT_EQ(run(set_weights(cluster(), {"eng=2", "ads=x"})), usage);
    EXPECT_THAT(err, HasSubstr("'ads=x' is not a role and its weight"));
    EXPECT_TRUE(operated.empty());
}

TEST_F(RoleCommands, WhatTheMasterRefusesIsSaidAndIsRefused) {
    operated_answer = {400, "the weight 0 of role 'eng' is not a finite number above zero"};
    EXPECT_EQ(run(set_weights(cluster(), {"eng=0"})), refused);
    EXPECT_THAT(err, HasSubstr("weight 0 of role 'eng'"));
    EXPECT_EQ(out, "");
}

TEST_F(RoleCommands, SettingALimitLeavesTheGuarantee) {
    pages["/quota"] = R"({"configs":[{"role":"eng","guarantees":{"cpus":{"value":4}},"limits":{"cpus":{"value":8}}}]})";
    const QuotaOrder order{.role = "eng", .guarantee = "", .limit = "cpus:6;gpus:0", .force = true};
    EXPECT_EQ(run(set_quota(cluster(), order)), success);
    ASSERT_EQ(operated.size(), 1u);
    EXPECT_EQ(parse(operated[0]).at("update_quota"),
              parse(R"({"force":true,"quota_configs":[{"role":"eng","guarantees":{"cpus":{"value":4}},
                        "limits":{"cpus":{"value":6E0},"gpus":{"value":0E0}}}]})"));
}

TEST_F(RoleCommands, NoneTakesAGuaranteeAway) {
    pages["/quota"] = R"({"configs":[{"role":"eng","guarantees":{"cpus":{"value":4}}}]})";
    EXPECT_EQ(run(set_quota(cluster(), {.role = "eng", .guarantee = "none", .limit = "", .force = false})), success);
    EXPECT_EQ(parse(operated.at(0)).at("update_quota").at("quota_configs").at(0),
              parse(R"({"role":"eng","guarantees":{}})"));
}

TEST_F(RoleCommands, QuotaIsRemoved) {
    EXPECT_EQ(run(remove_quota(cluster(), "eng")), success);
    EXPECT_EQ(parse(operated.at(0)), parse(R"({"type":"REMOVE_QUOTA","remove_quota":{"role":"eng"}})"));
}

TEST(Amounts, AreReadAsTheyAreWritten) {
    const auto amounts = parse_amounts("cpus:0.5;mem:512");
    ASSERT_TRUE(amounts);
    EXPECT_EQ(amounts->at("cpus").at("value"), 0.5);
    EXPECT_EQ(amounts->at("mem").at("value"), 512.0);
    for (const char* wrong :
         {"", "cpus", "cpus:", ":4", "cpus:-1", "cpus:1;", "cpus:1;cpus:2", "cpus:nan", "cpus:1,mem:2"})
        EXPECT_FALSE(parse_amounts(wrong)) << wrong;
    EXPECT_EQ(amounts_text(parse(R"({"cpus":0.5,"mem":512.0})")), "cpus:0.5;mem:512");
}

const char* const offers_page = R"({"frameworks":[
    {"id":"f-1","name":"spark","offers":[{"id":"O1","slave_id":"S1","allocation_info":{"role":"eng"},
     "resources":{"cpus":3.0,"mem":1024.0}}]},
    {"id":"f-2","name":"chronos","offers":[]},{"id":"f-3","name":"chronos","offers":[]}]})";

TEST_F(RoleCommands, OffersNameTheirHost) {
    pages["/frameworks"] = offers_page;
    pages["/slaves"] = R"({"slaves":[{"id":"S1","hostname":"agent1"}]})";
    EXPECT_EQ(run(show_offers(cluster(), Output::table)), success);
    EXPECT_EQ(out,
              "OFFER  FRAMEWORK  ROLE  HOST    CPUS  MEMORY\n"
              "O1     spark      eng   agent1     3    1.0G\n");
}

TEST_F(RoleCommands, WhyIsOneLineForEachCause) {
    pages["/frameworks"] = offers_page;
    pages["/why?framework_id=f-1"] = R"({"framework_id":"f-1","name":"spark","causes":[
        {"cause":"nothing_free","agents":1,"message":"on 1 agent everything is used"},
        {"cause":"suppressed","role":"eng","message":"it has suppressed offers"}]})";
    EXPECT_EQ(run(show_why(cluster(), Output::table, "spark")), success);
    EXPECT_EQ(out, "on 1 agent everything is used.\nas eng: it has suppressed offers.\n");
}

TEST_F(RoleCommands, WhyForANameThatSeveralHaveListsThem) {
    pages["/frameworks"] = offers_page;
    EXPECT_EQ(run(show_why(cluster(), Output::table, "chronos")), usage);
    EXPECT_THAT(err, HasSubstr("several frameworks are called chronos; choose one by its id:\n  f-2\n  f-3"));
}

TEST_F(RoleCommands, WhyForNobodyIsToldWithWhatIsNear) {
    pages["/frameworks"] = offers_page;
    EXPECT_EQ(run(show_why(cluster(), Output::table, "sparc")), not_found);
    EXPECT_THAT(err, HasSubstr("no framework sparc; did you mean spark?"));
}

}  // namespace
}  // namespace fairlead::cli
