#include "common/systemd/bus.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace fairlead::systemd {

namespace {

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr base::Duration greeting_deadline = std::chrono::seconds(10);
constexpr async::Backoff::Bounds reconnect_pause{std::chrono::milliseconds(20),
                                                 std::chrono::seconds(1), 2.0};

struct MessageUnref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;

std::uint64_t microseconds(base::Duration time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

base::Error as_error(const sd_bus_error& error) {
    const std::string name = error.name == nullptr ? "" : error.name;
    const std::string text = error.message == nullptr ? name : error.message;
    base::ErrorCode code = base::ErrorCode::io;
    if (name.ends_with(".UnitExists")) code = base::ErrorCode::already_exists;
    if (name.ends_with(".NoSuchUnit")) code = base::ErrorCode::not_found;
    if (name.ends_with(".InvalidArgs")) code = base::ErrorCode::invalid_argument;
    if (name.ends_with(".AccessDenied") || name.ends_with(".InteractiveAuthorizationRequired"))
        code = base::ErrorCode::permission_denied;
    if (name.ends_with(".NoReply") || name.ends_with(".Timeout") ||
        name.ends_with(".Disconnected"))
        code = base::ErrorCode::outcome_unknown;
    return base::Error(code, text);
}

base::Error not_reachable() {
    return base::Error(base::ErrorCode::unavailable, "systemd cannot be reached at the moment");
}

}  // namespace

Bus::Bus(async::Executor executor, std::string socket)
    : executor_(executor),
      private_socket_(std::move(socket)),
      timer_(executor),
      reconnect_(executor),
      backoff_(reconnect_pause),
      prng_(static_cast<std::uint64_t>(::getpid())),
      alive_(std::make_shared<Bus*>(this)) {}

Bus::~Bus() {
    *alive_ = nullptr;
    if (descriptor_) descriptor_->release();
    if (bus_ != nullptr) sd_bus_close_unref(bus_);
    for (Pending* pending : pending_) delete pending;
}

bool Bus::uses_private_socket() const {
    return ::geteuid() == 0 && ::access(private_socket_.c_str(), F_OK) == 0;
}

int Bus::connect() {
    int r = 0;
    if (uses_private_socket()) {
        r = sd_bus_new(&bus_);
        const std::string address = "unix:path=" + private_socket_;
        if (r >= 0) r = sd_bus_set_address(bus_, address.c_str());
        if (r >= 0) r = sd_bus_start(bus_);
    } else {
        r = sd_bus_open_system(&bus_);
    }
    if (r >= 0)
        r = sd_bus_match_signal_async(bus_, nullptr, service, manager_path, manager_interface,
                                      "JobRemoved", &Bus::on_job_removed, nullptr, this);
    if (r < 0) {
        if (bus_ != nullptr) sd_bus_close_unref(bus_);
        bus_ = nullptr;
        return r;
    }
    descriptor_ =
        std::make_unique<async::asio::posix::stream_descriptor>(executor_, sd_bus_get_fd(bus_));
    return 0;
}

base::Status Bus::open(base::Duration deadline) {
    const std::string where = uses_private_socket() ? private_socket_ : "the system bus";
    const auto refused = [&](base::Error cause) {
        return cause.in("systemd cannot be reached over " + where +
                        " (this program needs a host that was booted with systemd)");
    };
    if (const int r = connect(); r < 0) return refused(base::errno_error("connect", -r));
    sd_bus_message* raw = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &raw, service, manager_path, manager_interface,
                                           "Subscribe");
    const Message message(raw);
    sd_bus_error error = SD_BUS_ERROR_NULL;
    if (r >= 0) r = sd_bus_call(bus_, raw, microseconds(deadline), &error, nullptr);
    base::Status answer;
    if (r < 0)
        answer = refused(error.name != nullptr ? as_error(error) : base::errno_error("call", -r));
    sd_bus_error_free(&error);
    serves_ = r >= 0;
    if (serves_)
        arm();
    else
        lose();
    return answer;
}

void Bus::lose() {
    if (descriptor_) descriptor_->release();
    descriptor_.reset();
    serves_ = reading_ = writing_ = false;
    if (bus_ != nullptr) sd_bus_close_unref(bus_);
    bus_ = nullptr;
    const base::Error lost(base::ErrorCode::outcome_unknown, "the connection to systemd was lost");
    for (Pending* pending : std::exchange(pending_, {})) {
        refuse(std::move(pending->reply), lost);
        delete pending;
    }
    for (auto& [path, job] : std::exchange(jobs_, {})) job.done(lost);
    reconnect_later();
}

void Bus::reconnect_later() {
    reconnect_.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(backoff_.next(prng_)));
    reconnect_.async_wait([alive = alive_](boost::system::error_code error) {
        if (*alive == nullptr || error) return;
        if ((*alive)->connect() == 0)
            (*alive)->greet();
        else
            (*alive)->reconnect_later();
    });
}

// A connection counts once systemd has answered over it.
void Bus::greet() {
    call(
        "Subscribe", greeting_deadline, [](sd_bus_message*) { return 0; },
        [this](base::Result<sd_bus_message*> reply) {
            if (!reply) {
                // From within sd_bus_process the connection cannot be given up.
                async::asio::post(executor_, [alive = alive_] {
                    if (*alive != nullptr && (*alive)->bus_ != nullptr) (*alive)->lose();
                });
                return;
            }
            backoff_.reset();
            serves_ = true;
            if (restored_) restored_();
        });
    arm();
}

void Bus::pump() {
    if (pumping_ || bus_ == nullptr) return;
    pumping_ = true;
    int r = 0;
    while ((r = sd_bus_process(bus_, nullptr)) > 0) {
    }
    pumping_ = false;
    if (r < 0) return lose();
    arm();
}

void Bus::arm() {
    if (bus_ == nullptr || pumping_) return;
    namespace asio = async::asio;
    const int events = sd_bus_get_events(bus_);
    if (!reading_) {
        reading_ = true;
        descriptor_->async_wait(asio::posix::stream_descriptor::wait_read,
                                [alive = alive_](boost::system::error_code error) {
                                    if (*alive == nullptr || error) return;
                                    (*alive)->reading_ = false;
                                    (*alive)->pump();
                                });
    }
    if ((events & POLLOUT) != 0 && !writing_) {
        writing_ = true;
        descriptor_->async_wait(asio::posix::stream_descriptor::wait_write,
                                [alive = alive_](boost::system::error_code error) {
                                    if (*alive == nullptr || error) return;
                                    (*alive)->writing_ = false;
                                    (*alive)->pump();
                                });
    }
    std::uint64_t until_us = 0;
    if (sd_bus_get_timeout(bus_, &until_us) >= 0 && until_us != UINT64_MAX) {
        timer_.expires_at(
            std::chrono::steady_clock::time_point(std::chrono::microseconds(until_us)));
        timer_.async_wait([alive = alive_](boost::system::error_code error) {
            if (*alive != nullptr && !error) (*alive)->pump();
        });
    }
}

int Bus::on_reply(sd_bus_message* message, void* raw, sd_bus_error*) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(raw));
    pending->bus->pending_.erase(pending.get());
    const sd_bus_error* const error = sd_bus_message_get_error(message);
    pending->reply(error != nullptr ? base::Result<sd_bus_message*>(as_error(*error))
                                    : base::Result<sd_bus_message*>(message));
    return 0;
}

void Bus::send(sd_bus_message* message, base::Duration deadline, Reply reply) {
    auto pending = std::make_unique<Pending>(Pending{this, std::move(reply)});
    const int r = sd_bus_call_async(bus_, nullptr, message, &Bus::on_reply, pending.get(),
                                    microseconds(deadline));
    const bool never_sent = r == -ENOTCONN || r == -ECONNRESET || r == -ESHUTDOWN || r == -EPIPE;
    if (never_sent) return refuse(std::move(pending->reply), not_reachable());
    if (r < 0) return refuse(std::move(pending->reply), base::errno_error("call to systemd", -r));
    pending_.insert(pending.release());
    arm();
}

void Bus::refuse(Reply reply, base::Error error) {
    async::asio::post(executor_, [reply = std::move(reply), error = std::move(error)] {
        reply(error);
    });
}

void Bus::call(const char* member, base::Duration deadline, const Fill& fill, Reply reply) {
    if (bus_ == nullptr) return refuse(std::move(reply), not_reachable());
    sd_bus_message* raw = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &raw, service, manager_path, manager_interface,
                                           member);
    const Message message(raw);
    if (r >= 0) r = fill(raw);
    if (r >= 0) return send(raw, deadline, std::move(reply));
    refuse(std::move(reply), base::errno_error(std::string("call of ") + member, -r));
}

void Bus::call_job(const char* member, base::Duration deadline, base::Duration job_deadline,
                   const Fill& fill, std::function<void()> accepted, JobDone done) {
    call(member, deadline, fill,
         [this, job_deadline, accepted = std::move(accepted),
          done = std::move(done)](base::Result<sd_bus_message*> reply) {
             if (!reply) return done(reply.error());
             const char* path = nullptr;
             if (sd_bus_message_read(*reply, "o", &path) < 0)
                 return done(
                     base::Error(base::ErrorCode::malformed, "systemd's answer names no job"));
             auto timer = std::make_unique<async::asio::steady_timer>(executor_);
             timer->expires_after(
                 std::chrono::duration_cast<std::chrono::steady_clock::duration>(job_deadline));
             timer->async_wait(
                 [alive = alive_, path = std::string(path)](boost::system::error_code error) {
                     if (*alive == nullptr || error) return;
                     (*alive)->finish_job(path, base::Error(base::ErrorCode::outcome_unknown,
                                                            "systemd's job did not end in time"));
                 });
             jobs_.insert_or_assign(path, Job{done, std::move(timer)});
             if (accepted) accepted();
         });
}

void Bus::finish_job(const std::string& path, base::Result<std::string> result) {
    const auto found = jobs_.find(path);
    if (found == jobs_.end()) return;
    const JobDone done = std::move(found->second.done);
    jobs_.erase(found);
    done(std::move(result));
}

int Bus::on_job_removed(sd_bus_message* message, void* self, sd_bus_error*) {
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0)
        static_cast<Bus*>(self)->finish_job(path, std::string(result));
    return 0;
}

void Bus::unit_properties(const std::string& unit, base::Duration deadline, Reply reply) {
    if (bus_ == nullptr) return refuse(std::move(reply), not_reachable());
    char* path = nullptr;
    sd_bus_message* raw = nullptr;
    int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
    if (r >= 0)
        r = sd_bus_message_new_method_call(bus_, &raw, service, path,
                                           "org.freedesktop.DBus.Properties", "GetAll");
    std::free(path);
    const Message message(raw);
    if (r >= 0) r = sd_bus_message_append(raw, "s", "");
    if (r >= 0) return send(raw, deadline, std::move(reply));
    refuse(std::move(reply), base::errno_error("question about " + unit, -r));
}

}  // namespace fairlead::systemd
