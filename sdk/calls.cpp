// The typed calls of Scheduler: each fills in one message and queues it.

#include "sdk/scheduler.hpp"

namespace fairlead::sdk {

using v1::scheduler::Call;

namespace {

Call call_of(Call::Type type) {
    Call call;
    call.set_type(type);
    return call;
}

}  // namespace

base::Status Scheduler::accept(const std::vector<v1::OfferID>& offers,
                               std::vector<v1::Offer::Operation> operations,
                               double refuse_seconds) {
    auto call = call_of(Call::ACCEPT);
    auto& accept = *call.mutable_accept();
    for (const auto& offer : offers) *accept.add_offer_ids() = offer;
    for (auto& operation : operations) *accept.add_operations() = std::move(operation);
    accept.mutable_filters()->set_refuse_seconds(refuse_seconds);
    return send(std::move(call));
}

base::Status Scheduler::launch(const v1::Offer& offer, std::vector<v1::TaskInfo> tasks,
                               double refuse_seconds) {
    v1::Offer::Operation operation;
    operation.set_type(v1::Offer::Operation::LAUNCH);
    for (auto& task : tasks) *operation.mutable_launch()->add_task_infos() = std::move(task);
    return accept({offer.id()}, {std::move(operation)}, refuse_seconds);
}

base::Status Scheduler::decline(const std::vector<v1::OfferID>& offers, double refuse_seconds) {
    if (offers.empty()) return {};
    auto call = call_of(Call::DECLINE);
    for (const auto& offer : offers) *call.mutable_decline()->add_offer_ids() = offer;
    call.mutable_decline()->mutable_filters()->set_refuse_seconds(refuse_seconds);
    return send(std::move(call));
}

base::Status Scheduler::revive(std::vector<std::string> roles) {
    auto call = call_of(Call::REVIVE);
    for (auto& role : roles) call.mutable_revive()->add_roles(std::move(role));
    return send(std::move(call));
}

base::Status Scheduler::suppress(std::vector<std::string> roles) {
    auto call = call_of(Call::SUPPRESS);
    for (auto& role : roles) call.mutable_suppress()->add_roles(std::move(role));
    return send(std::move(call));
}

base::Status Scheduler::request(std::vector<v1::Request> requests) {
    auto call = call_of(Call::REQUEST);
    call.mutable_request();
    for (auto& one : requests) *call.mutable_request()->add_requests() = std::move(one);
    return send(std::move(call));
}

base::Status Scheduler::kill(const v1::TaskID& task) {
    auto call = call_of(Call::KILL);
    *call.mutable_kill()->mutable_task_id() = task;
    return send(std::move(call));
}

base::Status Scheduler::kill(const v1::TaskID& task, const v1::AgentID& agent) {
    auto call = call_of(Call::KILL);
    *call.mutable_kill()->mutable_task_id() = task;
    *call.mutable_kill()->mutable_agent_id() = agent;
    return send(std::move(call));
}

base::Status Scheduler::shutdown(const v1::ExecutorID& executor, const v1::AgentID& agent) {
    auto call = call_of(Call::SHUTDOWN);
    *call.mutable_shutdown()->mutable_executor_id() = executor;
    *call.mutable_shutdown()->mutable_agent_id() = agent;
    return send(std::move(call));
}

base::Status Scheduler::reconcile(std::vector<Call::Reconcile::Task> tasks) {
    auto call = call_of(Call::RECONCILE);
    call.mutable_reconcile();
    for (auto& task : tasks) *call.mutable_reconcile()->add_tasks() = std::move(task);
    return send(std::move(call));
}

base::Status Scheduler::acknowledge(const v1::TaskStatus& status) {
    if (status.uuid().empty()) return {};
    auto call = call_of(Call::ACKNOWLEDGE);
    *call.mutable_acknowledge()->mutable_agent_id() = status.agent_id();
    *call.mutable_acknowledge()->mutable_task_id() = status.task_id();
    call.mutable_acknowledge()->set_uuid(status.uuid());
    return send(std::move(call));
}

base::Status Scheduler::message(const v1::AgentID& agent, const v1::ExecutorID& executor,
                                std::string data) {
    auto call = call_of(Call::MESSAGE);
    *call.mutable_message()->mutable_agent_id() = agent;
    *call.mutable_message()->mutable_executor_id() = executor;
    call.mutable_message()->set_data(std::move(data));
    return send(std::move(call));
}

}  // namespace fairlead::sdk
