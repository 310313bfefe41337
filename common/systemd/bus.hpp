#pragma once
// One connection to systemd, driven from Asio by its descriptor and timeout and drained until
// empty. As root it is PID 1's private socket, so that no other program's queue stands between;
// else the system bus. Everything happens on the executor's strand.
//
// The connection comes and goes (daemon-reexec, a restart of dbus). When it is lost, whatever is in
// flight ends with outcome_unknown, it is opened again with growing pauses, and `on_restored` tells
// when it serves again. While there is none, calls are answered with unavailable.

#include "common/async/asio.hpp"
#include "common/async/backoff.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"

#include <systemd/sd-bus.h>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace fairlead::systemd {

class Bus {
  public:
    using Fill = std::function<int(sd_bus_message*)>;  // appends arguments; sd-bus' error or 0
    // The message is the callee's for the time of the call only.
    using Reply = std::function<void(base::Result<sd_bus_message*>)>;
    // systemd's word: "done", "failed", "canceled" ...
    using JobDone = std::function<void(base::Result<std::string>)>;

    // `socket`: PID 1's private socket, or that of what stands in for it in tests.
    explicit Bus(async::Executor executor, std::string socket = "/run/systemd/private");
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    // For the start of a program: connects and waits for one answer of systemd, a few milliseconds.
    // The error is a sentence for whoever starts the program.
    base::Status open(base::Duration deadline);
    void on_restored(std::function<void()> restored) { restored_ = std::move(restored); }
    // False from the loss of a connection until on_restored.
    bool serves() const { return serves_; }

    // A call to the manager object.
    void call(const char* member, base::Duration deadline, const Fill& fill, Reply reply);
    // A call that answers with a job, and the job's end, for which there is a deadline of its own.
    // `accepted`, when given, tells that systemd has taken the job.
    void call_job(const char* member, base::Duration deadline, base::Duration job_deadline,
                  const Fill& fill, std::function<void()> accepted, JobDone done);
    // All properties of a unit, a{sv}. A unit that is not loaded is answered like one that is
    // inactive.
    void unit_properties(const std::string& unit, base::Duration deadline, Reply reply);

  private:
    struct Pending {
        Bus* bus;
        Reply reply;
    };
    struct Job {
        JobDone done;
        std::unique_ptr<async::asio::steady_timer> timer;
    };

    int connect();
    void lose();
    void reconnect_later();
    void greet();
    void pump();
    void arm();
    void send(sd_bus_message* message, base::Duration deadline, Reply reply);
    void refuse(Reply reply, base::Error error);
    void finish_job(const std::string& path, base::Result<std::string> result);
    static int on_reply(sd_bus_message* message, void* pending, sd_bus_error*);
    static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error*);

    bool uses_private_socket() const;

    async::Executor executor_;
    std::string private_socket_;
    sd_bus* bus_ = nullptr;
    bool serves_ = false;
    bool pumping_ = false;
    bool reading_ = false;
    bool writing_ = false;
    std::unique_ptr<async::asio::posix::stream_descriptor> descriptor_;
    async::asio::steady_timer timer_;
    async::asio::steady_timer reconnect_;
    async::Backoff backoff_;
    base::Prng prng_;
    std::function<void()> restored_;
    std::shared_ptr<Bus*> alive_;  // handlers that come late see null
    std::unordered_map<std::string, Job> jobs_;
    std::unordered_set<Pending*> pending_;  // owned; those that sd-bus has not answered yet
};

}  // namespace fairlead::systemd
