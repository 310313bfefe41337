#include "sdk/task.hpp"

#include <algorithm>
#include <cmath>

namespace fairlead::sdk {
namespace {

// Resources are counted in thousandths; doubles that were subtracted are not.
double rounded(double amount) { return std::round(amount * 1000) / 1000; }

bool is_reserved(const v1::Resource& one) {
    return one.reservations_size() > 0 || one.has_reservation() || one.role() != "*";
}

// The same but for the amount, and for whom it is offered.
bool same_kind(v1::Resource a, v1::Resource b) {
    for (auto* one : {&a, &b}) {
        one->clear_scalar();
        one->clear_allocation_info();
        one->set_role(one->role());
    }
    return a.SerializeAsString() == b.SerializeAsString();
}

void add_scalar(v1::TaskInfo& task, const v1::Offer& offer, const char* name, double amount) {
    for (const auto& one : offer.resources()) {
        if (one.name() != name || one.type() != v1::Value::SCALAR || !is_reserved(one)) continue;
        const double part = std::min(amount, one.scalar().value());
        if (part <= 0) continue;
        auto& taken = *task.add_resources();
        taken = one;
        taken.mutable_scalar()->set_value(part);
        amount = rounded(amount - part);
    }
    if (amount > 0) *task.add_resources() = scalar(name, amount);
}

}  // namespace

v1::Resource scalar(std::string name, double value) {
    v1::Resource resource;
    resource.set_name(std::move(name));
    resource.set_type(v1::Value::SCALAR);
    resource.mutable_scalar()->set_value(value);
    return resource;
}

double scalar_of(const v1::Offer& offer, std::string_view name) {
    double sum = 0;
    for (const auto& resource : offer.resources())
        if (resource.name() == name && resource.type() == v1::Value::SCALAR)
            sum += resource.scalar().value();
    return sum;
}

std::optional<base::Duration> max_task_duration_of(const v1::Offer& offer) {
    if (!offer.has_max_task_duration()) return std::nullopt;
    return base::Duration(offer.max_task_duration().nanoseconds());
}

v1::Request request_for(double cpus, double mem_mb, std::uint32_t count, std::string gang) {
    v1::Request request;
    *request.add_resources() = scalar("cpus", cpus);
    *request.add_resources() = scalar("mem", mem_mb);
    request.set_count(count);
    if (!gang.empty()) request.set_gang(std::move(gang));
    return request;
}

v1::CommandInfo program(const std::vector<std::string>& argv) {
    v1::CommandInfo command;
    command.set_shell(false);
    if (!argv.empty()) command.set_value(argv.front());
    for (const auto& argument : argv) command.add_arguments(argument);
    return command;
}

v1::CommandInfo shell_command(std::string line) {
    v1::CommandInfo command;
    command.set_shell(true);
    command.set_value(std::move(line));
    return command;
}

v1::TaskInfo command_task(const v1::Offer& offer, std::string task_id, std::string name,
                          v1::CommandInfo command, double cpus, double mem_mb) {
    v1::TaskInfo task;
    task.set_name(std::move(name));
    task.mutable_task_id()->set_value(std::move(task_id));
    *task.mutable_agent_id() = offer.agent_id();
    *task.mutable_command() = std::move(command);
    add_scalar(task, offer, "cpus", cpus);
    add_scalar(task, offer, "mem", mem_mb);
    return task;
}

void use_up(v1::Offer& left, const v1::TaskInfo& task) {
    for (const auto& used : task.resources())
        for (auto& one : *left.mutable_resources()) {
            if (used.type() != v1::Value::SCALAR || !same_kind(one, used)) continue;
            one.mutable_scalar()->set_value(std::max(0.0, rounded(one.scalar().value() - used.scalar().value())));
        }
}

bool is_terminal(v1::TaskState state) {
    switch (state) {
        case v1::TASK_FINISHED:
        case v1::TASK_FAILED:
        case v1::TASK_KILLED:
        case v1::TASK_ERROR:
        case v1::TASK_LOST:
        case v1::TASK_DROPPED:
        case v1::TASK_GONE:
        case v1::TASK_GONE_BY_OPERATOR:
            return true;
        default:
            return false;
    }
}

bool is_lost(v1::TaskState state) {
    return state == v1::TASK_LOST || state == v1::TASK_DROPPED || state == v1::TASK_GONE ||
           state == v1::TASK_GONE_BY_OPERATOR;
}

std::string agent_address(const v1::Offer& offer) {
    if (!offer.has_url()) return {};
    const auto& address = offer.url().address();
    std::string host = address.ip().empty() ? address.hostname() : address.ip();
    if (host.empty()) host = offer.hostname();
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return host + ":" + std::to_string(address.port());
}

}  // namespace fairlead::sdk
