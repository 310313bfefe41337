#include "nodeagentd/checkpoint/checkpoint.hpp"

#include "common/log/log.hpp"
#include "nodeagentd/checkpoint/disk.hpp"
#include "nodeagentd/checkpoint/file.hpp"
#include "nodeagentd/checkpoint/task_log.hpp"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

namespace fairlead::nodeagentd::checkpoint {

namespace {

namespace fs = std::filesystem;

bool read_file(const fs::path& file, google::protobuf::Message& message) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (in && !bytes.empty() && message.ParseFromString(bytes)) return true;
    std::error_code ignored;
    fs::rename(file, file.string() + ".bad", ignored);
    log::warning("checkpoint " + file.string() + " cannot be read; set aside as " +
                 file.filename().string() + ".bad");
    return false;
}

template <typename Record>
std::vector<Record> read_all(const fs::path& directory) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error))
        if (entry.path().extension() == ".pb") files.push_back(entry.path());
    std::vector<Record> records;
    for (const auto& file : files)
        if (Record record; read_file(file, record)) records.push_back(std::move(record));
    return records;
}

// A framework's id may be as long as a file name can be: only its hash is certain to fit.
std::string framework_file(const std::string& framework_id) {
    std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a, 64 bit
    for (const unsigned char byte : framework_id) hash = (hash ^ byte) * 1099511628211ULL;
    return std::to_string(hash) + ".pb";
}

base::Status replace(const fs::path& file, const google::protobuf::Message& message, Durability durability) {
    return replace_file(file, message.SerializeAsString(), durability);
}

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
        if (internal::AgentRecord record; read_file(agent_file_, record))
            recovered.agent = std::move(record);
    recovered.frameworks = read_all<internal::FrameworkRecord>(frameworks_);
    recovered.containers = read_all<internal::ContainerRecord>(containers_);
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
        if (auto written = replace(file, record, Durability::of_the_boot); !written) return written;
    }
    for (const auto& record : log->containers) {
        const auto file = containers_ / (record.container_id().value() + ".pb");
        if (fs::exists(file, error)) continue;
        if (auto written = replace(file, record, Durability::of_the_boot); !written) return written;
    }
    return {};
}

base::Status Checkpoint::write(const core::Persist& persist) const {
    if (const auto* one = std::get_if<core::PersistFramework>(&persist))
        return replace(frameworks_ / framework_file(one->record.framework_info().id().value()),
                       one->record, Durability::of_the_boot);
    if (const auto* one = std::get_if<core::ForgetFramework>(&persist))
        return remove_file(frameworks_ / framework_file(one->framework_id.value()));
    if (const auto* one = std::get_if<core::PersistContainer>(&persist))
        return replace(containers_ / (one->record->container_id().value() + ".pb"), *one->record,
                       Durability::of_the_boot);
    const auto& forget = std::get<core::ForgetContainer>(persist);
    return remove_file(containers_ / (forget.container_id.value() + ".pb"));
}

}  // namespace fairlead::nodeagentd::checkpoint
