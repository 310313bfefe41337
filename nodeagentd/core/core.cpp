#include "nodeagentd/core/core.hpp"

#include "common/resources/wire.hpp"


namespace fairlead::nodeagentd::core {

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

Core::Core(CoreOptions options, std::uint64_t seed)
    : options_(std::move(options)), prng_(seed), history_(options_.history_max) {
    // An agent's own resources were made by our own code: not being able to read them is a bug of
    // ours.
    state_.configured = resources::from_wire(options_.agent_info.resources()).value();
    state_.total = state_.configured;
    state_.updates = UpdateQueue(options_.update_retry_min, options_.update_retry_max);
}

Output Core::step(base::Moment now, const Input& input) {
    now_ = now;
    output_ = {};
    std::visit([this](const auto& one) { handle(one); }, input);
    for (const auto& id : dirty_)
        if (auto* container = find(id)) write_down(*container);
    dirty_.clear();
    return std::move(output_);
}

void Core::write_down(const Container& container) {
    auto record = std::make_shared<internal::ContainerRecord>(container.record);
    for (const auto& status : state_.updates.pending(id_of(container)))
        *record->add_pending_updates() = status;
    output_.persist.push_back(PersistContainer{std::move(record)});
}

resources::Resources State::free() const {
    auto free = total;
    return free.try_subtract(used) ? free : resources::Resources();
}

std::optional<base::Instant> Core::next_deadline() const {
    std::optional<base::Instant> next = link_deadline_;
    const auto retry = state_.updates.next_due();
    if (retry && (!next || retry->at < *next)) next = retry->at;
    return next;
}

void Core::handle(const TimePassed&) {
    if (link_deadline_ && now_.instant >= *link_deadline_)
        drop_link(Report::Kind::disconnected, "the master is silent");
    // Each turn sends an update, which moves its retry into the future.
    for (auto due = state_.updates.next_due(); due && due->at <= now_.instant;
         due = state_.updates.next_due())
        send_first_pending(*find(due->container));
}

bool Core::has_capability(const base::FrameworkId& framework_id,
                          v1::FrameworkInfo::Capability::Type wanted) const {
    const auto framework = state_.frameworks.find(framework_id);
    if (framework == state_.frameworks.end()) return false;
    for (const auto& capability : framework->second.capabilities())
        if (capability.type() == wanted) return true;
    return false;
}

Container* Core::find(const base::ContainerId& id) {
    const auto found = state_.containers.find(id);
    return found == state_.containers.end() ? nullptr : &found->second;
}

Container* Core::find(const base::FrameworkId& framework_id, const base::TaskId& task_id) {
    const auto found = state_.tasks.find({framework_id, task_id});
    return found == state_.tasks.end() ? nullptr : find(found->second);
}

base::ContainerId Core::id_of(const Container& container) const {
    return base::ContainerId(container.record.container_id().value());
}

void Core::report(Report::Kind kind, std::string message, const Container* container) {
    Report one{kind, std::move(message), state_.agent_id, {}, {}, {}};
    if (container != nullptr) {
        one.framework_id = base::FrameworkId(container->record.framework_id().value());
        one.task_id = base::TaskId(container->task().task_id().value());
        one.unit = container->record.unit();
    }
    output_.reports.push_back(std::move(one));
}

}  // namespace fairlead::nodeagentd::core
