#include "masterd/module_thread.hpp"

#include "masterd/left_behind.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace fairlead::masterd {
namespace {

constexpr std::size_t failure_text_max = 1000;
constexpr int nice_when_left_behind = 19;

// What it says of itself is somebody else's code too.
std::string describe(const std::exception& failure) {
    const char* text = failure.what();
    return text ? std::string(text).substr(0, failure_text_max) : "an exception that says nothing";
}

constexpr const char* no_exception = "something that is no std::exception";

}  // namespace

// What the two threads share. Its stage says who may touch the rest: while the module is at it only its own thread may.
struct ModuleThread::Desk {
    enum class Stage { making, idle, thinking, done, ending, ended };

    std::mutex mutex;
    std::condition_variable changed;
    Stage stage = Stage::making;
    bool is_left_behind = false;
    pid_t thread = 0;
    std::function<void()> tell;
    allocator::KeptSnapshot kept;
    allocator::Changes shown;
    Outcome outcome;

    void go_to(Stage next) {
        stage = next;
        changed.notify_all();
    }
    bool wait_for(Stage wanted, std::unique_lock<std::mutex>& lock, base::Duration time) {
        return changed.wait_for(lock, time, [&] { return stage == wanted || stage == Stage::ended; });
    }
};

void ModuleThread::live(const std::shared_ptr<Desk>& desk, const Make& make) {
    using Stage = Desk::Stage;
    std::unique_ptr<allocator::Module> module;
    const auto guarded = [&](auto&& act) {
        std::optional<std::string> failure;
        try {
            act();
        } catch (const std::exception& thrown) {
            failure = describe(thrown);
        } catch (...) {
            failure = no_exception;
        }
        return failure;
    };
    {
        const std::lock_guard lock(desk->mutex);
        desk->thread = ::gettid();
    }
    desk->outcome.failure = guarded([&] { module = make(); });
    std::unique_lock lock(desk->mutex);
    desk->go_to(module ? Stage::idle : Stage::ended);
    while (!desk->is_left_behind && desk->stage != Stage::ended) {
        desk->changed.wait(lock, [&] {
            return desk->is_left_behind || desk->stage == Stage::thinking || desk->stage == Stage::ending;
        });
        if (desk->is_left_behind) break;
        const Stage stage = desk->stage;
        lock.unlock();
        Outcome outcome;
        if (stage == Stage::thinking)
            outcome.failure = guarded([&] { outcome.plan = module->plan(desk->kept.view(), desk->shown); });
        else
            module.reset();
        lock.lock();
        if (desk->is_left_behind) break;
        desk->outcome = std::move(outcome);
        desk->go_to(stage == Stage::thinking ? Stage::done : Stage::ended);
        if (desk->stage == Stage::done && desk->tell) desk->tell();
    }
    if (desk->is_left_behind) (void)module.release();  // it may be anything by now
}

base::Result<std::unique_ptr<ModuleThread>> ModuleThread::start(const Make& make, base::Duration time) {
    const auto desk = std::make_shared<Desk>();
    std::unique_ptr<ModuleThread> made(
        new ModuleThread(desk, quiet_thread("allocation", [desk, make] { live(desk, make); })));
    std::unique_lock lock(desk->mutex);
    const bool in_time = desk->wait_for(Desk::Stage::idle, lock, time);
    if (in_time && desk->stage == Desk::Stage::idle) return made;
    const std::string why = in_time ? desk->outcome.failure.value_or("it made nothing")
                                    : fmt::format("it is not ready after {} s",
                                                  std::chrono::duration_cast<std::chrono::seconds>(time).count());
    lock.unlock();
    if (in_time)
        made->stop(time);
    else
        made->leave_behind();
    return base::Error(base::ErrorCode::invalid_config, why);
}

ModuleThread::ModuleThread(std::shared_ptr<Desk> desk, std::thread thread)
    : desk_(std::move(desk)), thread_(std::move(thread)) {}

ModuleThread::~ModuleThread() { leave_behind(); }

void ModuleThread::on_plan(std::function<void()> tell) {
    const std::lock_guard lock(desk_->mutex);
    desk_->tell = std::move(tell);
}

void ModuleThread::begin(const allocator::Snapshot& present, const allocator::NotedChanges::Noted& noted,
                         allocator::Changes shown) {
    desk_->kept.bring_up_to_date(present, noted);  // the thread waits
    desk_->shown = std::move(shown);
    is_busy_ = true;
    const std::lock_guard lock(desk_->mutex);
    desk_->go_to(Desk::Stage::thinking);
}

std::optional<ModuleThread::Outcome> ModuleThread::take() {
    if (!is_busy_) return std::nullopt;
    const std::lock_guard lock(desk_->mutex);
    if (desk_->stage != Desk::Stage::done) return std::nullopt;
    is_busy_ = false;
    desk_->go_to(Desk::Stage::idle);
    return std::exchange(desk_->outcome, {});
}

bool ModuleThread::stop(base::Duration time) {
    if (!desk_) return true;
    {
        std::unique_lock lock(desk_->mutex);
        desk_->tell = nullptr;
        using Stage = Desk::Stage;
        desk_->changed.wait_for(lock, time, [&] { return desk_->stage != Stage::thinking; });
        if (desk_->stage != Stage::thinking && desk_->stage != Stage::ended) {
            desk_->go_to(Stage::ending);
            desk_->wait_for(Stage::ended, lock, time);
        }
        if (desk_->stage == Stage::ended) {
            lock.unlock();
            thread_.join();
            desk_.reset();
            return true;
        }
    }
    leave_behind();
    return false;
}

void ModuleThread::leave_behind() {
    if (!desk_) return;
    {
        const std::lock_guard lock(desk_->mutex);
        desk_->is_left_behind = true;
        desk_->tell = nullptr;
        // What it eats should be what nobody else wants.
        if (desk_->thread != 0) ::setpriority(PRIO_PROCESS, static_cast<id_t>(desk_->thread), nice_when_left_behind);
        desk_->changed.notify_all();
    }
    note_thread_left_behind();
    thread_.detach();
    desk_.reset();
}

}  // namespace fairlead::masterd
