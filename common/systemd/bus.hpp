#pragma once
// One connection to systemd, driven from Asio by its descriptor and timeout and drained until
// empty. As root it is PID 1's private socket, so that no other program's queue stands between;
// else the system bus. Everything happens on the executor's strand. When the connection is lost,
// calls in flight end with outcome_unknown, and it is opened again.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"

#include <systemd/sd-bus.h>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace fairlead::systemd {

struct MessageUnref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;

class Bus {
  public:
    using Reply = std::function<void(base::Result<sd_bus_message*>)>;  // the message is the
                                                                       // caller's for the call only
    using JobDone =
        std::function<void(base::Result<std::string>)>;  // systemd's word: "done", "failed" ...

    explicit Bus(async::Executor executor);
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    // Whether systemd can be reached from this process at all; blocks, so it is for a program's start.
    static base::Status probe();

    // A call to the manager object; `fill` appends the arguments and returns sd-bus' error or 0.
    void call(const char* member, base::Duration deadline, std::function<int(sd_bus_message*)> fill,
              Reply reply);
    // A call that answers with a job, and the job's end.
    void call_job(const char* member, base::Duration deadline,
                  std::function<int(sd_bus_message*)> fill, JobDone done);
    // A string property of a unit.
    void unit_property(const std::string& unit, const char* interface, const char* property,
                       Reply reply);

  private:
    struct Pending;
    struct Job {
        JobDone done;
        std::unique_ptr<async::asio::steady_timer> timer;
    };

    static int connect(sd_bus** bus);
    bool open();
    void lose();
    void pump();
    void arm();
    void send(Message message, base::Duration deadline, Reply reply);
    void finish_job(const std::string& path, base::Result<std::string> result);
    static int on_reply(sd_bus_message* message, void* pending, sd_bus_error*);
    static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error*);

    async::Executor executor_;
    sd_bus* bus_ = nullptr;
    bool pumping_ = false;
    bool reading_ = false;
    bool writing_ = false;
    std::unique_ptr<async::asio::posix::stream_descriptor> descriptor_;
    async::asio::steady_timer timer_;
    std::shared_ptr<Bus*> alive_;  // handlers that come late see null
    std::unordered_map<std::string, Job> jobs_;
};

}  // namespace fairlead::systemd
