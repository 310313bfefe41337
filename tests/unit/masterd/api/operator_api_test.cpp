// The calls of operators and the older pages beside them, as bytes over a socket.

#include "fairlead/v1/master.pb.h"
#include "tests/unit/masterd/api/served_master.hpp"

#include <boost/json.hpp>

namespace fairlead::masterd::api {
namespace {

using Json = boost::json::value;

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

class OperatorApi : public testing::Test {
  protected:
    std::string call(std::string_view json, std::string_view path = "/api/v1") {
        return ask(master, "POST", path, json_type, json);
    }
    Json told(std::string_view type) {
        const auto answer = call(R"({"type":")" + std::string(type) + R"("})");
        EXPECT_EQ(status_of(answer), 200) << answer;
        return boost::json::parse(body_of(answer));
    }
    Json page(std::string_view path) {
        const auto answer = ask(master, "GET", path);
        EXPECT_EQ(status_of(answer), 200) << answer;
        return boost::json::parse(body_of(answer));
    }
    void expect(const std::string& answer, int status, std::string_view words) {
        EXPECT_EQ(status_of(answer), status) << answer;
        EXPECT_TRUE(holds(answer, words)) << words << " is not in\n" << answer;
    }

    ServedMaster master;
};

TEST_F(OperatorApi, WeightsAreOrderedAndTold) {
    EXPECT_TRUE(told("GET_WEIGHTS").at("get_weights").as_object().empty());
    const auto answer = call(R"({"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"role":"eng","weight":2.5}]}})",
                             "/master/api/v1");
    EXPECT_EQ(status_of(answer), 200) << answer;
    const auto weights = told("GET_WEIGHTS").at("get_weights").at("weight_infos");
    ASSERT_EQ(weights.as_array().size(), 1u);
    EXPECT_EQ(weights.at(0).at("role").as_string(), "eng");
    EXPECT_EQ(weights.at(0).at("weight").as_double(), 2.5);
    EXPECT_EQ(page("/weights"), boost::json::parse(R"([{"role":"eng","weight":2.5}])"));
}

TEST_F(OperatorApi, WrongOrdersAreRefusedWithASentence) {
    expect(call(R"({"type":"UPDATE_WEIGHTS"})"), 400, "'update_weights'");
    expect(call(R"({"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"role":"eng","weight":0}]}})"), 400,
           "weight 0 of role 'eng'");
    expect(call(R"({"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"role":"eng","weight":"NaN"}]}})"), 400,
           "weight nan of role 'eng'");
    expect(call(R"({"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"weight":1}]}})"), 400, "names no role");
    expect(call(R"({"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"role":"eng"}]}})"), 400, "weight");
    expect(call(R"({"type":"UPDATE_QUOTA"})"), 400, "'update_quota'");
    expect(call(R"({"type":"UPDATE_QUOTA","update_quota":{"quota_configs":[{"role":"e","limits":{"cpus":{"value":-1}}}]}})"),
           400, "limit 'cpus' of role 'e'");
    expect(call(R"({"type":"UPDATE_QUOTA","update_quota":{"quota_configs":[{"role":"e","limits":{"mem":{"value":2e12}}}]}})"),
           400, "limit 'mem' of role 'e'");
    expect(call(R"({"type":"SET_QUOTA"})"), 400, "'set_quota'");
    expect(call(R"({"type":"REMOVE_QUOTA"})"), 400, "'remove_quota'");
    expect(call(R"({"type":"REMOVE_QUOTA","remove_quota":{"role":"eng"}})"), 400, "no quota");
    EXPECT_TRUE(told("GET_WEIGHTS").at("get_weights").as_object().empty());
    EXPECT_TRUE(told("GET_QUOTA").at("get_quota").at("status").as_object().empty());
}

TEST_F(OperatorApi, AnAgentIsMarkedGoneAndNotTakenBack) {
    const std::string id = master.join();
    expect(call(R"({"type":"MARK_AGENT_GONE"})"), 400, "'mark_agent_gone'");
    expect(call(R"({"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"nobody"}}})"), 404,
           "no such agent");
    const std::string order = R"({"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":")" + id + R"("}}})";
    EXPECT_EQ(status_of(call(order)), 200);
    EXPECT_EQ(status_of(call(order)), 200) << "it is said again";
    EXPECT_TRUE(page("/slaves").at("slaves").as_array().empty());
}

TEST_F(OperatorApi, QuotaIsOrderedAndTold) {
    const std::string_view order = R"({"type":"UPDATE_QUOTA","update_quota":{"quota_configs":[
        {"role":"eng","guarantees":{"cpus":{"value":3}},"limits":{"cpus":{"value":3.5},"gpus":{"value":0}}}]}})";
    expect(call(order), 400, "cpus:3 is missing");  // there is no agent yet
    master.join();
    EXPECT_EQ(status_of(call(order)), 200);
    const auto status = told("GET_QUOTA").at("get_quota").at("status");
    const auto& config = status.at("configs").at(0);
    EXPECT_EQ(config.at("role").as_string(), "eng");
    EXPECT_EQ(boost::json::value_to<double>(config.at("guarantees").at("cpus").at("value")), 3);
    EXPECT_EQ(boost::json::value_to<double>(config.at("limits").at("cpus").at("value")), 3.5);
    EXPECT_EQ(boost::json::value_to<double>(config.at("limits").at("gpus").at("value")), 0);
    EXPECT_EQ(status.at("infos").at(0).at("guarantee").at(0).at("name").as_string(), "cpus");
    EXPECT_EQ(page("/quota"), status);

    const auto role = page("/roles").at("roles").at(0);
    EXPECT_EQ(role.at("name").as_string(), "eng");
    EXPECT_EQ(boost::json::value_to<double>(role.at("quota").at("limit").at("cpus")), 3.5);

    const std::string_view more = R"({"type":"UPDATE_QUOTA","update_quota":{"force":true,"quota_configs":[
        {"role":"ads","guarantees":{"cpus":{"value":3}}},{"role":"eng"}]}})";
    EXPECT_EQ(status_of(call(more)), 200);
    EXPECT_EQ(told("GET_QUOTA").at("get_quota").at("status").at("configs").at(0).at("role").as_string(), "ads");
}

TEST_F(OperatorApi, TheOlderCallsAndPagesOrderOneRole) {
    master.join();
    const std::string_view eng = R"({"role":"eng","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":2}}]})";
    EXPECT_EQ(status_of(call(R"({"type":"SET_QUOTA","set_quota":{"quota_request":)" + std::string(eng) + "}}")), 200);
    const auto config = page("/quota").at("configs").at(0);
    EXPECT_EQ(config.at("guarantees"), config.at("limits"));
    expect(ask(master, "POST", "/quota", json_type, eng), 400, "has a quota already");
    expect(ask(master, "DELETE", "/quota"), 400, "role after /quota/");
    EXPECT_EQ(status_of(ask(master, "DELETE", "/master/quota/eng")), 200);
    EXPECT_EQ(status_of(ask(master, "POST", "/quota", json_type, eng)), 200);
    EXPECT_EQ(status_of(call(R"({"type":"REMOVE_QUOTA","remove_quota":{"role":"eng"}})")), 200);
    expect(ask(master, "POST", "/quota", json_type,
               R"({"role":"eng","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":9}}]})"),
           409, "cpus:5 is missing");
    expect(ask(master, "POST", "/quota", json_type, R"({"role":"eng","guarantee":[]})"), 400, "guarantees nothing");
    expect(ask(master, "POST", "/quota", json_type,
               R"({"role":"eng","guarantee":[{"name":"p","type":"RANGES","ranges":{"range":[]}}]})"),
           400, "no scalar");
    expect(ask(master, "POST", "/quota", json_type,
               R"({"role":"eng","guarantee":[{"name":"cpus","type":"SCALAR","role":"eng","scalar":{"value":1}}]})"),
           400, "more than a name and an amount");
    expect(ask(master, "PATCH", "/quota", json_type, eng), 405, "Allow: GET, POST, DELETE");

    EXPECT_EQ(status_of(ask(master, "PUT", "/weights", json_type, R"([{"role":"a","weight":2},{"role":"b","weight":3}])")),
              200);
    EXPECT_EQ(page("/weights").as_array().size(), 2u);
    expect(ask(master, "PUT", "/weights", json_type, R"([{"role":"a","weight":1},{"role":"b","weight":-3}])"), 400, "-3");
    expect(ask(master, "PUT", "/weights", json_type, "x"), 400, "Failed to parse the weights");
    expect(ask(master, "DELETE", "/weights"), 405, "Allow: GET, PUT");
    EXPECT_EQ(page("/weights").as_array().size(), 2u);
}

// An agent, a framework in a role of two parts, one task of it and an offer of the rest.
class OperatorLook : public OperatorApi {
  protected:
    OperatorLook()
        : agent(master.join()),
          scheduler(master, R"({"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo",
              "roles":["eng/ads"],"capabilities":[{"type":"MULTI_ROLE"}]}}})") {
        const auto offer = scheduler.stream().next(v1::scheduler::Event::OFFERS).offers().offers(0);
        scheduler.call(R"("type":"ACCEPT","accept":{"filters":{"refuse_seconds":0},"offer_ids":[{"value":")" +
                       offer.id().value() +
                       R"("}],"operations":[{"type":"LAUNCH","launch":{"task_infos":[{"name":"n","task_id":{"value":"t"},
            "agent_id":{"value":")" + agent +
                       R"("},"command":{"value":"true"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}]}}]})");
        scheduler.stream().next(v1::scheduler::Event::OFFERS);
    }

    std::string agent;
    RawScheduler scheduler;
};

TEST_F(OperatorLook, TheStateIsToldInOnePiece) {
    const auto state = told("GET_STATE").at("get_state");
    const auto& host = state.at("get_agents").at("agents").at(0);
    EXPECT_EQ(host.at("agent_info").at("id").at("value").as_string(), agent);
    EXPECT_TRUE(host.at("active").as_bool());
    EXPECT_EQ(host.at("pid").as_string(), "slave(1)@10.0.0.1:5051");
    EXPECT_EQ(host.at("allocated_resources").at(0).at("allocation_info").at("role").as_string(), "eng/ads");
    EXPECT_EQ(boost::json::value_to<double>(host.at("allocated_resources").at(0).at("scalar").at("value")), 1);
    EXPECT_EQ(boost::json::value_to<double>(host.at("offered_resources").at(0).at("scalar").at("value")), 3);
    const auto& framework = state.at("get_frameworks").at("frameworks").at(0);
    EXPECT_EQ(framework.at("framework_info").at("id").at("value").as_string(), scheduler.id());
    EXPECT_TRUE(framework.at("connected").as_bool());
    EXPECT_FALSE(framework.at("recovered").as_bool());
    EXPECT_EQ(framework.at("offers").as_array().size(), 1u);
    const auto& task = state.at("get_tasks").at("tasks").at(0);
    EXPECT_EQ(task.at("task_id").at("value").as_string(), "t");
    EXPECT_EQ(task.at("state").as_string(), "TASK_STAGING");
    EXPECT_EQ(task.at("agent_id").at("value").as_string(), agent);
    EXPECT_EQ(state.at("get_agents"), told("GET_AGENTS").at("get_agents"));
    EXPECT_EQ(state.at("get_frameworks"), told("GET_FRAMEWORKS").at("get_frameworks"));
    EXPECT_EQ(state.at("get_tasks"), told("GET_TASKS").at("get_tasks"));
}

TEST_F(OperatorLook, RolesCountWhatIsBelowThem) {
    const auto roles = told("GET_ROLES").at("get_roles").at("roles");
    ASSERT_EQ(roles.as_array().size(), 2u);
    EXPECT_EQ(roles.at(0).at("name").as_string(), "eng");
    EXPECT_FALSE(roles.at(0).as_object().contains("frameworks"));
    EXPECT_EQ(boost::json::value_to<double>(roles.at(0).at("resources").at(0).at("scalar").at("value")), 4);
    EXPECT_EQ(roles.at(1).at("name").as_string(), "eng/ads");
    EXPECT_EQ(roles.at(1).at("frameworks").at(0).at("value").as_string(), scheduler.id());
    const auto eng = page("/roles").at("roles").at(0);
    EXPECT_EQ(boost::json::value_to<double>(eng.at("allocated").at("cpus")), 1);
    EXPECT_EQ(boost::json::value_to<double>(eng.at("offered").at("cpus")), 3);
    EXPECT_EQ(boost::json::value_to<double>(eng.at("quota").at("consumed").at("cpus")), 4);
    EXPECT_TRUE(eng.at("frameworks").as_array().empty());
}

TEST_F(OperatorLook, WhyAFrameworkGetsNoOfferIsTold) {
    const auto why = page("/why?framework_id=" + scheduler.id());
    EXPECT_EQ(why.at("framework_id").as_string(), scheduler.id());
    EXPECT_EQ(why.at("name").as_string(), "demo");
    const auto& causes = why.at("causes").as_array();
    ASSERT_EQ(causes.size(), 2u);
    EXPECT_EQ(causes[0].at("cause").as_string(), "holds_offers");
    EXPECT_EQ(causes[1].at("cause").as_string(), "nothing_free");
    EXPECT_EQ(boost::json::value_to<int>(causes[1].at("agents")), 1);
    expect(ask(master, "GET", "/why?framework_id=who"), 404, "no framework who");
    expect(ask(master, "GET", "/why"), 400, "framework_id");
}

TEST_F(OperatorLook, ProtobufIsSpokenToo) {
    v1::master::Call call;
    call.set_type(v1::master::Call::GET_STATE);
    const auto answer = ask(master, "POST", "/api/v1",
                            "Content-Type: application/x-protobuf\r\nAccept: application/x-protobuf\r\n",
                            call.SerializeAsString());
    ASSERT_EQ(status_of(answer), 200) << answer;
    v1::master::Response response;
    ASSERT_TRUE(response.ParseFromString(body_of(answer)));
    EXPECT_EQ(response.type(), v1::master::Response::GET_STATE);
    EXPECT_EQ(response.get_state().get_tasks().tasks(0).task_id().value(), "t");
    EXPECT_EQ(response.get_state().get_agents().agents(0).capabilities_size(), 4);
}

// --- reservations ---

std::string reservation_call(std::string_view type, std::string_view part, const std::string& agent,
                             std::string_view resources) {
    return R"({"type":")" + std::string(type) + R"(",")" + std::string(part) + R"(":{"agent_id":{"value":")" + agent +
           R"("},"resources":)" + std::string(resources) + "}}";
}

constexpr std::string_view two_for_eng = R"([{"name":"cpus","type":"SCALAR","scalar":{"value":2},
    "reservations":[{"type":"DYNAMIC","role":"eng","principal":"ops",
                     "labels":{"labels":[{"key":"why","value":"tests"}]}}]}])";

TEST_F(OperatorApi, ReservationsAreOrderedAndShown) {
    const std::string agent = master.join();
    auto answer = call(reservation_call("RESERVE_RESOURCES", "reserve_resources", agent, two_for_eng));
    EXPECT_EQ(status_of(answer), 202) << answer;
    EXPECT_EQ(body_of(answer), "");
    const auto kept = master.agent().next([](const auto& message) { return message.has_keep_reservations(); });
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->keep_reservations().reserved(0).reservations(0).labels().labels(0).value(), "tests");

    const auto shown = page("/slaves").at("slaves").at(0);
    EXPECT_EQ(shown.at("reserved_resources").at("eng").at("cpus").as_double(), 2);
    EXPECT_EQ(shown.at("unreserved_resources").at("cpus").as_double(), 2);
    const auto full = shown.at("reserved_resources_full").at("eng").at(0);
    EXPECT_EQ(full.at("reservations").at(0).at("principal").as_string(), "ops");
    EXPECT_EQ(page("/state").at("slaves").at(0).at("reserved_resources").at("eng").at("cpus").as_double(), 2);
    EXPECT_EQ(page("/roles").at("roles").at(0).at("reserved").at("cpus").as_double(), 2);
    const auto told_of = told("GET_AGENTS").at("get_agents").at("agents").at(0);
    EXPECT_EQ(told_of.at("agent_info").at("resources").at(0).as_object().contains("reservations"), false);
    bool found = false;
    for (const auto& one : told_of.at("total_resources").as_array())
        if (one.as_object().contains("reservations"))
            found |= one.at("reservations").at(0).at("role").as_string() == "eng";
    EXPECT_TRUE(found);

    answer = call(reservation_call("UNRESERVE_RESOURCES", "unreserve_resources", agent, two_for_eng));
    EXPECT_EQ(status_of(answer), 202) << answer;
    EXPECT_TRUE(page("/slaves").at("slaves").at(0).at("reserved_resources").as_object().empty());
}

TEST_F(OperatorApi, ReservationsAreOrderedInProtobufToo) {
    v1::master::Call order;
    order.set_type(v1::master::Call::RESERVE_RESOURCES);
    order.mutable_reserve_resources()->mutable_agent_id()->set_value(master.join());
    auto& wanted = *order.mutable_reserve_resources()->add_resources();
    wanted = tests::scalar("cpus", 1);
    wanted.set_role("eng");
    wanted.mutable_reservation();
    const auto answer =
        ask(master, "POST", "/api/v1", "Content-Type: application/x-protobuf\r\n", order.SerializeAsString());
    EXPECT_EQ(status_of(answer), 202) << answer;
    EXPECT_EQ(page("/slaves").at("slaves").at(0).at("reserved_resources").at("eng").at("cpus").as_double(), 1);
}

TEST_F(OperatorApi, WrongReservationsAreRefusedWithASentence) {
    const std::string agent = master.join();
    const auto reserve = [&](const std::string& on, std::string_view resources) {
        return call(reservation_call("RESERVE_RESOURCES", "reserve_resources", on, resources));
    };
    expect(call(R"({"type":"RESERVE_RESOURCES"})"), 400, "'reserve_resources'");
    expect(call(R"({"type":"UNRESERVE_RESOURCES"})"), 400, "'unreserve_resources'");
    expect(reserve("nobody", two_for_eng), 400, "no agent nobody");
    expect(reserve(agent, "[]"), 400, "no resources are named");
    expect(reserve(agent, R"([{"name":"cpus","type":"SCALAR","scalar":{"value":1}}])"), 400,
           "not reserved dynamically");
    expect(reserve(agent, R"([{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"eng"}])"), 400,
           "not reserved dynamically");
    expect(reserve(agent, R"([{"name":"cpus","type":"SCALAR","scalar":{"value":9},"role":"eng","reservation":{}}])"),
           409, "cpus:5 is missing");
    expect(reserve(agent, R"([{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"eng","reservation":{},
                              "allocation_info":{"role":"eng"}}])"),
           400, "allocated to role 'eng'");
    expect(call(reservation_call("UNRESERVE_RESOURCES", "unreserve_resources", agent, two_for_eng)), 409, "is missing");
    EXPECT_TRUE(page("/slaves").at("slaves").at(0).at("reserved_resources").as_object().empty());
}

TEST_F(OperatorApi, TheOlderFormsReserveAndGiveBack) {
    const std::string agent = master.join();
    constexpr std::string_view form = "Content-Type: application/x-www-form-urlencoded\r\n";
    const std::string encoded = "slaveId=" + agent + "&resources=" + http::percent_encode(two_for_eng);
    auto answer = ask(master, "POST", "/master/reserve", form, encoded);
    EXPECT_EQ(status_of(answer), 202) << answer;
    EXPECT_EQ(page("/slaves").at("slaves").at(0).at("reserved_resources").at("eng").at("cpus").as_double(), 2);
    // As curl -d sends it.
    answer = ask(master, "POST", "/unreserve", form, "slaveId=" + agent + "&resources=" + std::string(two_for_eng));
    EXPECT_EQ(status_of(answer), 202) << answer;
    EXPECT_TRUE(page("/slaves").at("slaves").at(0).at("reserved_resources").as_object().empty());

    expect(ask(master, "POST", "/reserve", form, "resources=[]"), 400, "'slaveId'");
    expect(ask(master, "POST", "/reserve", form, "slaveId=x"), 400, "'resources'");
    expect(ask(master, "POST", "/reserve", form, "slaveId=" + agent + "&resources=[{]"), 400,
           "'resources' of the form");
    expect(ask(master, "POST", "/unreserve", form, encoded), 409, "is missing");
    EXPECT_EQ(status_of(ask(master, "GET", "/reserve")), 405);
}

}  // namespace
}  // namespace fairlead::masterd::api
