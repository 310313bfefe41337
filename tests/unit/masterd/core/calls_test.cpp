#include "masterd/core/call_validation.hpp"
#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;

std::string refusal(const Call& call) {
    const auto ok = masterd::core::validate_call(call, "");
    return ok ? std::string() : ok.error().message();
}

TEST(Calls, AnUnknownFrameworkIs400) {
    MasterHarness master;
    const auto request = master.post(call_of("nobody", Call::REVIVE), "s");
    EXPECT_EQ(master.replies[request].status, 400u);
    EXPECT_EQ(master.replies[request].body, "Framework cannot be found");
}

TEST(Calls, ADisconnectedFrameworkIs403) {
    MasterHarness master;
    auto info = framework_info();
    info.set_failover_timeout(60);
    const auto scheduler = master.subscribe(info);
    master.step(masterd::core::StreamClosed{scheduler.stream});
    const auto request = master.post(call_of(scheduler.id, Call::REVIVE), scheduler.stream_id);
    EXPECT_EQ(master.replies[request].status, 403u);
    EXPECT_EQ(master.replies[request].body, "Framework is not subscribed");
}

TEST(Calls, AMissingOrWrongStreamIdIs400) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    EXPECT_EQ(master.replies[master.post(call_of(scheduler.id, Call::REVIVE))].status, 400u);
    EXPECT_EQ(master.replies[master.post(call_of(scheduler.id, Call::REVIVE), "")].status, 400u);
    EXPECT_EQ(master.replies[master.post(call_of(scheduler.id, Call::REVIVE), "no")].status, 400u);
}

TEST(Calls, AnotherPrincipalThanTheFrameworksIs400) {
    MasterHarness master;
    const auto request = master.post(subscribe_call(framework_info()), {}, "alice");
    const auto call = call_of("m-0000", Call::REVIVE);
    const auto& stream = master.stream_ids[request];
    EXPECT_EQ(master.replies[master.post(call, stream, "bob")].status, 400u);
    EXPECT_EQ(master.replies[master.post(call, stream, "alice")].status, 202u);
}

TEST(Calls, UnknownTypesAre501) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    EXPECT_EQ(master.send(scheduler, call_of(scheduler.id, Call::UNKNOWN)), 501u);
}

TEST(Calls, AForeignOrUnknownOfferIsNotDeclined) {
    MasterHarness master;
    master.join();
    const auto owner = master.subscribe();
    const auto offer = master.take_offers(owner).at(0);
    const auto stranger = master.subscribe();
    auto call = call_of(stranger.id, Call::DECLINE);
    call.mutable_decline()->add_offer_ids()->set_value("none");
    *call.mutable_decline()->add_offer_ids() = offer.id();
    EXPECT_EQ(master.send(stranger, call), 202u);
    EXPECT_TRUE(master.core.state().books.offers().contains(base::OfferId(offer.id().value())));
    EXPECT_TRUE(master.take(owner, Event::RESCIND).empty());
}

TEST(Calls, StructureIsCheckedFirst) {
    EXPECT_NE(refusal(Call()), "");
    Call no_id;
    no_id.set_type(Call::REVIVE);
    EXPECT_EQ(refusal(no_id), "Expecting 'framework_id' to be present");
    for (const auto type :
         {Call::ACCEPT, Call::DECLINE, Call::ACCEPT_INVERSE_OFFERS, Call::DECLINE_INVERSE_OFFERS,
          Call::KILL, Call::SHUTDOWN, Call::ACKNOWLEDGE, Call::ACKNOWLEDGE_OPERATION_STATUS,
          Call::RECONCILE, Call::RECONCILE_OPERATIONS, Call::MESSAGE, Call::REQUEST,
          Call::UPDATE_FRAMEWORK})
        EXPECT_NE(refusal(call_of("f", type)), "") << Call::Type_Name(type);
    for (const auto type : {Call::TEARDOWN, Call::REVIVE, Call::SUPPRESS})
        EXPECT_EQ(refusal(call_of("f", type)), "");
    auto acknowledge = call_of("f", Call::ACKNOWLEDGE);
    acknowledge.mutable_acknowledge()->mutable_agent_id()->set_value("a");
    acknowledge.mutable_acknowledge()->mutable_task_id()->set_value("t");
    acknowledge.mutable_acknowledge()->set_uuid("short");
    EXPECT_NE(refusal(acknowledge), "");
    acknowledge.mutable_acknowledge()->set_uuid("0123456789abcdef");
    EXPECT_EQ(refusal(acknowledge), "");
    auto subscribe = subscribe_call(framework_info());
    subscribe.mutable_framework_id()->set_value("x");
    EXPECT_NE(refusal(subscribe), "");
}

TEST(Calls, ABatchIsRefusedAsAWhole) {
    const auto batch_of = [](std::vector<Call> calls) {
        auto batch = call_of("f", Call::BATCH);
        batch.mutable_calls()->Add(calls.begin(), calls.end());
        return batch;
    };
    auto revive = call_of("f", Call::REVIVE);
    EXPECT_EQ(refusal(batch_of({})), "");
    EXPECT_EQ(refusal(batch_of(std::vector<Call>(200, revive))), "");
    EXPECT_NE(refusal(batch_of(std::vector<Call>(201, revive))), "");
    revive.clear_framework_id();
    EXPECT_EQ(refusal(batch_of({revive, revive})), "");
    EXPECT_NE(refusal(batch_of({revive, call_of("g", Call::REVIVE)})), "");
    EXPECT_NE(refusal(batch_of({revive, call_of("f", Call::ACCEPT)})), "");
    for (const auto type : {Call::SUBSCRIBE, Call::TEARDOWN, Call::UPDATE_FRAMEWORK, Call::REQUEST, Call::BATCH,
                            Call::RECONCILE_OPERATIONS, Call::UNKNOWN}) {
        Call other = call_of("f", type);
        other.mutable_request();
        *other.mutable_update_framework()->mutable_framework_info() = framework_info();
        other.mutable_reconcile_operations();
        EXPECT_NE(refusal(batch_of({other})), "") << Call::Type_Name(type);
    }
}

TEST(Calls, NoMediaTypeForEventsIs406AfterTheStructureAndOnlyWhereEventsAreTheAnswer) {
    MasterHarness master;
    const auto post = [&](Call call, std::optional<std::string> stream) {
        const auto request = masterd::core::RequestId(1000 + master.replies.size());
        master.step(masterd::core::CallArrived{
            request, std::make_shared<const Call>(call), std::move(stream), {}, false});
        return master.replies[request].status;
    };
    auto subscription = subscribe_call(framework_info());
    EXPECT_EQ(post(subscription, {}), 406u);
    subscription.mutable_framework_id()->set_value("differs");
    EXPECT_EQ(post(subscription, {}), 400u);
    const auto scheduler = master.subscribe();
    EXPECT_EQ(post(call_of(scheduler.id, Call::REVIVE), scheduler.stream_id), 202u);
    auto query = call_of(scheduler.id, Call::RECONCILE_OPERATIONS);
    EXPECT_EQ(post(query, scheduler.stream_id), 400u);
    query.mutable_reconcile_operations();
    EXPECT_EQ(post(query, scheduler.stream_id), 406u);
}

TEST(Calls, TeardownEndsTheFrameworkAndItsStream) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    EXPECT_EQ(master.send(scheduler, call_of(scheduler.id, Call::TEARDOWN)), 202u);
    EXPECT_EQ(master.closed_streams, std::vector{scheduler.stream});
    EXPECT_EQ(master.send(scheduler, call_of(scheduler.id, Call::REVIVE)), 400u);
    EXPECT_EQ(master.available(host).cpus(), resources::Milli::units(4));
}

TEST(Calls, DeclinedResourcesComeBackAfterFiveSeconds) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    auto call = call_of(scheduler.id, Call::DECLINE);
    *call.mutable_decline()->add_offer_ids() = offer.id();
    master.send(scheduler, call);
    master.pass(4900ms);
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    master.pass(200ms);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST(Calls, AnotherFrameworksOfferCannotBeDeclined) {
    MasterHarness master;
    master.join();
    const auto owner = master.subscribe();
    const auto offer = master.take_offers(owner).at(0);
    const auto other = master.subscribe();
    auto call = call_of(other.id, Call::DECLINE);
    *call.mutable_decline()->add_offer_ids() = offer.id();
    EXPECT_EQ(master.send(other, call), 202u);
    EXPECT_EQ(master.framework(owner).offers.size(), 1u);
    EXPECT_TRUE(master.take(owner, v1::scheduler::Event::RESCIND).empty());
}

TEST(Calls, RefuseSecondsOfNonsenseAreTheDefaultAndZeroIsNone) {
    const auto seconds_until_offer = [](double refuse) {
        MasterHarness master;
        const auto host = master.join();
        const auto scheduler = master.subscribe();
        const auto offer = master.take_offers(scheduler).at(0);
        auto call = call_of(scheduler.id, Call::DECLINE);
        *call.mutable_decline()->add_offer_ids() = offer.id();
        call.mutable_decline()->mutable_filters()->set_refuse_seconds(refuse);
        master.send(scheduler, call);
        int seconds = 0;
        while (master.take_offers(scheduler).empty() && seconds < 100) master.pass(1s), ++seconds;
        return seconds;
    };
    EXPECT_EQ(seconds_until_offer(0), 0);
    EXPECT_EQ(seconds_until_offer(3), 3);
    EXPECT_EQ(seconds_until_offer(-1), 5);
    EXPECT_EQ(seconds_until_offer(std::nan("")), 5);
    EXPECT_EQ(seconds_until_offer(1e300), 100);
}

TEST(Calls, ReviveDropsFilters) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    auto call = call_of(scheduler.id, Call::DECLINE);
    *call.mutable_decline()->add_offer_ids() = master.take_offers(scheduler).at(0).id();
    call.mutable_decline()->mutable_filters()->set_refuse_seconds(1e9);
    master.send(scheduler, call);
    EXPECT_EQ(master.core.state().filters, 1u);
    master.send(scheduler, call_of(scheduler.id, Call::REVIVE));
    EXPECT_EQ(master.core.state().filters, 0u);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST(Calls, SuppressStopsOffersUntilRevive) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    master.send(scheduler, call_of(scheduler.id, Call::SUPPRESS));
    const auto host = master.join();
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    auto wrong = call_of(scheduler.id, Call::REVIVE);
    wrong.mutable_revive()->add_roles("other");
    EXPECT_EQ(master.send(scheduler, wrong), 202u);
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    master.send(scheduler, call_of(scheduler.id, Call::REVIVE));
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST(Calls, MessagesAndShutdownsReachTheAgent) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    master.take(host);
    auto message = call_of(scheduler.id, Call::MESSAGE);
    message.mutable_message()->mutable_agent_id()->set_value(host.id);
    message.mutable_message()->mutable_executor_id()->set_value("e");
    message.mutable_message()->set_data("hello");
    master.send(scheduler, message);
    auto shutdown = call_of(scheduler.id, Call::SHUTDOWN);
    shutdown.mutable_shutdown()->mutable_agent_id()->set_value(host.id);
    shutdown.mutable_shutdown()->mutable_executor_id()->set_value("e");
    master.send(scheduler, shutdown);
    const auto sent = master.take(host);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0]->executor_message().data(), "hello");
    EXPECT_EQ(sent[1]->shutdown_executor().executor_id().value(), "e");
}

TEST(Calls, OperationsAreUnknownToReconciliation) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    auto call = call_of(scheduler.id, Call::RECONCILE_OPERATIONS);
    call.mutable_reconcile_operations()->add_operations()->mutable_operation_id()->set_value("o");
    EXPECT_EQ(master.send(scheduler, call), 202u);
    const auto events = master.take(scheduler, Event::UPDATE_OPERATION_STATUS);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]->update_operation_status().status().state(), v1::OPERATION_UNKNOWN);
}

TEST(Calls, OperationsOnAnUnreachableAgentAreUnreachable) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    auto call = call_of(scheduler.id, Call::RECONCILE_OPERATIONS);
    auto& operation = *call.mutable_reconcile_operations()->add_operations();
    operation.mutable_operation_id()->set_value("o");
    operation.mutable_agent_id()->set_value(host.id);
    master.send(scheduler, call);
    const auto status = master.take(scheduler, Event::UPDATE_OPERATION_STATUS)
                            .at(0)
                            ->update_operation_status()
                            .status();
    EXPECT_EQ(status.state(), v1::OPERATION_UNREACHABLE);
    EXPECT_EQ(status.agent_id().value(), host.id);
}

TEST(Calls, InverseOffersAndRequestsAreTakenAndChangeNothing) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    auto call = call_of(scheduler.id, Call::ACCEPT_INVERSE_OFFERS);
    call.mutable_accept_inverse_offers()->add_inverse_offer_ids()->set_value("i");
    EXPECT_EQ(master.send(scheduler, call), 202u);
    call.set_type(Call::DECLINE_INVERSE_OFFERS);
    call.mutable_decline_inverse_offers()->add_inverse_offer_ids()->set_value("i");
    EXPECT_EQ(master.send(scheduler, call), 202u);
    call.set_type(Call::REQUEST);
    call.mutable_request()->add_requests();
    EXPECT_EQ(master.send(scheduler, call), 202u);
    EXPECT_EQ(master.events[scheduler.stream].size(), 2u);  // SUBSCRIBED, HEARTBEAT
}

TEST(Calls, ASuppressedRoleOfSeveralLeavesTheOthers) {
    MasterHarness master;
    auto info = framework_info({Capability::MULTI_ROLE});
    info.add_roles("a");
    info.add_roles("b");
    const auto scheduler = master.subscribe(info);
    auto suppress = call_of(scheduler.id, Call::SUPPRESS);
    suppress.mutable_suppress()->add_roles("a");
    master.send(scheduler, suppress);
    master.join();
    EXPECT_EQ(master.take_offers(scheduler).at(0).allocation_info().role(), "b");
}

}  // namespace
}  // namespace fairlead::tests
