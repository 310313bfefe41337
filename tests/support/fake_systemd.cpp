#include "tests/support/fake_systemd.hpp"

#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

namespace fairlead::test {

namespace {

constexpr const char* manager = "/org/freedesktop/systemd1";
constexpr const char* interface = "org.freedesktop.systemd1.Manager";
constexpr const char* sender = "org.freedesktop.systemd1";
constexpr const char* unit_prefix = "/org/freedesktop/systemd1/unit";

std::uint64_t now_us() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

bool lives(pid_t pid) {
    std::string stat;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat);
    const auto name_end = stat.rfind(')');
    return name_end != stat.npos && stat[name_end + 2] != 'Z' && stat[name_end + 2] != 'X';
}

std::vector<pid_t> children(pid_t pid) {
    std::vector<pid_t> all;
    const std::string id = std::to_string(pid);
    std::ifstream in("/proc/" + id + "/task/" + id + "/children");
    for (pid_t child; in >> child;) all.push_back(child);
    return all;
}

// A unit is its processes and all that these have started.
void gather(std::set<pid_t>& pids) {
    std::vector<pid_t> unseen(pids.begin(), pids.end());
    while (!unseen.empty()) {
        const pid_t pid = unseen.back();
        unseen.pop_back();
        for (const pid_t child : children(pid))
            if (pids.insert(child).second) unseen.push_back(child);
    }
}

std::string job_path(std::uint32_t id) {
    return "/org/freedesktop/systemd1/job/" + std::to_string(id);
}

}  // namespace

FakeSystemd::FakeSystemd(std::string socket) : socket_(std::move(socket)) {
    ::unlink(socket_.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 16) != 0)
        std::abort();
    thread_ = std::thread([this] { serve(); });
}

FakeSystemd::~FakeSystemd() {
    over_ = true;
    thread_.join();
    for (sd_bus* bus : connections_) sd_bus_close_unref(bus);
    for (auto& [name, unit] : units_)
        for (const pid_t pid : unit.pids) ::kill(pid, SIGKILL);
    ::close(listener_);
    ::unlink(socket_.c_str());
}

void FakeSystemd::stop(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (const auto at = units_.find(name); at != units_.end()) begin_stop(at->second);
}

void FakeSystemd::kill(const std::string& name, int signal) {
    const std::lock_guard lock(mutex_);
    if (const auto at = units_.find(name); at != units_.end()) send(at->second, signal);
}

std::set<pid_t> FakeSystemd::processes(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto at = units_.find(name);
    if (at == units_.end()) return {};
    gather(at->second.pids);
    return at->second.pids;
}

void FakeSystemd::serve() {
    while (!over_) {
        std::vector<pollfd> waits{{listener_, POLLIN, 0}};
        for (sd_bus* bus : connections_) waits.push_back({sd_bus_get_fd(bus), POLLIN, 0});
        ::poll(waits.data(), waits.size(), 5);
        const std::lock_guard lock(mutex_);
        accept();
        std::erase_if(connections_, [this](sd_bus* bus) {
            int r = drop_ ? -1 : 1;
            while (r > 0) r = sd_bus_process(bus, nullptr);
            if (r < 0) sd_bus_close_unref(bus);
            return r < 0;
        });
        drop_ = false;
        look_after_units();
    }
}

void FakeSystemd::accept() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    sd_bus* bus = nullptr;
    sd_id128_t id{};
    sd_id128_randomize(&id);
    if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
        sd_bus_set_server(bus, 1, id) < 0 || sd_bus_set_sender(bus, sender) < 0 || sd_bus_start(bus) < 0 ||
        sd_bus_add_filter(bus, nullptr, &FakeSystemd::on_message, this) < 0)
        std::abort();
    connections_.push_back(bus);
}

void FakeSystemd::begin_stop(Unit& unit) {
    if (unit.state != "active") return;
    unit.state = "deactivating";
    unit.left_us = now_us();
    unit.kill_at_us = unit.left_us + unit.grace_us;
    send(unit, SIGTERM);
}

void FakeSystemd::send(Unit& unit, int signal) {
    gather(unit.pids);
    for (const pid_t pid : unit.pids) ::kill(pid, signal);
}

void FakeSystemd::look_after_units() {
    const std::uint64_t now = now_us();
    for (auto at = units_.begin(); at != units_.end();) {
        auto& [name, unit] = *at;
        gather(unit.pids);
        std::erase_if(unit.pids, [](pid_t pid) { return !lives(pid); });
        if (unit.state == "active" && now - unit.entered_us >= unit.runtime_max_us) {
            begin_stop(unit);
            unit.result = "timeout";
        }
        if (unit.state == "deactivating" && now >= unit.kill_at_us && !unit.pids.empty()) {
            unit.result = "timeout";
            send(unit, SIGKILL);
        }
        const bool is_slice = name.ends_with(".slice");
        const bool ends = unit.pids.empty() && unit.state != "failed" &&
                          (!is_slice || unit.state == "deactivating");
        if (ends) unit.state = unit.result == "success" ? "inactive" : "failed";
        if (ends && unit.left_us == 0) unit.left_us = now;
        if (ends || unit.state == "failed")
            for (const auto job : std::exchange(unit.jobs, {})) finish_job(job, name, "done");
        at = unit.state == "inactive" ? units_.erase(at) : std::next(at);
    }
}

void FakeSystemd::finish_job(std::uint32_t id, const std::string& unit, const char* result) {
    for (sd_bus* bus : connections_)
        sd_bus_emit_signal(bus, manager, interface, "JobRemoved", "uoss", id, job_path(id).c_str(),
                           unit.c_str(), result);
}

int FakeSystemd::on_message(sd_bus_message* call, void* self, sd_bus_error*) {
    const int r = static_cast<FakeSystemd*>(self)->answer(call);
    // A message that does not parse as the real one would take it is the caller's fault.
    if (r < 0) sd_bus_reply_method_errnof(call, r, "cannot be answered");
    return 1;
}

int FakeSystemd::answer(sd_bus_message* call) {
    const char* const word = sd_bus_message_get_member(call);
    const std::string member = word == nullptr ? "" : word;
    const char* name = nullptr;
    int signal = 0;
    if (member == "Subscribe") return sd_bus_reply_method_return(call, "");
    if (member == "StartTransientUnit") return start_unit(call);
    if (member == "StopUnit") return stop_unit(call);
    if (member == "ListUnitsByPatterns") return list_units(call);
    if (member == "GetUnitProcesses") return unit_processes(call);
    if (member == "GetAll") return properties(call);
    if (member == "SetUnitProperties") return sd_bus_reply_method_return(call, "");
    if (member == "ResetFailedUnit") {
        if (sd_bus_message_read(call, "s", &name) < 0) return -EINVAL;
        std::erase_if(units_, [&](const auto& one) {
            return one.first == name && one.second.state == "failed";
        });
        return sd_bus_reply_method_return(call, "");
    }
    if (member == "KillUnit") {
        const char* whom = nullptr;
        if (sd_bus_message_read(call, "ssi", &name, &whom, &signal) < 0) return -EINVAL;
        if (const auto at = units_.find(name); at != units_.end()) send(at->second, signal);
        return sd_bus_reply_method_return(call, "");
    }
    return -EBADRQC;
}

int FakeSystemd::start_unit(sd_bus_message* call) {
    const char* name = nullptr;
    const char* mode = nullptr;
    const char* property = nullptr;
    Unit unit;
    int r = sd_bus_message_read(call, "ss", &name, &mode);
    if (r < 0 || (r = sd_bus_message_enter_container(call, 'a', "(sv)")) < 0) return r;
    while ((r = sd_bus_message_enter_container(call, 'r', "sv")) > 0) {
        sd_bus_message_read(call, "s", &property);
        const std::string what = property;
        std::uint32_t pid = 0;
        if (what == "PIDs") {
            r = sd_bus_message_read(call, "v", "au", 1, &pid);
            if (pid != 0) unit.pids.insert(static_cast<pid_t>(pid));
        } else if (what == "TimeoutStopUSec") {
            r = sd_bus_message_read(call, "v", "t", &unit.grace_us);
        } else if (what == "RuntimeMaxUSec") {
            r = sd_bus_message_read(call, "v", "t", &unit.runtime_max_us);
        } else {
            r = sd_bus_message_skip(call, "v");
        }
        if (r < 0 || (r = sd_bus_message_exit_container(call)) < 0) return r;
    }
    if (r < 0 || (r = sd_bus_message_exit_container(call)) < 0) return r;
    if ((r = sd_bus_message_skip(call, "a(sa(sv))")) < 0) return r;
    if (units_.contains(name))
        return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.UnitExists",
                                          "Unit %s was already loaded", name);
    unit.entered_us = now_us();
    units_.emplace(name, unit);
    const std::uint32_t job = ++last_job_;
    sd_bus_reply_method_return(call, "o", job_path(job).c_str());
    finish_job(job, name, "done");
    return 1;
}

int FakeSystemd::stop_unit(sd_bus_message* call) {
    const char* name = nullptr;
    const char* mode = nullptr;
    if (const int r = sd_bus_message_read(call, "ss", &name, &mode); r < 0) return r;
    const auto at = units_.find(name);
    if (at == units_.end())
        return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.NoSuchUnit",
                                          "Unit %s not loaded.", name);
    const std::uint32_t job = ++last_job_;
    at->second.jobs.push_back(job);
    begin_stop(at->second);
    return sd_bus_reply_method_return(call, "o", job_path(job).c_str());
}

int FakeSystemd::list_units(sd_bus_message* call) {
    std::set<std::string> patterns;
    const char* word = nullptr;
    int r = sd_bus_message_skip(call, "as");
    if (r < 0 || (r = sd_bus_message_enter_container(call, 'a', "s")) < 0) return r;
    while (sd_bus_message_read(call, "s", &word) > 0) patterns.insert(word);
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
    for (const auto& [name, unit] : units_)
        for (const auto& pattern : patterns)
            if (::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0)
                sd_bus_message_append(reply, "(ssssssouso)", name.c_str(), "", "loaded",
                                      unit.state.c_str(), "", "", "/", 0, "", "/");
    sd_bus_message_close_container(reply);
    r = sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
    return r;
}

int FakeSystemd::properties(sd_bus_message* call) {
    char* decoded = nullptr;
    sd_bus_path_decode(sd_bus_message_get_path(call), unit_prefix, &decoded);
    const std::string name = decoded == nullptr ? "" : decoded;
    std::free(decoded);
    Unit unit;
    unit.state = "inactive";
    if (const auto at = units_.find(name); at != units_.end()) unit = at->second;
    return sd_bus_reply_method_return(
        call, "a{sv}", 5, "Id", "s", name.c_str(), "ActiveState", "s", unit.state.c_str(), "Result",
        "s", unit.result.c_str(), "ActiveEnterTimestampMonotonic", "t", unit.entered_us,
        "ActiveExitTimestampMonotonic", "t", unit.left_us);
}

int FakeSystemd::unit_processes(sd_bus_message* call) {
    const char* name = nullptr;
    if (const int r = sd_bus_message_read(call, "s", &name); r < 0) return r;
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "(sus)");
    if (const auto at = units_.find(name); at != units_.end())
        for (const pid_t pid : at->second.pids)
            if (lives(pid))
                sd_bus_message_append(reply, "(sus)", "/", static_cast<std::uint32_t>(pid), "");
    sd_bus_message_close_container(reply);
    const int r = sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
    return r;
}

}  // namespace fairlead::test
