// What a plan takes back, applied: asked for, waited for, called off, ended; and what of a plan is not done.

#include "masterd/core/role_orders.hpp"
#include "masterd/core/why.hpp"
#include "tests/support/master_harness.hpp"

#include <fmt/format.h>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;

v1::FrameworkInfo in_role(const char* role, std::initializer_list<Capability::Type> capabilities = {
                                                Capability::PARTITION_AWARE}) {
    auto info = framework_info(capabilities);
    info.set_role(role);
    info.set_failover_timeout(3600);
    return info;
}

// A batch framework with tasks a, b and c of a cpu each on host1 and d on host2, and a service that is in need.
class Revocations : public testing::Test {
  protected:
    explicit Revocations(const v1::FrameworkInfo& batch_info = in_role("batch"), CoreOptions options = {},
                         const char* service_role = "service")
        : batch_role(batch_info.role()), service_role(service_role) {
        auto owned = std::make_unique<ScriptedModule>();
        module = owned.get();
        master = std::make_unique<MasterHarness>(options, std::move(owned));
        begin(batch_info);
    }
    void begin(const v1::FrameworkInfo& batch_info) {
        host = master->join("host1");
        other = master->join("host2");
        batch = master->subscribe(batch_info);
        service = master->subscribe(in_role(service_role.c_str()));
        launch(host, {"a", "b", "c"});
        launch(other, {"d"});
        master->take(host);
        master->take(other);
    }

    AgentSlot slot(const MasterHarness::Host& of) const {
        return master->core.state().books.agent(base::AgentId(of.id))->slot;
    }
    FrameworkSlot slot(const MasterHarness::Scheduler& of) const { return master->framework(of).slot; }
    RoleSlot role(const char* name) const { return *master->core.state().books.roles().find(base::Role(name)); }
    const RevocationTable& table() const { return master->core.state().revocations; }

    std::string offer(const MasterHarness::Scheduler& to, const char* its_role, const MasterHarness::Host& on,
                      const char* what) {
        module->next.offers = {{slot(to), role(its_role), slot(on), resources::Resources::parse(what).value()}};
        plan();
        return master->take_offers(to).at(0).id().value();
    }
    void launch(const MasterHarness::Host& on, std::vector<const char*> ids, const char* gang = "") {
        const auto what = fmt::format("cpus:{};mem:{}", ids.size(), 32 * ids.size());
        const auto id = offer(batch, batch_role.c_str(), on, what.c_str());
        std::vector<v1::TaskInfo> tasks;
        for (const char* one : ids) {
            tasks.push_back(command_task(one, on.id, 1, 32));
            if (*gang) tasks.back().mutable_revocation_policy()->set_gang(gang);
        }
        master->send(batch, accept_call(batch.id, {id}, tasks));
    }
    void guarantee(const char* name, const char* amounts) {
        RoleOrder order;
        order.role = base::Role(name);
        order.quota.emplace();
        order.quota->guarantee = resources::Resources::parse(amounts).value().quantities();
        master->step(RolesOrdered{RequestId(900'000 + next_order++), {order}, true, RolesOrdered::Manner::update});
    }
    void plan() { master->step(AllocationDue{}); }
    allocator::RevocationLine line(const MasterHarness::Host& on, const char* task) const {
        return {slot(batch), slot(on), base::TaskId(task), role(service_role.c_str())};
    }
    void revoke(std::vector<allocator::RevocationLine> lines) {
        module->next.revocations = std::move(lines);
        master->reports.clear();
        plan();
    }
    std::vector<v1::InverseOffer> inverse_offers(const MasterHarness::Scheduler& of) {
        std::vector<v1::InverseOffer> offers;
        for (const auto& event : master->take(of, Event::INVERSE_OFFERS))
            for (const auto& one : event->inverse_offers().inverse_offers()) offers.push_back(one);
        return offers;
    }
    std::vector<internal::KillTask> kills(const MasterHarness::Host& at) {
        std::vector<internal::KillTask> kills;
        for (const auto& message : master->take(at))
            if (message->has_kill_task()) kills.push_back(message->kill_task());
        return kills;
    }
    void end(const MasterHarness::Host& at, const char* task) {
        master->say(at.link, status_update(batch.id, task, v1::TASK_FINISHED, "0123456789abcde" + std::string(task)));
    }
    std::size_t reported(Report::Kind kind) const {
        return static_cast<std::size_t>(std::count_if(master->reports.begin(), master->reports.end(),
                                                      [&](const auto& report) { return report.kind == kind; }));
    }

    std::string batch_role, service_role;
    ScriptedModule* module = nullptr;
    std::unique_ptr<MasterHarness> master;
    MasterHarness::Host host, other;
    MasterHarness::Scheduler batch, service;
    int next_order = 0;
};

TEST_F(Revocations, AreAskedForWithTheirDeadlineAndCarriedOutAtIt) {
    revoke({line(host, "a"), line(host, "c")});
    const auto asked = inverse_offers(batch);
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].id().value(), "m-I0");
    EXPECT_EQ(asked[0].framework_id().value(), batch.id);
    EXPECT_EQ(asked[0].agent_id().value(), host.id);
    EXPECT_EQ(asked[0].unavailability().start().nanoseconds(), (master->now.wall + 30s).time_since_epoch().count());
    EXPECT_FALSE(asked[0].unavailability().has_duration());
    ASSERT_EQ(asked[0].task_ids_size(), 2);
    EXPECT_EQ(asked[0].task_ids(0).value(), "a");
    EXPECT_EQ(asked[0].task_ids(1).value(), "c");
    ASSERT_EQ(asked[0].resources_size(), 2);
    EXPECT_EQ(asked[0].resources(0).scalar().value(), 2);
    EXPECT_EQ(reported(Report::Kind::revocation_asked), 2u);

    master->pass(29999ms);
    EXPECT_TRUE(kills(host).empty());
    master->pass(1ms);
    const auto killed = kills(host);
    ASSERT_EQ(killed.size(), 2u);
    EXPECT_EQ(killed[0].task_id().value(), "a");
    EXPECT_EQ(killed[0].reason(), v1::TaskStatus::REASON_TASK_REVOKED);
    EXPECT_EQ(killed[0].message(), "Revoked: what it held is needed by role 'service'");
    EXPECT_FALSE(killed[0].has_kill_policy()) << "the task's own grace holds";
    EXPECT_TRUE(kills(other).empty());
    EXPECT_EQ(table().counts().killed, 2u);
    EXPECT_DOUBLE_EQ(table().counts().lost_cpu_seconds, 60);
    EXPECT_EQ(table().revocations().size(), 2u) << "until they hold nothing";
    end(host, "a");
    end(host, "c");
    EXPECT_TRUE(table().revocations().empty());
    EXPECT_TRUE(master->take(batch, Event::RESCIND_INVERSE_OFFER).empty()) << "it was carried out";
}

TEST_F(Revocations, WorkThatWasSavedIsNotLost) {
    auto task = command_task("e", other.id, 2);
    task.mutable_revocation_policy()->mutable_saved_every()->set_nanoseconds(base::Duration(5s).count());
    master->send(batch, accept_call(batch.id, {offer(batch, "batch", other, "cpus:2;mem:64")}, {task}));
    revoke({line(other, "e")});
    master->pass(30s);
    EXPECT_DOUBLE_EQ(table().counts().lost_cpu_seconds, 10);
}

TEST_F(Revocations, WhoeverEndsItsTasksInTimeIsLeftAlone) {
    revoke({line(host, "a"), line(host, "b")});
    end(host, "a");
    EXPECT_TRUE(master->take(batch, Event::RESCIND_INVERSE_OFFER).empty());
    end(host, "b");
    const auto rescinded = master->take(batch, Event::RESCIND_INVERSE_OFFER);
    ASSERT_EQ(rescinded.size(), 1u);
    EXPECT_EQ(rescinded[0]->rescind_inverse_offer().inverse_offer_id().value(), "m-I0");
    master->pass(1min);
    EXPECT_TRUE(kills(host).empty());
    EXPECT_EQ(table().counts().given_back, 2u);
    EXPECT_EQ(table().counts().killed, 0u);
}

TEST_F(Revocations, AnAnswerDoesNotMoveTheDeadline) {
    revoke({line(host, "a"), line(other, "d")});
    const auto asked = inverse_offers(batch);
    ASSERT_EQ(asked.size(), 2u);
    auto accept = call_of(batch.id, Call::ACCEPT_INVERSE_OFFERS);
    *accept.mutable_accept_inverse_offers()->add_inverse_offer_ids() = asked[0].id();
    EXPECT_EQ(master->send(batch, accept), 202u);
    auto decline = call_of(batch.id, Call::DECLINE_INVERSE_OFFERS);
    *decline.mutable_decline_inverse_offers()->add_inverse_offer_ids() = asked[1].id();
    EXPECT_EQ(master->send(batch, decline), 202u);
    using Answer = InverseOffer::Answer;
    EXPECT_EQ(table().inverse_offers().at(base::OfferId("m-I0")).answer, Answer::accepted);
    EXPECT_EQ(table().inverse_offers().at(base::OfferId("m-I1")).answer, Answer::declined);
    master->pass(30s);
    EXPECT_EQ(kills(host).size(), 1u);
    EXPECT_EQ(kills(other).size(), 1u);
}

TEST_F(Revocations, NobodyAnswersForOthers) {
    revoke({line(host, "a")});
    auto accept = call_of(service.id, Call::ACCEPT_INVERSE_OFFERS);
    accept.mutable_accept_inverse_offers()->add_inverse_offer_ids()->set_value("m-I0");
    accept.mutable_accept_inverse_offers()->add_inverse_offer_ids()->set_value("unknown");
    EXPECT_EQ(master->send(service, accept), 202u);
    EXPECT_EQ(reported(Report::Kind::call_dropped), 1u);
    EXPECT_EQ(table().inverse_offers().begin()->second.answer, InverseOffer::Answer::none);
}

TEST_F(Revocations, AreCalledOffByTheModule) {
    revoke({line(host, "a"), line(host, "b")});
    module->next.call_offs = {{slot(batch), base::TaskId("a")}};
    plan();
    EXPECT_TRUE(master->take(batch, Event::RESCIND_INVERSE_OFFER).empty()) << "b is still asked for";
    master->pass(30s);
    const auto killed = kills(host);
    ASSERT_EQ(killed.size(), 1u);
    EXPECT_EQ(killed[0].task_id().value(), "b");
    module->next.call_offs = {{slot(batch), base::TaskId("b")}};
    plan();
    EXPECT_EQ(reported(Report::Kind::plan_refused), 0u) << "too late is nobody's fault";
    EXPECT_EQ(table().counts().called_off, 1u);
    module->next.call_offs = {{slot(batch), base::TaskId("c")}};
    plan();
    EXPECT_EQ(reported(Report::Kind::plan_refused), 1u) << "nobody has asked for it";
}

TEST_F(Revocations, AreCalledOffWhenNobodyIsThereToProfit) {
    revoke({line(host, "a")});
    master->send(service, call_of(service.id, Call::TEARDOWN));
    master->pass(30s);
    EXPECT_TRUE(kills(host).empty());
    EXPECT_EQ(reported(Report::Kind::revocation_called_off), 1u);
    EXPECT_EQ(master->take(batch, Event::RESCIND_INVERSE_OFFER).size(), 1u);
}

TEST_F(Revocations, AreCalledOffWithTheirAgent) {
    revoke({line(host, "a"), line(other, "d")});
    master->step(LinkClosed{host.link});
    EXPECT_EQ(table().counts().called_off, 1u);
    EXPECT_EQ(master->take(batch, Event::RESCIND_INVERSE_OFFER).size(), 1u);
    master->pass(30s);
    EXPECT_EQ(kills(other).size(), 1u);
}

// The kill was sent, and then the link broke.
TEST_F(Revocations, CountAsTakenUntilTheirAgentSaysThatTheyWereNot) {
    guarantee("batch", "cpus:3");
    revoke({line(host, "a")});
    master->pass(30s);
    ASSERT_EQ(kills(host).size(), 1u);
    master->step(LinkClosed{host.link});
    revoke({line(other, "d")});
    EXPECT_EQ(reported(Report::Kind::plan_refused), 1u) << "with a gone there would be two left";

    auto info = agent_info("host1");
    info.mutable_id()->set_value(host.id);
    auto registration = register_message(info);
    for (const char* task : {"a", "b", "c"})
        *registration.mutable_register_()->add_tasks() = task_on_agent(batch.id, task, host.id, v1::TASK_RUNNING);
    host = master->join(registration);
    EXPECT_TRUE(table().revocations().empty());
    revoke({line(other, "d")});
    EXPECT_EQ(table().revocations().size(), 1u);
}

TEST_F(Revocations, ThatWereSentGoWithAnAgentThatDoesNotComeBack) {
    revoke({line(host, "a")});
    master->pass(30s);
    master->step(LinkClosed{host.link});
    EXPECT_EQ(table().revocations().size(), 1u);
    master->pass(CoreOptions{}.agent_reregister_timeout);
    EXPECT_TRUE(table().revocations().empty());
}

TEST_F(Revocations, AreForgottenWithTheirFramework) {
    revoke({line(host, "a")});
    master->send(batch, call_of(batch.id, Call::TEARDOWN));
    EXPECT_TRUE(table().revocations().empty());
    EXPECT_TRUE(table().inverse_offers().empty());
}

TEST_F(Revocations, AreRepeatedToASchedulerThatComesBack) {
    revoke({line(host, "a")});
    master->step(StreamClosed{batch.stream});
    auto info = in_role("batch");
    info.mutable_id()->set_value(batch.id);
    const auto back = master->subscribe(info);
    const auto asked = inverse_offers(back);
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].id().value(), "m-I0");
    master->pass(30s);
    EXPECT_EQ(kills(host).size(), 1u);
}

TEST_F(Revocations, NeverLeaveARoleWithLessThanItsGuarantee) {
    guarantee("batch", "cpus:2");
    revoke({line(host, "a"), line(host, "b"), line(host, "c")});
    EXPECT_EQ(table().revocations().size(), 2u);
    EXPECT_EQ(reported(Report::Kind::plan_refused), 1u);
    revoke({line(other, "d")});
    EXPECT_EQ(table().revocations().size(), 2u) << "what is pending counts";
}

TEST_F(Revocations, AreCalledOffWhenTheirRoleHasShrunkToItsGuarantee) {
    guarantee("batch", "cpus:2");
    revoke({line(host, "a"), line(host, "b")});
    end(host, "c");
    master->pass(30s);
    const auto killed = kills(host);
    ASSERT_EQ(killed.size(), 1u);
    EXPECT_EQ(killed[0].task_id().value(), "a");
    EXPECT_EQ(reported(Report::Kind::revocation_called_off), 1u);
}

TEST_F(Revocations, OfAGangAreOfAllOfIt) {
    launch(other, {"g1", "g2"}, "solver");
    launch(host, {"g3"}, "solver");
    revoke({line(other, "g1"), line(other, "g2")});
    EXPECT_TRUE(table().revocations().empty());
    EXPECT_EQ(reported(Report::Kind::plan_refused), 1u);
    revoke({line(other, "g1"), line(other, "g2"), line(host, "g3")});
    EXPECT_EQ(table().revocations().size(), 3u);
    EXPECT_EQ(inverse_offers(batch).size(), 2u) << "one for each agent";
    module->next.call_offs = {{slot(batch), base::TaskId("g3")}};
    plan();
    EXPECT_TRUE(table().revocations().empty()) << "and back";
    EXPECT_EQ(master->take(batch, Event::RESCIND_INVERSE_OFFER).size(), 2u);
}

TEST_F(Revocations, OfAGangThatWouldGoBelowItsGuaranteeAreNotCarriedOutInPart) {
    launch(other, {"g1", "g2"}, "solver");
    guarantee("batch", "cpus:4");
    revoke({line(other, "g1"), line(other, "g2")});
    EXPECT_EQ(table().revocations().size(), 2u);
    end(host, "a");
    master->pass(30s);
    EXPECT_TRUE(kills(other).empty());
    EXPECT_EQ(reported(Report::Kind::revocation_called_off), 2u);
}

TEST_F(Revocations, ThatMakeNoSenseAreRefused) {
    auto kill = call_of(batch.id, Call::KILL);
    kill.mutable_kill()->mutable_task_id()->set_value("c");
    master->send(batch, kill);
    const auto service_role = role("service");
    revoke({{99, slot(host), base::TaskId("a"), service_role},
            {slot(batch), 99, base::TaskId("a"), service_role},
            {slot(batch), slot(other), base::TaskId("a"), service_role},  // it runs elsewhere
            {slot(batch), slot(host), base::TaskId("x"), service_role},
            {slot(batch), slot(host), base::TaskId("a"), 99},
            {slot(batch), slot(host), base::TaskId("a"), allocator::root_role},
            {slot(batch), slot(host), base::TaskId("a"), role("batch")},  // in favour of itself
            line(host, "c"),                                              // it is being killed
            line(host, "a"),
            line(host, "a")});
    EXPECT_EQ(table().revocations().size(), 1u);
    const auto told = std::find_if(master->reports.begin(), master->reports.end(),
                                   [](const auto& report) { return report.kind == Report::Kind::plan_refused; });
    ASSERT_NE(told, master->reports.end());
    EXPECT_EQ(told->message, "9 of 10 revocations in a plan of the allocation module drf do not hold");
}

TEST_F(Revocations, OfferLinesAreRescindedBeforehand) {
    const auto standing = offer(service, "service", other, "cpus:1;mem:32");
    module->next.rescinds = {{slot(service), slot(other)}, {slot(service), slot(host)}, {99, 0}, {0, 99}};
    master->reports.clear();
    plan();
    const auto rescinded = master->take(service, Event::RESCIND);
    ASSERT_EQ(rescinded.size(), 1u);
    EXPECT_EQ(rescinded[0]->rescind().offer_id().value(), standing);
    const auto told = std::find_if(master->reports.begin(), master->reports.end(),
                                   [](const auto& report) { return report.kind == Report::Kind::plan_refused; });
    ASSERT_NE(told, master->reports.end());
    EXPECT_TRUE(told->message.starts_with("3 of 4 rescinds")) << told->message;
}

TEST_F(Revocations, WithoutForceNothingHappensAtTheDeadline) {
    const auto cpu = resources::Resources::parse("cpus:1").value();
    module->next.inverse_offers = {{slot(batch), slot(host), cpu}, {slot(batch), slot(host), cpu}};
    plan();
    EXPECT_EQ(reported(Report::Kind::plan_refused), 1u) << "one at a time";
    const auto asked = inverse_offers(batch);
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].task_ids_size(), 0);
    master->pass(30s);
    EXPECT_TRUE(kills(host).empty());
    EXPECT_EQ(master->take(batch, Event::RESCIND_INVERSE_OFFER).size(), 1u);
}

TEST_F(Revocations, AreAReasonToWaitForThoseWhoGetWhatIsTaken) {
    revoke({line(host, "a"), line(other, "d")});
    master->pass(10s);
    const auto causes = why_no_offer(master->core.state(), master->framework(service), master->now);
    ASSERT_FALSE(causes.empty());
    EXPECT_EQ(name_of(causes[0].kind), "revocation_under_way");
    EXPECT_EQ(causes[0].message,
              "what it lacks is being taken back from others: 2 tasks are asked for, to end within 20.0s");
    EXPECT_EQ(causes[0].until, master->now.wall + 20s);
    for (const auto& cause : why_no_offer(master->core.state(), master->framework(batch), master->now))
        EXPECT_NE(name_of(cause.kind), "revocation_under_way");
}

TEST_F(Revocations, AreNotAskedForWhileAgentsAreNotBackYet) {
    LeadershipGained gained{2, master->core.state().master_info, {}};
    gained.inheritance.agents = {{base::AgentId("m-S77"), AgentRecord::Standing::admitted, base::WallTime(7s)}};
    master->step(gained);
    begin(in_role("batch"));
    revoke({line(host, "a")});
    EXPECT_TRUE(table().revocations().empty());
    EXPECT_EQ(reported(Report::Kind::plan_refused), 1u);
    internal::FromAgent pong;
    pong.mutable_pong();
    master->pass(40s);
    master->say(host.link, pong);
    master->pass(36s);
    revoke({line(host, "a")});
    EXPECT_EQ(table().revocations().size(), 1u);
}

// Two parts of a role that is guaranteed all that it has.
class RevocationsWithinARole : public Revocations {
  protected:
    RevocationsWithinARole() : Revocations(in_role("eng/web"), {}, "eng/ads") { guarantee("eng", "cpus:4"); }
};

TEST_F(RevocationsWithinARole, TakeNothingFromTheWhole) {
    revoke({line(host, "a"), line(host, "b")});
    EXPECT_EQ(table().revocations().size(), 2u);
    EXPECT_TRUE(table().pending_under(role("eng")).empty());
    EXPECT_EQ(table().pending_under(role("eng/web")).of("cpus"), resources::Milli::units(2));
    master->pass(30s);
    EXPECT_EQ(kills(host).size(), 2u);
    end(host, "a");
    end(host, "b");
    EXPECT_TRUE(table().revocations().empty());
}

TEST_F(RevocationsWithinARole, LeaveEachPartItsOwnGuarantee) {
    guarantee("eng/web", "cpus:3");
    revoke({line(host, "a"), line(host, "b")});
    EXPECT_EQ(table().revocations().size(), 1u);
}

TEST_F(RevocationsWithinARole, AreNothingThatOthersMayTake) {
    const auto outside = master->subscribe(in_role("other"));
    auto for_other = line(host, "a");
    for_other.in_favour_of = role("other");
    revoke({for_other, line(host, "b")});
    EXPECT_EQ(table().revocations().size(), 1u) << "the whole would have less than its guarantee";
    EXPECT_NE(table().find(slot(batch), base::TaskId("b")), nullptr);
}

class FewRevocations : public Revocations {
  protected:
    static CoreOptions few() {
        CoreOptions options;
        options.revocations_max = 2;
        return options;
    }
    FewRevocations() : Revocations(in_role("batch"), few()) {}
};

TEST_F(FewRevocations, ArePendingAtOneTime) {
    revoke({line(host, "a"), line(host, "b"), line(host, "c")});
    EXPECT_EQ(table().revocations().size(), 2u);
    EXPECT_EQ(reported(Report::Kind::plan_refused), 1u);
}

TEST_F(Revocations, AreToldToOldFrameworksAsPreemption) {
    auto update = status_update(batch.id, "a", v1::TASK_KILLED, "0123456789abcdea");
    update.mutable_status_update()->mutable_status()->set_reason(v1::TaskStatus::REASON_TASK_REVOKED);
    master->say(host.link, update);
    EXPECT_EQ(master->take_updates(batch).at(0).reason(), v1::TaskStatus::REASON_CONTAINER_PREEMPTED);
}

class KnowingFramework : public Revocations {
  protected:
    KnowingFramework() : Revocations(in_role("batch", {Capability::PARTITION_AWARE, Capability::FAIRLEAD_REASONS})) {}
};

TEST_F(KnowingFramework, IsToldOfRevocationByItsName) {
    auto update = status_update(batch.id, "a", v1::TASK_KILLED, "0123456789abcdea");
    update.mutable_status_update()->mutable_status()->set_reason(v1::TaskStatus::REASON_TASK_REVOKED);
    master->say(host.link, update);
    EXPECT_EQ(master->take_updates(batch).at(0).reason(), v1::TaskStatus::REASON_TASK_REVOKED);
}

}  // namespace
}  // namespace fairlead::tests
