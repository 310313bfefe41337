// reserve and unreserve: what is shown, and which whole reservations are made of what people write.

#include "cli/reservation_commands.hpp"

#include "tests/unit/cli/shown_cluster.hpp"

#include <gmock/gmock.h>

namespace fairlead::cli {
namespace {

using boost::json::parse;
using testing::HasSubstr;

const char* const two_agents = R"({"slaves":[
    {"id":"S1","hostname":"agent1","reserved_resources_full":{
      "eng":[{"name":"cpus","type":"SCALAR","scalar":{"value":2},"reservations":[{"type":"STATIC","role":"eng"}]},
             {"name":"cpus","type":"SCALAR","scalar":{"value":1.5},"reservations":[{"type":"DYNAMIC","role":"eng",
               "principal":"ops","labels":{"labels":[{"key":"ticket","value":"7"}]}}]},
             {"name":"mem","type":"SCALAR","scalar":{"value":512},"reservations":[{"type":"DYNAMIC","role":"eng",
               "principal":"ops","labels":{"labels":[{"key":"ticket","value":"7"}]}}]},
             {"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"eng"}]},
             {"name":"ports","type":"RANGES","ranges":{"range":[{"begin":31000,"end":31009}]},
               "reservations":[{"type":"DYNAMIC","role":"eng"}]}],
      "eng/ads":[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"eng"},
                 {"type":"DYNAMIC","role":"eng/ads"}]}]}},
    {"id":"S2","hostname":"agent2","reserved_resources_full":{}},
    {"id":"S3","hostname":"agent2"}]})";

boost::json::value agent1() { return parse(two_agents).at("slaves").at(0); }

std::string text(const base::Result<resources::Resources>& result) {
    return result ? result->to_string() : "error: " + result.error().message();
}

TEST(ReservationRecords, AreOnePerAgentAndReservation) {
    const auto records = reservation_records(parse(two_agents));
    ASSERT_EQ(records.size(), 4u);
    std::map<std::string, boost::json::value> by_resources;
    for (const auto& record : records) by_resources[std::string(record.at("resources").as_string())] = record;
    EXPECT_EQ(by_resources.at("cpus:1.5;mem:512"),
              parse(R"({"agent_id":"S1","hostname":"agent1","role":"eng","refines":"","type":"dynamic",
                        "principal":"ops","labels":{"ticket":"7"},"resources":"cpus:1.5;mem:512"})"));
    EXPECT_EQ(by_resources.at("cpus:2").at("type"), "static");
    EXPECT_EQ(by_resources.at("cpus:1").at("role"), "eng/ads");
    EXPECT_EQ(by_resources.at("cpus:1").at("refines"), "eng");
    EXPECT_TRUE(by_resources.contains("cpus:1;ports:[31000-31009]"));
}

TEST(ReservationRecords, AnAgentIsNamedByIdOrByTheHostNameThatOnlyItHas) {
    const auto agents = parse(two_agents);
    EXPECT_EQ(pick_agent(agents, "S3")->at("id"), "S3");
    EXPECT_EQ(pick_agent(agents, "agent1")->at("id"), "S1");
    EXPECT_THAT(pick_agent(agents, "agent2").error().message(), HasSubstr("several agents are on agent2"));
    EXPECT_THAT(pick_agent(agents, "agent3x").error().message(), HasSubstr("no agent agent3x"));
    EXPECT_THAT(pick_agent(agents, "aget1").error().message(), HasSubstr("did you mean agent1?"));
}

TEST(ReservationRecords, AmountsBecomeReservations) {
    EXPECT_EQ(text(reservation_of("cpus:2;ports:[31000-31009]", {"eng", {}})),
              "cpus(eng, dynamic):2;ports(eng, dynamic):[31000-31009]");
    EXPECT_EQ(text(reservation_of("cpus(eng):1", {"eng/ads", {"ticket=7", "a"}})),
              "cpus(eng, eng/ads, dynamic, a, ticket=7):1");
    EXPECT_THAT(text(reservation_of("cpus", {"eng", {}})), HasSubstr("error: resource 'cpus'"));
    EXPECT_THAT(text(reservation_of("cpus:0", {"eng", {}})), HasSubstr("error: 'cpus:0' is nothing to reserve"));
}

TEST(ReservationRecords, WhatIsGivenBackIsTakenFromWhatIsThere) {
    EXPECT_EQ(text(reserved_there(agent1(), "", {"eng/ads", {}})), "cpus(eng, eng/ads, dynamic):1");
    EXPECT_EQ(text(reserved_there(agent1(), "", {"eng", {"ticket=7"}})),
              "cpus(eng, dynamic, by ops, ticket=7):1.5;mem(eng, dynamic, by ops, ticket=7):512");
    EXPECT_EQ(text(reserved_there(agent1(), "cpus:2", {"eng", {}})),
              "cpus(eng, dynamic):1;cpus(eng, dynamic, by ops, ticket=7):1");
    EXPECT_EQ(text(reserved_there(agent1(), "ports:[31000-31001]", {"eng", {}})), "ports(eng, dynamic):[31000-31001]");
    EXPECT_EQ(text(reserved_there(agent1(), "cpus:4;mem:100", {"eng", {}})),
              "error: cpus:1.5 is not reserved dynamically for eng on agent1");
    EXPECT_EQ(text(reserved_there(agent1(), "", {"web", {}})),
              "error: nothing is reserved dynamically for web on agent1");
    EXPECT_EQ(text(reserved_there(agent1(), "cpus:1", {"eng", {"ticket=8"}})),
              "error: nothing is reserved dynamically for eng on agent1");
    EXPECT_THAT(text(reserved_there(agent1(), "cpus(eng):1", {"eng", {}})), HasSubstr("--role says it"));
}

class ReservationCommands : public ShownCluster {
  protected:
    ReservationCommands() {
        pages["/slaves"] = two_agents;
        operated_answer = {202, ""};
    }
};

TEST_F(ReservationCommands, WhatIsReservedIsATable) {
    EXPECT_EQ(run(show_reservations(cluster(), Output::table)), success);
    EXPECT_THAT(out, HasSubstr("HOST    ROLE     RESOURCES"));
    EXPECT_THAT(out, HasSubstr("agent1  eng      cpus:1.5;mem:512            dynamic  -        ops        ticket=7\n"));
}

TEST_F(ReservationCommands, NothingReservedIsSaid) {
    pages["/slaves"] = R"({"slaves":[]})";
    EXPECT_EQ(run(show_reservations(cluster(), Output::table)), success);
    EXPECT_EQ(out, "Nothing is reserved.\n");
}

TEST_F(ReservationCommands, ReserveNamesTheAgentAndTheWholeReservation) {
    EXPECT_EQ(run(reserve(cluster(), {"agent1", "cpus:1", {"web", {"ticket=7"}}})), success) << err;
    ASSERT_EQ(operated.size(), 1u);
    const auto call = parse(operated[0]);
    EXPECT_EQ(call.at("type"), "RESERVE_RESOURCES");
    EXPECT_EQ(call.at("reserve_resources").at("agent_id").at("value"), "S1");
    EXPECT_EQ(call.at("reserve_resources").at("resources").at(0).at("reservations"),
              parse(R"([{"type":"DYNAMIC","role":"web","labels":{"labels":[{"key":"ticket","value":"7"}]}}])"));
    EXPECT_EQ(out, "cpus:1 of agent1 is reserved for web.\n");
}

TEST_F(ReservationCommands, UnreserveGivesBackWhatIsThere) {
    EXPECT_EQ(run(unreserve(cluster(), {"S1", "cpus:1", {"eng", {"ticket=7"}}})), success) << err;
    const auto call = parse(operated.at(0));
    EXPECT_EQ(call.at("type"), "UNRESERVE_RESOURCES");
    EXPECT_EQ(call.at("unreserve_resources").at("resources").at(0).at("reservations").at(0).at("principal"), "ops");
    EXPECT_EQ(out, "cpus:1 on agent1 is no longer reserved for eng.\n");
}

TEST_F(ReservationCommands, WhatTheMasterRefusesIsSaid) {
    operated_answer = {409, "agent agent1 does not have cpus:9, or tasks use it: cpus:5 is missing"};
    EXPECT_EQ(run(reserve(cluster(), {"agent1", "cpus:9", {"web", {}}})), refused);
    EXPECT_THAT(err, HasSubstr("cpus:5 is missing"));
}

TEST_F(ReservationCommands, WhatIsNotReservedIsNotAskedFor) {
    EXPECT_EQ(run(unreserve(cluster(), {"agent1", "", {"web", {}}})), not_found);
    EXPECT_THAT(err, HasSubstr("nothing is reserved dynamically for web on agent1"));
    EXPECT_TRUE(operated.empty());
}

}  // namespace
}  // namespace fairlead::cli
