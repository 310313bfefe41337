#include "common/systemd/bus.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace fairlead::systemd {

namespace {

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";

base::Error as_error(const sd_bus_error& error) {
    const std::string name = error.name == nullptr ? "" : error.name;
    const std::string text = error.message == nullptr ? name : error.message;
    base::ErrorCode code = base::ErrorCode::io;
    if (name.ends_with(".UnitExists")) code = base::ErrorCode::already_exists;
    if (name.ends_with(".NoSuchUnit")) code = base::ErrorCode::not_found;
    if (name.ends_with(".AccessDenied")) code = base::ErrorCode::permission_denied;
    if (name.ends_with(".NoReply") || name.ends_with(".Timeout") ||
        name.ends_with(".Disconnected")) {
        code = base::ErrorCode::outcome_unknown;
    }
    return base::Error(code, text);
}

}  // namespace

struct Bus::Pending {
    Reply reply;
};

Bus::Bus(async::Executor executor)
    : executor_(executor), timer_(executor), alive_(std::make_shared<Bus*>(this)) {}

Bus::~Bus() {
    *alive_ = nullptr;
    if (descriptor_) descriptor_->release();
    if (bus_ != nullptr) sd_bus_close_unref(bus_);
}

int Bus::connect(sd_bus** bus) {
    if (::geteuid() != 0 || ::access("/run/systemd/private", F_OK) != 0)
        return sd_bus_open_system(bus);
    int r = sd_bus_new(bus);
    if (r >= 0) r = sd_bus_set_address(*bus, "unix:path=/run/systemd/private");
    if (r >= 0) r = sd_bus_start(*bus);
    return r;
}

base::Status Bus::probe() {
    sd_bus* bus = nullptr;
    const int r = connect(&bus);
    if (bus != nullptr) sd_bus_close_unref(bus);
    if (r < 0) return base::errno_error("cannot reach systemd over its bus", -r);
    return {};
}

bool Bus::open() {
    if (bus_ != nullptr) return true;
    int r = connect(&bus_);
    if (r >= 0) {
        r = sd_bus_match_signal_async(bus_, nullptr, service, manager_path, manager_interface,
                                      "JobRemoved", &Bus::on_job_removed, nullptr, this);
    }
    if (r >= 0)
        r = sd_bus_call_method_async(bus_, nullptr, service, manager_path, manager_interface,
                                     "Subscribe", nullptr, nullptr, "");
    if (r < 0) {
        if (bus_ != nullptr) sd_bus_close_unref(bus_);
        bus_ = nullptr;
        return false;
    }
    descriptor_ =
        std::make_unique<async::asio::posix::stream_descriptor>(executor_, sd_bus_get_fd(bus_));
    arm();
    return true;
}

void Bus::lose() {
    if (descriptor_) descriptor_->release();
    descriptor_.reset();
    reading_ = writing_ = false;
    if (bus_ != nullptr) sd_bus_close_unref(bus_);
    bus_ = nullptr;
    auto jobs = std::move(jobs_);
    jobs_.clear();
    for (auto& [path, job] : jobs) {
        job.done(
            base::Error(base::ErrorCode::outcome_unknown, "the connection to systemd was lost"));
    }
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
        descriptor_->async_wait(
            asio::posix::stream_descriptor::wait_read,
            [alive = alive_, fd = descriptor_.get()](boost::system::error_code error) {
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
    if (sd_bus_get_timeout(bus_, &until_us) > 0 && until_us != UINT64_MAX) {
        timer_.expires_at(
            std::chrono::steady_clock::time_point(std::chrono::microseconds(until_us)));
        timer_.async_wait([alive = alive_](boost::system::error_code error) {
            if (*alive != nullptr && !error) (*alive)->pump();
        });
    }
}

int Bus::on_reply(sd_bus_message* message, void* raw, sd_bus_error*) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(raw));
    const sd_bus_error* const error = sd_bus_message_get_error(message);
    pending->reply(error != nullptr ? base::Result<sd_bus_message*>(as_error(*error))
                                    : base::Result<sd_bus_message*>(message));
    return 0;
}

void Bus::send(Message message, base::Duration deadline, Reply reply) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(deadline).count();
    auto pending = std::make_unique<Pending>(Pending{std::move(reply)});
    const int r = sd_bus_call_async(bus_, nullptr, message.get(), &Bus::on_reply, pending.get(),
                                    static_cast<std::uint64_t>(us));
    if (r < 0) {
        async::asio::post(executor_, [reply = std::move(pending->reply), r] {
            reply(base::errno_error("call to systemd", -r));
        });
        return;
    }
    pending.release();
    arm();
}

void Bus::call(const char* member, base::Duration deadline,
               std::function<int(sd_bus_message*)> fill, Reply reply) {
    sd_bus_message* raw = nullptr;
    int r = open() ? 0 : -ENOTCONN;
    if (r == 0)
        r = sd_bus_message_new_method_call(bus_, &raw, service, manager_path, manager_interface,
                                           member);
    Message message(raw);
    if (r >= 0) r = fill(raw);
    if (r >= 0) return send(std::move(message), deadline, std::move(reply));
    async::asio::post(executor_, [reply = std::move(reply), r] {
        reply(base::Error(base::ErrorCode::unavailable,
                          std::string("systemd cannot be reached: ") + std::strerror(-r)));
    });
}

void Bus::call_job(const char* member, base::Duration deadline,
                   std::function<int(sd_bus_message*)> fill, JobDone done) {
    call(member, deadline, std::move(fill),
         [this, deadline, done = std::move(done)](base::Result<sd_bus_message*> reply) {
             if (!reply) return done(reply.error());
             const char* path = nullptr;
             if (sd_bus_message_read(*reply, "o", &path) < 0)
                 return done(
                     base::Error(base::ErrorCode::malformed, "systemd's answer names no job"));
             auto timer = std::make_unique<async::asio::steady_timer>(executor_);
             timer->expires_after(
                 std::chrono::duration_cast<std::chrono::steady_clock::duration>(deadline));
             timer->async_wait(
                 [alive = alive_, path = std::string(path)](boost::system::error_code error) {
                     if (*alive == nullptr || error) return;
                     (*alive)->finish_job(path, base::Error(base::ErrorCode::outcome_unknown,
                                                            "systemd's job did not end in time"));
                 });
             jobs_.insert_or_assign(path, Job{done, std::move(timer)});
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
    if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0) {
        static_cast<Bus*>(self)->finish_job(path, std::string(result));
    }
    return 0;
}

void Bus::unit_property(const std::string& unit, const char* interface, const char* property,
                        Reply reply) {
    char* path = nullptr;
    sd_bus_message* raw = nullptr;
    int r = open() ? sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path)
                   : -ENOTCONN;
    if (r >= 0)
        r = sd_bus_message_new_method_call(bus_, &raw, service, path,
                                           "org.freedesktop.DBus.Properties", "Get");
    std::free(path);
    Message message(raw);
    if (r >= 0) r = sd_bus_message_append(raw, "ss", interface, property);
    if (r >= 0) return send(std::move(message), std::chrono::seconds(25), std::move(reply));
    async::asio::post(executor_, [reply = std::move(reply), r] {
        reply(base::errno_error("call to systemd", -r));
    });
}

}  // namespace fairlead::systemd
