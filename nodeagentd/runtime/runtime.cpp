#include "nodeagentd/runtime/runtime.hpp"

#include "nodeagentd/runtime/unit_names.hpp"
#include "nodeagentd/supervisor/protocol.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace fairlead::nodeagentd::runtime {

namespace asio = async::asio;
using Descriptor = asio::posix::stream_descriptor;
using ports::EndCause;
using ports::StartFailure;
using supervisor::Message;
using supervisor::MessageType;

namespace {

struct Container {
    ports::ContainerSpec spec;
    Credentials credentials;
    std::string unit;
    pid_t supervisor = -1;
    std::shared_ptr<Descriptor> channel;
    std::shared_ptr<asio::steady_timer> timer;
    bool recovering = false;
    bool running = false;
    bool ended = false;
    bool stop_requested = false;
    bool leftovers = false;
};
using ContainerPointer = std::shared_ptr<Container>;

std::string end_text(int status) {
    if (WIFSIGNALED(status))
        return fmt::format("Command was ended by signal {} ({})", WTERMSIG(status),
                           ::strsignal(WTERMSIG(status)));
    return fmt::format("Command exited with status {}", WEXITSTATUS(status));
}

int append_scope(sd_bus_message* m, const Container& c) {
    const auto us = [](base::Duration d) {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(d).count());
    };
    const auto& resources = c.spec.resources;
    const std::string slice = slice_name(c.spec.framework);
    const std::string description = fmt::format(
        "Task {} of framework {}",
        c.spec.task_name.empty() ? c.spec.task.value() : c.spec.task_name,
        c.spec.framework_name.empty() ? c.spec.framework.value() : c.spec.framework_name);
    const auto weight = static_cast<std::uint64_t>(std::clamp(resources.cpus * 100, 1.0, 10000.0));
    int r = sd_bus_message_append(m, "ss", c.unit.c_str(), "fail");
    if (r >= 0) r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)(sv)(sv)", "PIDs", "au", 1,
                                  static_cast<std::uint32_t>(c.supervisor), "Slice", "s",
                                  slice.c_str(), "Description", "s", description.c_str());
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "CPUAccounting", "b", 1,
                                  "MemoryAccounting", "b", 1, "TasksAccounting", "b", 1,
                                  "IOAccounting", "b", 1);
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)(sv)(sv)", "CPUWeight", "t", weight, "TimeoutStopUSec",
                                  "t", us(c.spec.kill_grace), "TasksMax", "t",
                                  resources.processes_max.value_or(32768));
    if (r >= 0 && resources.memory_bytes_max)
        r = sd_bus_message_append(m, "(sv)", "MemoryMax", "t", *resources.memory_bytes_max);
    if (r >= 0 && resources.cpus_max)
        r = sd_bus_message_append(m, "(sv)", "CPUQuotaPerSecUSec", "t",
                                  static_cast<std::uint64_t>(*resources.cpus_max * 1e6));
    if (r >= 0 && c.spec.max_completion_time)
        r = sd_bus_message_append(m, "(sv)", "RuntimeMaxUSec", "t",
                                  us(*c.spec.max_completion_time));
    if (r >= 0) r = sd_bus_message_close_container(m);
    if (r >= 0) r = sd_bus_message_append(m, "a(sa(sv))", 0);
    return r;
}

}  // namespace

struct SystemdRuntime::State : std::enable_shared_from_this<State> {
    State(async::Executor e, Options o)
        : executor(e), options(std::move(o)), bus(e), listener(e), reap_timer(e) {
        socket_path = options.run_directory + "/supervisor.sock";
    }

    void emit(ports::RuntimeEvent event) {
        asio::post(executor, [self = shared_from_this(), event = std::move(event)]() mutable {
            if (self->sink) self->sink(std::move(event));
        });
    }
    std::string report_path(const Container& c) const {
        return options.run_directory + "/" + c.spec.id.value() + ".report";
    }

    ContainerPointer find(const std::string& key) {
        const auto found = containers.find(base::ContainerId(key));
        return found == containers.end() ? nullptr : found->second;
    }

    void listen() {
        std::error_code ignored;
        std::filesystem::create_directories(options.run_directory, ignored);
        ::chmod(options.run_directory.c_str(), 0700);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (socket_path.size() >= sizeof address.sun_path) return;
        std::strcpy(address.sun_path, socket_path.c_str());
        ::unlink(socket_path.c_str());
        const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) return;
        if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(fd, 4096) != 0) {
            ::close(fd);
            return;
        }
        ::chmod(socket_path.c_str(), 0600);
        listener.assign(fd);
        accept();
    }

    void accept() {
        listener.async_wait(
            Descriptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
                if (error) return;
                int fd = -1;
                while ((fd = ::accept4(self->listener.native_handle(), nullptr, nullptr,
                                       SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
                    ucred peer{};
                    socklen_t size = sizeof peer;
                    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                        peer.uid == ::geteuid()) {
                        self->read(std::make_shared<Descriptor>(self->executor, fd), nullptr);
                    } else {
                        ::close(fd);
                    }
                }
                self->accept();
            });
    }

    void read(std::shared_ptr<Descriptor> channel, ContainerPointer c) {
        channel->async_wait(Descriptor::wait_read, [self = shared_from_this(), channel,
                                                    c](boost::system::error_code error) mutable {
            if (error) return;
            for (;;) {
                Message message;
                const ssize_t got =
                    ::recv(channel->native_handle(), &message, sizeof message, MSG_DONTWAIT);
                if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
                if (got <= 0 || !supervisor::is_valid(message, static_cast<std::size_t>(got))) {
                    channel->close();
                    if (c && c->channel == channel) self->on_lost(c);
                    return;
                }
                if (!c) c = self->on_hello(channel, message);
                if (c) self->on_message(c, message);
            }
            self->read(channel, c);
        });
    }

    ContainerPointer on_hello(const std::shared_ptr<Descriptor>& channel, const Message& message) {
        ContainerPointer c = find(std::string(message.key, message.key_bytes));
        if (c) {
            c->channel = channel;
            if (c->timer) c->timer->cancel();
        } else {  // nobody knows it any more: let it go
            tell(*channel, MessageType::acknowledge);
        }
        return c;
    }

    void on_message(const ContainerPointer& c, const Message& m) {
        if (c->ended) return;
        const bool starting = m.type == MessageType::started;
        if (starting ||
            (m.type == MessageType::hello && m.state == supervisor::TaskState::running)) {
            c->running = true;
            if (starting) return emit(ports::Started{c->spec.id, m.pid, c->unit});
            c->recovering = false;
            return emit(ports::Recovered{c->spec.id, m.pid, c->unit});
        }
        if (m.state == supervisor::TaskState::start_failed) return start_failed(c, m);
        if (m.state == supervisor::TaskState::exited) return exited(c, m);
    }

    void start_failed(const ContainerPointer& c, const Message& m) {
        const bool command = m.stage == supervisor::StartStage::execute;
        fail(c, command ? StartFailure::command : StartFailure::environment,
             command && !c->spec.argv.empty()
                 ? fmt::format("Cannot execute {}: {}", c->spec.argv[0], ::strerror(m.error))
                 : fmt::format("Cannot start the command (stage {}): {}",
                               static_cast<unsigned>(m.stage), ::strerror(m.error)));
    }

    void exited(const ContainerPointer& c, const Message& m) {
        c->ended = true;
        c->leftovers = m.leftovers != 0;
        EndCause cause = EndCause::own;
        std::string text = end_text(m.wait_status);
        const auto limit = c->spec.max_completion_time;
        if (m.oom_kills > 0 && m.wait_status != 0) {
            cause = EndCause::out_of_memory;
            text = "Killed for memory: the container reached its limit";
        } else if (c->stop_requested) {
            cause = EndCause::stop_requested;
        } else if (m.sigterm_seen != 0 && limit &&
                   std::chrono::microseconds(m.run_us) + std::chrono::milliseconds(100) >= *limit) {
            cause = EndCause::max_completion_time;
            text = "Its maximum completion time was over";
        } else if (m.sigterm_seen != 0) {
            cause = EndCause::administrator;
            text = fmt::format("Stopped by an administrator (unit {}); {}", c->unit, text);
        }
        emit(ports::Exited{c->spec.id,
                           cause,
                           m.wait_status,
                           {std::chrono::microseconds(m.cpu_user_us),
                            std::chrono::microseconds(m.cpu_system_us), m.memory_peak_bytes},
                           text});
    }

    void fail(const ContainerPointer& c, StartFailure failure, std::string text) {
        if (c->ended) return;
        c->ended = true;
        emit(ports::StartFailed{c->spec.id, failure, std::move(text)});
    }

    // The supervisor is gone: killed, or a start that came to nothing.
    void on_lost(const ContainerPointer& c) {
        c->channel.reset();
        reap_soon(c->supervisor);
        if (c->ended) return;
        if (!c->running)
            return fail(c, StartFailure::environment,
                        "The supervisor ended before it started the command");
        gone(c);
    }

    void gone(const ContainerPointer& c) {
        if (c->ended) return;
        bus.unit_property(
            c->unit, "org.freedesktop.systemd1.Scope", "Result",
            [self = shared_from_this(), c](base::Result<sd_bus_message*> reply) {
                const char* result = "";
                if (reply) sd_bus_message_read(*reply, "v", "s", &result);
                self->stop_unit(c->unit);
                if (c->ended) return;
                c->ended = true;
                const std::string word = result;
                EndCause cause = EndCause::unknown;
                if (word == "oom-kill")
                    cause = EndCause::out_of_memory;
                else if (c->stop_requested)
                    cause = EndCause::stop_requested;
                self->emit(ports::ScopeGone{
                    c->spec.id, cause, word,
                    fmt::format("Scope {} ended without a report ({})", c->unit, word)});
            });
    }

    void reap_soon(pid_t pid) {
        if (pid <= 0) return;
        unreaped.push_back(pid);
        std::erase_if(unreaped, [](pid_t p) { return ::waitpid(p, nullptr, WNOHANG) != 0; });
        if (unreaped.empty()) return;
        reap_timer.expires_after(std::chrono::milliseconds(50));
        reap_timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (error) return;
            const auto left = std::move(self->unreaped);
            self->unreaped.clear();
            for (const pid_t p : left) self->reap_soon(p);
        });
    }

    static void tell(Descriptor& channel, MessageType type) {
        Message message;
        message.type = type;
        ::send(channel.native_handle(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    void stop_unit(const std::string& unit) {
        bus.call(
            "StopUnit", options.call_deadline,
            [unit](sd_bus_message* m) {
                return sd_bus_message_append(m, "ss", unit.c_str(), "replace");
            },
            [self = shared_from_this(), unit](const auto&) {
                self->bus.call(
                    "ResetFailedUnit", self->options.call_deadline,
                    [unit](sd_bus_message* m) {
                        return sd_bus_message_append(m, "s", unit.c_str());
                    },
                    [](const auto&) {});
            });
    }

    void kill_unit(const std::string& unit, int signal) {
        bus.call(
            "KillUnit", options.call_deadline,
            [unit, signal](sd_bus_message* m) {
                return sd_bus_message_append(m, "ssi", unit.c_str(), "all", signal);
            },
            [](const auto&) {});
    }

    bool make_sandbox(const Container& c) {
        std::error_code error;
        std::filesystem::create_directories(c.spec.sandbox, error);
        if (error || ::chmod(c.spec.sandbox.c_str(), 0750) != 0) return false;
        return !c.credentials.change ||
               ::chown(c.spec.sandbox.c_str(), c.credentials.uid, c.credentials.gid) == 0;
    }

    base::Status spawn(Container& c) {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
            return base::errno_error("socketpair", errno);
        // dup2 onto itself would leave close-on-exec set.
        if (pair[1] == supervisor::channel_descriptor) {
            const int moved = ::fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
            ::close(pair[1]);
            pair[1] = moved;
        }
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pair[1], supervisor::channel_descriptor);
        // Asio's sockets are inherited: a supervisor that outlives this process would keep our port.
        posix_spawn_file_actions_addclosefrom_np(&actions, supervisor::channel_descriptor + 1);
        char* const argv[] = {const_cast<char*>("fairlead-supervisor"), nullptr};
        char* const none[] = {nullptr};
        const int r =
            ::posix_spawn(&c.supervisor, options.supervisor.c_str(), &actions, nullptr, argv, none);
        posix_spawn_file_actions_destroy(&actions);
        ::close(pair[1]);
        if (r != 0) {
            ::close(pair[0]);
            c.supervisor = -1;
            return base::errno_error("start " + options.supervisor, r);
        }
        c.channel = std::make_shared<Descriptor>(executor, pair[0]);
        return {};
    }

    void start_scope(const ContainerPointer& c, int attempts_left) {
        bus.call_job(
            "StartTransientUnit", options.call_deadline,
            [c](sd_bus_message* m) { return append_scope(m, *c); },
            [self = shared_from_this(), c, attempts_left](base::Result<std::string> job) {
                if (c->ended || !c->channel) return;
                if (!job && job.error().code() == base::ErrorCode::already_exists &&
                    attempts_left > 0)
                    return self->retry(c, attempts_left - 1);
                if (job && *job == "done" && !c->stop_requested) return self->send_launch(c);
                // Closing the channel ends a supervisor that was not released.
                c->channel->close();
                c->channel.reset();
                self->reap_soon(c->supervisor);
                self->fail(c, StartFailure::bus,
                           job ? "systemd could not start scope " + c->unit + ": job " + *job
                               : "systemd could not start scope " + c->unit + ": " +
                                     job.error().message());
            });
    }

    // The same task id came again before its last scope was gone.
    void retry(const ContainerPointer& c, int attempts_left) {
        bus.call(
            "ResetFailedUnit", options.call_deadline,
            [c](sd_bus_message* m) { return sd_bus_message_append(m, "s", c->unit.c_str()); },
            [](const auto&) {});
        c->timer = std::make_shared<asio::steady_timer>(executor);
        c->timer->expires_after(std::chrono::milliseconds(100));
        c->timer->async_wait(
            [self = shared_from_this(), c, attempts_left](boost::system::error_code error) {
                if (!error) self->start_scope(c, attempts_left);
            });
    }

    void send_launch(const ContainerPointer& c) {
        const std::string record =
            launch_record(c->spec, c->credentials, socket_path, report_path(*c));
        const int fd = ::memfd_create("launch", MFD_CLOEXEC);
        Message message;
        message.type = MessageType::launch;
        iovec part{&message, sizeof message};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* const extra = CMSG_FIRSTHDR(&header);
        extra->cmsg_level = SOL_SOCKET;
        extra->cmsg_type = SCM_RIGHTS;
        extra->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(extra), &fd, sizeof fd);
        const bool sent =
            fd >= 0 &&
            ::write(fd, record.data(), record.size()) == static_cast<ssize_t>(record.size()) &&
            ::sendmsg(c->channel->native_handle(), &header, MSG_NOSIGNAL) > 0;
        if (fd >= 0) ::close(fd);
        if (!sent)
            fail(c, StartFailure::environment, "The supervisor could not be told what to run");
    }

    // Nobody came back for a container that was known: its report may lie in a file.
    void recover_without_supervisor(const ContainerPointer& c) {
        if (c->channel || c->ended) return;
        Message message;
        const int fd = ::open(report_path(*c).c_str(), O_RDONLY | O_CLOEXEC);
        const ssize_t got = fd < 0 ? -1 : ::read(fd, &message, sizeof message);
        if (fd >= 0) ::close(fd);
        if (got > 0 && supervisor::is_valid(message, static_cast<std::size_t>(got)))
            return on_message(c, message);
        gone(c);
    }

    async::Executor executor;
    Options options;
    systemd::Bus bus;
    Descriptor listener;
    asio::steady_timer reap_timer;
    std::string socket_path;
    ports::RuntimeSink sink;
    std::map<base::ContainerId, ContainerPointer> containers;
    std::vector<pid_t> unreaped;
};

SystemdRuntime::SystemdRuntime(async::Executor executor, Options options)
    : state_(std::make_shared<State>(executor, std::move(options))) {}

SystemdRuntime::~SystemdRuntime() {
    boost::system::error_code ignored;
    state_->sink = nullptr;
    state_->listener.close(ignored);
    state_->reap_timer.cancel();
    for (auto& [id, c] : state_->containers) {
        if (c->channel) c->channel->close(ignored);
        if (c->timer) c->timer->cancel();
    }
}

void SystemdRuntime::set_sink(ports::RuntimeSink sink) {
    state_->sink = std::move(sink);
}

void SystemdRuntime::recover(std::vector<ports::KnownContainer> known) {
    for (auto& k : known) {
        auto c = std::make_shared<Container>();
        c->spec.id = k.id;
        c->spec.framework = k.framework;
        c->spec.task = k.task;
        c->spec.max_completion_time = k.max_completion_time;
        c->unit = scope_name(k.framework, k.task);
        c->stop_requested = k.stop_requested;
        c->recovering = true;
        c->timer = std::make_shared<asio::steady_timer>(state_->executor);
        c->timer->expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            state_->options.hello_wait));
        c->timer->async_wait([state = state_, c](boost::system::error_code error) {
            if (!error) state->recover_without_supervisor(c);
        });
        state_->containers.insert_or_assign(k.id, c);
    }
    state_->listen();
}

void SystemdRuntime::start(ports::ContainerSpec spec) {
    auto c = std::make_shared<Container>();
    c->spec = std::move(spec);
    c->unit = scope_name(c->spec.framework, c->spec.task);
    state_->containers.insert_or_assign(c->spec.id, c);
    if (c->spec.argv.empty())
        return state_->fail(c, StartFailure::invalid_spec, "There is no command to run");
    auto credentials = find_credentials(c->spec.user);
    if (!credentials)
        return state_->fail(c, StartFailure::invalid_spec, credentials.error().message());
    c->credentials = std::move(*credentials);
    if (!state_->make_sandbox(*c))
        return state_->fail(c, StartFailure::environment,
                            "The sandbox " + c->spec.sandbox + " cannot be made");
    if (const auto spawned = state_->spawn(*c); !spawned)
        return state_->fail(c, StartFailure::environment, spawned.error().message());
    state_->read(c->channel, c);
    state_->start_scope(c, 50);
}

void SystemdRuntime::stop(base::ContainerId container, std::optional<base::Duration> grace) {
    const ContainerPointer c = state_->find(container.value());
    if (!c || c->ended) return;
    c->stop_requested = true;
    if (!c->running && !c->recovering) return;  // start_scope sees it when the job is done
    if (!grace || *grace == c->spec.kill_grace) return state_->stop_unit(c->unit);
    state_->kill_unit(c->unit, SIGTERM);
    c->timer = std::make_shared<asio::steady_timer>(state_->executor);
    c->timer->expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(*grace));
    c->timer->async_wait([state = state_, c](boost::system::error_code error) {
        if (!error && !c->ended) state->kill_unit(c->unit, SIGKILL);
    });
}

void SystemdRuntime::release(base::ContainerId container) {
    const ContainerPointer c = state_->find(container.value());
    if (!c) return;
    c->ended = true;
    if (c->channel) State::tell(*c->channel, MessageType::acknowledge);
    ::unlink(state_->report_path(*c).c_str());
    if (c->leftovers) state_->stop_unit(c->unit);
    state_->containers.erase(c->spec.id);
}

void SystemdRuntime::set_framework_weight(base::FrameworkId framework, std::uint32_t cpu_weight) {
    const std::string slice = slice_name(framework);
    state_->bus.call(
        "SetUnitProperties", state_->options.call_deadline,
        [slice, cpu_weight](sd_bus_message* m) {
            return sd_bus_message_append(m, "sba(sv)", slice.c_str(), 1, 1, "CPUWeight", "t",
                                         static_cast<std::uint64_t>(cpu_weight));
        },
        [](const auto&) {});
}

}  // namespace fairlead::nodeagentd::runtime
