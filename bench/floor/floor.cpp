// The physical limit for starting a task in a scope: what remains when there is no agent, no supervisor, no checkpoint
// and no network. A child is forked that waits on a pipe, systemd puts a scope around it, the end of the job is waited
// for, the child is let go, it executes /bin/true and is reaped. Run as root on a host with systemd as PID 1.
//
// Prints one JSON object: `scope_ready` (fork to end of the job), `start_to_exit` (fork to reaped), one after another;
// `scopes_per_second`, many at once over the same connection, first call to last end of a job; and
// `started_and_ended_per_second` of that same crowd, first fork to last child reaped.

#include "bench/samples.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace fairlead::bench {
namespace {

int must(int result, const char* what) {
    if (result >= 0) return result;
    std::fprintf(stderr, "fairlead-bench-floor: %s: %s\n", what, std::strerror(-result));
    std::exit(1);
}

// A child that does nothing until it is let go; then it is /bin/true.
struct Child {
    pid_t pid = -1;
    int gate = -1;

    static Child fork_stopped() {
        int ends[2];
        must(::pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno, "pipe");
        const pid_t pid = ::fork();
        must(pid >= 0 ? 0 : -errno, "fork");
        if (pid == 0) {
            char go = 0;
            if (::read(ends[0], &go, 1) == 1) ::execl("/bin/true", "true", nullptr);
            ::_exit(127);
        }
        ::close(ends[0]);
        return {pid, ends[1]};
    }

    void let_go() {
        must(::write(gate, "g", 1) == 1 ? 0 : -errno, "release");
        ::close(gate);
    }

    void reap() const {
        int status = 0;
        must(::waitpid(pid, &status, 0) == pid ? 0 : -errno, "waitpid");
        must(status == 0 ? 0 : -ECHILD, "/bin/true");
    }
};

// PID 1's own socket: no bus daemon stands in between, as none stands between it and the agent.
class Systemd {
  public:
    Systemd() {
        must(sd_bus_new(&bus_), "sd_bus_new");
        must(sd_bus_set_address(bus_, "unix:path=/run/systemd/private"), "address");
        must(sd_bus_start(bus_), "connect to systemd");
        must(sd_bus_match_signal(bus_, nullptr, nullptr, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                                 "JobRemoved", &Systemd::on_job_removed, this),
             "match");
        must(sd_bus_call_method(bus_, nullptr, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                                "Subscribe", nullptr, nullptr, ""),
             "Subscribe");
    }
    ~Systemd() { sd_bus_close_unref(bus_); }
    Systemd(const Systemd&) = delete;
    Systemd& operator=(const Systemd&) = delete;

    // Sends the call; the job's end is counted by wait_for.
    void start_scope(const Child& child) {
        const std::string name = fmt::format("bench-floor-{}-{}.scope", ::getpid(), ++names_);
        sd_bus_message* call = nullptr;
        must(sd_bus_message_new_method_call(bus_, &call, nullptr, "/org/freedesktop/systemd1",
                                            "org.freedesktop.systemd1.Manager", "StartTransientUnit"),
             "StartTransientUnit");
        must(sd_bus_message_append(call, "ssa(sv)a(sa(sv))", name.c_str(), "fail", 1, "PIDs", "au", 1,
                                   static_cast<std::uint32_t>(child.pid), 0),
             "StartTransientUnit");
        must(sd_bus_call_async(bus_, nullptr, call, &Systemd::on_reply, this, 0), "StartTransientUnit");
        sd_bus_message_unref(call);
    }

    void wait_for(std::size_t jobs) {
        while (done_ < jobs) {
            const int processed = must(sd_bus_process(bus_, nullptr), "systemd");
            if (processed == 0) must(sd_bus_wait(bus_, UINT64_MAX), "systemd");
        }
        done_ -= jobs;
    }

  private:
    static int on_reply(sd_bus_message* reply, void*, sd_bus_error*) {
        if (const sd_bus_error* error = sd_bus_message_get_error(reply)) {
            std::fprintf(stderr, "fairlead-bench-floor: StartTransientUnit: %s\n", error->message);
            std::exit(1);
        }
        return 0;
    }
    static int on_job_removed(sd_bus_message* signal, void* self, sd_bus_error*) {
        const char* unit = nullptr;
        const char* result = nullptr;
        must(sd_bus_message_read(signal, "uoss", nullptr, nullptr, &unit, &result), "JobRemoved");
        // Scopes end with jobs of nobody, and other units have jobs too: only starts of ours are counted.
        if (std::strncmp(unit, "bench-floor-", 12) == 0) {
            must(std::strcmp(result, "done") == 0 ? 0 : -EIO, result);
            ++static_cast<Systemd*>(self)->done_;
        }
        return 0;
    }

    sd_bus* bus_ = nullptr;
    std::size_t done_ = 0;
    unsigned names_ = 0;
};

int measure(unsigned serial, unsigned crowd) {
    Systemd systemd;
    Samples scope_ready;
    Samples start_to_exit;
    for (unsigned i = 0; i < serial; ++i) {
        const auto start = Clock::now();
        Child child = Child::fork_stopped();
        systemd.start_scope(child);
        systemd.wait_for(1);
        scope_ready.add(Clock::now() - start);
        child.let_go();
        child.reap();
        start_to_exit.add(Clock::now() - start);
    }

    const auto first_fork = Clock::now();
    std::vector<Child> children;
    for (unsigned i = 0; i < crowd; ++i) children.push_back(Child::fork_stopped());
    const auto first_call = Clock::now();
    for (const Child& child : children) systemd.start_scope(child);
    systemd.wait_for(crowd);
    const auto all_ready = Clock::now();
    for (Child& child : children) child.let_go();
    for (const Child& child : children) child.reap();
    const auto all_reaped = Clock::now();

    fmt::print(R"({{"scope_ready": {}, "start_to_exit": {}, "scopes_per_second": {:.1f}, )"
               R"("started_and_ended_per_second": {:.1f}}})"
               "\n",
               scope_ready.json(), start_to_exit.json(), per_second(crowd, all_ready - first_call),
               per_second(crowd, all_reaped - first_fork));
    return 0;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
    unsigned serial = 200;
    unsigned crowd = 300;
    CLI::App app("What starting a scope costs when nothing else is done");
    app.add_option("--serial", serial, "Scopes started one after another")->capture_default_str();
    app.add_option("--crowd", crowd, "Scopes started at once")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    return fairlead::bench::measure(serial, crowd);
}
