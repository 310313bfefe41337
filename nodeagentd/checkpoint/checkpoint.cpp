#include "nodeagentd/checkpoint/checkpoint.hpp"

#include "common/log/log.hpp"
#include "nodeagentd/checkpoint/disk.hpp"
#include "nodeagentd/checkpoint/file.hpp"
#include "nodeagentd/checkpoint/task_log.hpp"

#include <unistd.h>

#include <cerrno>

namespace fairlead::nodeagentd::checkpoint {

namespace {

namespace fs = std::filesystem;

// A framework's id may be as long as a file name can be: only its hash is certain to fit.
std::string framework_file(const std::string& framework_id) { return std::to_string(fnv_1a(framework_id)) + ".pb"; }

std::string file_of(const base::ContainerId& id) { return id.value() + ".pb"; }

}  // namespace

Checkpoint::Checkpoint(fs::path state_directory, fs::path runtime_directory, std::string boot_id)
    : boot_id_(std::move(boot_id)),
      agent_file_(agent_file(state_directory)),
      log_file_(task_log_file(state_directory)),
      frameworks_(runtime_directory / "frameworks"),
      containers_(runtime_directory / "containers") {}

base::Status Checkpoint::prepare() {
    for (const auto& directory : {agent_file_.parent_path(), frameworks_, containers_}) {
        std::error_code error;
        fs::create_directories(directory, error);
        if (error) return base::errno_error("cannot make the directory " + directory.string(), error.value());
        if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
            return base::errno_error("cannot write in the directory " + directory.string(), errno);
    }
    return {};
}

base::Result<core::Recovered> Checkpoint::read() const {
    if (auto taken = take_over_earlier_boot(); !taken) return taken.error();
    core::Recovered recovered;
    std::error_code error;
    if (fs::exists(agent_file_, error))
        if (internal::AgentRecord record; read_record_or_set_aside(agent_file_, record))
            recovered.agent = std::move(record);
    for (const auto& file : records_in(frameworks_))
        if (internal::FrameworkRecord record; read_record_or_set_aside(file, record))
            recovered.frameworks.push_back(std::move(record));
    for (const auto& file : records_in(containers_)) {
        if (internal::ContainerRecord record; read_record(file, record)) {
            recovered.containers.push_back(std::move(record));
        } else {
            tell_unreadable(file, "");
            recovered.unreadable.emplace_back(file.stem().string());
        }
    }
    return recovered;
}

// May be done again, as long as the log is not begun anew.
base::Status Checkpoint::take_over_earlier_boot() const {
    const auto log = read_task_log(log_file_);
    if (!log) return log.error();
    if (log->boot_id == boot_id_) return {};
    if (log->unread_bytes > 0)
        log::warning("the last " + std::to_string(log->unread_bytes) + " bytes of " + log_file_.string() +
                     " cannot be read, as after a power cut in the middle of a write; they are left out");
    std::error_code error;
    for (const auto& record : log->frameworks) {
        const auto file = frameworks_ / framework_file(record.framework_info().id().value());
        if (fs::exists(file, error)) continue;
        if (auto written = replace_record(file, record, Durability::of_the_boot); !written) return written;
    }
    for (const auto& record : log->containers) {
        const auto file = containers_ / (record.container_id().value() + ".pb");
        if (fs::exists(file, error)) continue;
        if (auto written = replace_record(file, record, Durability::of_the_boot); !written) return written;
    }
    return {};
}

base::Status Checkpoint::write(const core::Persist& persist) const {
    if (const auto* one = std::get_if<core::PersistFramework>(&persist))
        return replace_record(frameworks_ / framework_file(one->record.framework_info().id().value()), one->record,
                              Durability::of_the_boot);
    if (const auto* one = std::get_if<core::ForgetFramework>(&persist))
        return remove_record(frameworks_ / framework_file(one->framework_id.value()));
    if (const auto* one = std::get_if<core::PersistContainer>(&persist))
        return replace_record(containers_ / file_of(base::ContainerId(one->record->container_id().value())),
                              *one->record, Durability::of_the_boot, older_of(persist));
    if (const auto* one = std::get_if<core::SetAsideContainer>(&persist)) {
        set_aside(containers_ / file_of(one->container_id));
        return {};
    }
    return remove_record(containers_ / file_of(std::get<core::ForgetContainer>(persist).container_id));
}

}  // namespace fairlead::nodeagentd::checkpoint
