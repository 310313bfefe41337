#include "nodeagentd/checkpoint/disk.hpp"

#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"
#include "nodeagentd/checkpoint/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace fairlead::nodeagentd::checkpoint {
namespace {

using Clock = std::chrono::steady_clock;

// The log's file. After a failure there is none.
class LogFile {
  public:
    explicit LogFile(std::filesystem::path file) : file_(std::move(file)) {}
    ~LogFile() { close(); }

    std::size_t size_bytes() const { return bytes_; }  // 0: there is none

    base::Status replace(std::string_view text) {
        close();
        if (auto replaced = replace_file(file_, text, Durability::of_the_host); !replaced) return fail(replaced);
        descriptor_ = ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        if (descriptor_ < 0) return fail(base::errno_error("open " + file_.string(), errno));
        bytes_ = text.size();
        return {};
    }

    base::Status append(std::string_view text) {
        auto written = write_all(descriptor_, text, file_);
        if (written && ::fdatasync(descriptor_) != 0) written = base::errno_error("fsync " + file_.string(), errno);
        if (!written) return fail(written);
        bytes_ += text.size();
        return {};
    }

    base::Status remove() {
        close();
        return remove_file(file_);
    }

  private:
    base::Status fail(base::Status status) {
        (void)remove();
        return status;
    }
    void close() {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
        bytes_ = 0;
    }

    const std::filesystem::path file_;
    int descriptor_ = -1;
    std::size_t bytes_ = 0;
};

}  // namespace

// What the thread and its owner share. `file` is the thread's alone once it has begun.
struct Disk::Desk {
    struct Record {
        internal::AgentRecord record;
        Done done;
    };

    Desk(const std::filesystem::path& state_directory, const std::string& boot_id, Limits given)
        : limits(given),
          record_file(agent_file(state_directory)),
          log(boot_id),
          file(task_log_file(state_directory)) {}

    bool has_to_write() const { return log.has_new() || file.size_bytes() == 0; }
    void write_record(std::unique_lock<std::mutex>& lock);
    Clock::duration write_log(std::unique_lock<std::mutex>& lock);
    void tell(const base::Status& status);

    const Limits limits;
    const std::filesystem::path record_file;
    std::mutex mutex;
    std::condition_variable moved;
    std::optional<Record> record;
    TaskLog log;
    bool stopping = false;
    bool over = false;  // the thread has nothing more to do

    LogFile file;
    bool is_failing = false;
};

std::filesystem::path agent_file(const std::filesystem::path& state_directory) {
    return state_directory / "agent.pb";
}

std::filesystem::path task_log_file(const std::filesystem::path& state_directory) {
    return state_directory / "tasks.log";
}

Disk::Disk(const std::filesystem::path& state_directory, const std::string& boot_id)
    : Disk(state_directory, boot_id, Limits()) {}

Disk::Disk(const std::filesystem::path& state_directory, const std::string& boot_id, Limits limits)
    : limits_(limits), desk_(std::make_shared<Desk>(state_directory, boot_id, limits)) {}

void Disk::stop() {
    if (!thread_.joinable()) return;
    std::unique_lock lock(desk_->mutex);
    desk_->stopping = true;
    desk_->moved.notify_all();
    const bool over = desk_->moved.wait_for(lock, limits_.stop_max, [this] { return desk_->over; });
    lock.unlock();
    over ? thread_.join() : thread_.detach();
}

base::Status Disk::begin(const core::Recovered& recovered) {
    for (const auto& record : recovered.frameworks) desk_->log.note(core::PersistFramework{record});
    for (const auto& record : recovered.containers)
        desk_->log.note(core::PersistContainer{std::make_shared<const internal::ContainerRecord>(record)});
    const auto begun = desk_->file.replace(desk_->log.take_all());
    if (!begun)
        if (auto removed = desk_->file.remove(); !removed) return removed;
    desk_->tell(begun);
    thread_ = std::thread([desk = desk_] { work(desk); });
    return {};
}

void Disk::note(const core::Persist& persist) {
    const std::lock_guard lock(desk_->mutex);
    desk_->log.note(persist);
    if (desk_->log.has_new()) desk_->moved.notify_all();
}

void Disk::write(internal::AgentRecord record, Done done) {
    const std::lock_guard lock(desk_->mutex);
    desk_->record = Desk::Record{std::move(record), std::move(done)};
    desk_->moved.notify_all();
}

void Disk::work(const std::shared_ptr<Desk>& desk) {
    std::unique_lock lock(desk->mutex);
    auto not_before = Clock::now() + (desk->is_failing ? desk->limits.retry : base::Duration::zero());
    for (;;) {
        if (desk->record) {
            desk->write_record(lock);
        } else if (desk->has_to_write() && (desk->stopping || Clock::now() >= not_before)) {
            const bool last = desk->stopping;  // else something may have been noted while it was written
            not_before = Clock::now() + desk->write_log(lock);
            if (last) break;
        } else if (desk->stopping) {
            break;
        } else if (desk->has_to_write()) {
            desk->moved.wait_until(lock, not_before);
        } else {
            desk->moved.wait(lock);
        }
    }
    desk->over = true;
    desk->moved.notify_all();
}

void Disk::Desk::write_record(std::unique_lock<std::mutex>& lock) {
    const Record one = *std::exchange(record, std::nullopt);
    lock.unlock();
    auto written = replace_file(record_file, one.record.SerializeAsString(), Durability::of_the_host);
    lock.lock();
    if (!stopping) one.done(std::move(written));  // under the lock: whoever stops this may be gone afterwards
}

// Until when the next one has to wait.
Clock::duration Disk::Desk::write_log(std::unique_lock<std::mutex>& lock) {
    const bool anew = file.size_bytes() == 0 || file.size_bytes() > limits.log_slack_bytes + 2 * log.size_bytes();
    const std::string text = anew ? log.take_all() : log.take_new();
    lock.unlock();
    const auto written = anew ? file.replace(text) : file.append(text);
    tell(written);
    lock.lock();
    return written ? limits.pause_min : limits.retry;
}

// Once for all that fail in a row.
void Disk::Desk::tell(const base::Status& status) {
    if (std::exchange(is_failing, !status) || status) return;
    log::Entry(log::Priority::warning, "what has to be known of tasks after a reboot cannot be written down: " +
                                           status.error().message())
        .id(log::message_ids::task_log_not_written);
}

}  // namespace fairlead::nodeagentd::checkpoint
