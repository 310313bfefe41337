// What an agent reads when it comes back, and what may have happened to it meanwhile: records that are cut short or
// garbled, one version or both, and the log for the next boot. Where nobody can say any more whose a task is, the agent
// is silent until a person has looked.

#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace nc = nodeagentd::core;
namespace checkpoint = nodeagentd::checkpoint;

namespace {

constexpr std::size_t log_slack_bytes = 2000;  // small enough to be reached

Checkers::TaskKey key_of(const internal::ContainerRecord& record) {
    return {record.framework_id().value(), record.task_info().task_id().value()};
}

}  // namespace

// --- what is read ---

nc::Recovered Cluster::read_records(Host& host) {
    take_over_earlier_boot(host);
    host.framework_records.clear();
    host.container_records.clear();
    nc::Recovered recovered;
    recovered.agent = host.agent_record;
    for (auto one = host.files.frameworks.begin(); one != host.files.frameworks.end();) {
        internal::FrameworkRecord record;
        if (!read(one->second, record)) {
            one = host.files.frameworks.erase(one);  // is set aside
            continue;
        }
        host.framework_records[one->first] = record;
        recovered.frameworks.push_back(std::move(record));
        ++one;
    }
    for (auto& [id, file] : host.files.containers) {
        internal::ContainerRecord record;
        const auto version = read(file, record);
        if (!version) {
            recovered.unreadable.push_back(id);
            continue;
        }
        if (*version == checkpoint::Version::older) checkers_.tells_again(key_of(record));
        host.container_records[id] = record;
        recovered.containers.push_back(std::move(record));
    }
    host.unreadable = recovered.unreadable.size();
    if (host.unreadable > 0) checkers_.forgotten(host.number, tasks_in_records(host));
    host.losses_known = checkers_.losses(host.number);
    return recovered;
}

std::optional<checkpoint::Version> Cluster::read(RecordFile& file, google::protobuf::Message& message) {
    const auto version = file.read(message);
    if (!version) return version;
    const bool is_older = *version == checkpoint::Version::older;
    if ((is_older ? file.older : file.newest)->is_damaged) complain("an agent believes a record that is damaged");
    if (is_older) file.newest = std::exchange(file.older, std::nullopt);
    return version;
}

std::set<Checkers::TaskKey> Cluster::tasks_in_records(const Host& host) {
    std::set<Checkers::TaskKey> tasks;
    for (const auto& [id, record] : host.container_records) tasks.insert(key_of(record));
    return tasks;
}

void Cluster::take_over_earlier_boot(Host& host) {
    const auto contents = checkpoint::parse_task_log(host.log.bytes);
    if (contents.boot_id == boot_of(host)) return;
    for (const auto& record : contents.frameworks)
        if (auto& file = host.files.frameworks[base::FrameworkId(record.framework_info().id().value())]; !file.newest)
            file.replace(record, checkpoint::Older::stays);
    for (const auto& record : contents.containers)
        if (auto& file = host.files.containers[base::ContainerId(record.container_id().value())]; !file.newest)
            file.replace(record, checkpoint::Older::stays);
}

std::string Cluster::boot_of(const Host& host) { return fmt::format("boot {}", host.boots); }

// --- the log for the next boot ---

void Cluster::begin_log(Host& host, const nc::Recovered& recovered) {
    host.log.log = std::make_unique<checkpoint::TaskLog>(boot_of(host));
    for (const auto& record : recovered.frameworks) host.log.log->note(nc::PersistFramework{record});
    for (const auto& record : recovered.containers)
        host.log.log->note(nc::PersistContainer{std::make_shared<const internal::ContainerRecord>(record)});
    host.log.bytes = host.disk_full ? std::string() : host.log.log->take_all();
    host.log.is_planned = false;
    plan_log(host, host.disk_full ? 10s : 0s);
}

void Cluster::plan_log(Host& host, base::Duration pause) {
    if (host.log.is_planned || !(host.log.log->has_new() || host.log.bytes.empty())) return;
    host.log.is_planned = true;
    on_host(host, pause, [this, &host, life = host.life] {
        if (host.life == life) write_log(host);
    });
}

void Cluster::write_log(Host& host) {
    LogFile& file = host.log;
    const bool anew = file.bytes.empty() || file.bytes.size() > log_slack_bytes + 2 * file.log->size_bytes();
    file.being_written = LogFile::Write{anew ? file.log->take_all() : file.log->take_new(), anew};
    const base::Duration stall = std::max<base::Duration>(host.disk_stalled_until - timeline_.now().instant, 0ns);
    on_host(host, stall + std::chrono::microseconds(100 + prng_.below(20'000)), [this, &host, life = host.life] {
        if (host.life != life) return;
        host.log.is_planned = false;
        const auto write = *std::exchange(host.log.being_written, std::nullopt);
        host.disk_full ? host.log.bytes.clear() : host.log.put(write);  // one that is out of date would tell lies
        plan_log(host, host.disk_full ? 10s : 50ms);
    });
}

// What was being written to it is written, or a part of that.
void Cluster::end_log(Host& host) {
    if (auto write = std::exchange(host.log.being_written, std::nullopt)) {
        if (!write->anew) write->text.resize(prng_.below(write->text.size() + 1));
        if (!write->anew || prng_.chance(0.5)) host.log.put(*write);
    }
    host.log.log.reset();
}

// What the next boot can tell as it was.
std::set<Checkers::TaskKey> Cluster::ends_in_log(const Host& host) {
    std::set<Checkers::TaskKey> ends;
    for (const auto& record : checkpoint::parse_task_log(host.log.bytes).containers)
        if (record.phase() == internal::ContainerRecord::ENDED) ends.insert(key_of(record));
    return ends;
}

// --- what is damaged ---

std::string Cluster::damaged(std::string bytes) {
    if (bytes.empty()) return bytes;
    switch (prng_.below(4)) {
        case 0: bytes.resize(prng_.below(bytes.size())); break;
        case 1: bytes[prng_.below(bytes.size())] ^= static_cast<char>(1 + prng_.below(255)); break;
        case 2:
            for (std::size_t at = prng_.below(bytes.size()); at < bytes.size(); ++at) bytes[at] = '\0';
            break;
        default:
            for (char& one : bytes) one = static_cast<char>(prng_.below(256));
    }
    return bytes;
}

void Cluster::damage(std::optional<RecordFile::Bytes>& file) {
    if (!file) return;
    const std::string before = file->bytes;
    file->bytes = damaged(before);
    file->is_damaged = file->is_damaged || file->bytes != before;
}

// Mostly it is read before it is written anew.
void Cluster::strike_records(Host& host) {
    if (!host.agent || host.suspended) return;
    if (prng_.chance(0.2)) {
        count(Fault::task_log_damaged);
        host.log.bytes = damaged(host.log.bytes);
        if (prng_.chance(0.5)) cut_power(host);
        return;
    }
    auto& frameworks = host.files.frameworks;
    auto& containers = host.files.containers;
    const bool of_a_framework = prng_.chance(0.2);
    if (of_a_framework ? frameworks.empty() : containers.empty()) return;
    const bool both = prng_.chance(0.4);
    const bool all = prng_.chance(0.1);
    const auto strike = [&](auto& files) {
        const std::size_t chosen = prng_.below(files.size());
        std::size_t number = 0;
        for (auto& [id, file] : files) {
            if (number++ != chosen && !all) continue;
            damage(file.newest);
            if (both) damage(file.older);
        }
    };
    count(both ? Fault::record_lost : Fault::record_damaged);
    of_a_framework ? strike(frameworks) : strike(containers);
    if (prng_.chance(0.8)) crash_agent(host, std::chrono::milliseconds(100 + prng_.below(10'000)));
}

// --- what a person does about it ---

void Cluster::give_up(Host& host, const std::string& why) {
    trace(fmt::format("agent{} gives up: {}", host.number + 1, why));
    if (host.unreadable == 0) complain("agent gave up: " + why);
    ++outcome_.agents_repaired;
    stop_agent(host);
    plan_repair(host, std::chrono::seconds(5 + prng_.below(prng_.chance(0.5) ? 30 : 400)));
}

void Cluster::plan_repair(Host& host, base::Duration pause) {
    takes(pause);
    on_host(host, pause, [this, &host, life = host.life] {
        if (host.life == life && !host.agent) repair(host);
    });
}

// As the agent has asked for: it is started again when what it does not know has ended or has been stopped. What is left of
// a task whose end has still to be acknowledged it knows, and cleans up itself.
void Cluster::repair(Host& host) {
    const auto is_known = [](const internal::ContainerRecord& record) {
        return record.phase() != internal::ContainerRecord::ENDED ||
               (!record.discarded() && record.pending_updates_size() > 0);
    };
    std::vector<base::ContainerId> strangers;
    bool any_runs = false;
    for (const auto& [id, container] : host.containers) {
        const auto record = host.container_records.find(id);
        if (record != host.container_records.end() && is_known(record->second)) continue;
        strangers.push_back(id);
        any_runs = any_runs || container.state != HostContainer::State::ended;
    }
    if (any_runs && prng_.chance(0.5)) return plan_repair(host, 5s);
    for (const auto& id : strangers) {
        const HostContainer& container = host.containers.at(id);
        const Checkers::TaskKey task{container.spec.framework_id.value(), container.spec.task_id.value()};
        if (container.state != HostContainer::State::ended) {
            checkers_.asked_to_kill(task);
            checkers_.container_ended(host.number, task, Checkers::Exit::stopped);
        }
        forget_container(host, id);
    }
    start_agent(host);
}

}  // namespace fairlead::sim
