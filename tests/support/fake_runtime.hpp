#pragma once
// The runtime port without processes, for tests of whatever stands above it: a host on which
// containers are entries in a map, with its own time, and a runtime that can die and come back
// while the host stays. It keeps the promises of ports/runtime.hpp (runtime_contract.hpp holds it to
// them).
//
// What a command does is read from its shell text: "exit N" ends with N, "kill -N $$" by signal N,
// "trap '' TERM ..." ignores SIGTERM, anything else runs until it is stopped. A command whose file is
// below /nonexistent cannot be executed; the one user there is is root; `files` are files and not
// directories.

#include "nodeagentd/ports/runtime.hpp"

#include <csignal>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace fairlead::test {

class FakeHost {
  public:
    struct Box {
        nodeagentd::ports::ContainerSpec spec;
        pid_t pid = 0;
        bool runs = false;
        bool stop_requested = false;
        std::optional<base::Instant> killed_at;     // SIGKILL is due
        std::optional<base::Instant> limit_at;      // max_completion_time is over
        std::optional<nodeagentd::ports::RuntimeEvent> end;  // told again until it is released
    };

    base::Instant now{};
    std::map<base::ContainerId, Box> boxes;
    std::set<std::string> files;

    static std::string unit_of(const nodeagentd::ports::ContainerSpec& spec) {
        return "fairlead-" + spec.framework.value() + "-" + spec.task.value() + ".scope";
    }
    static std::string text_of(const nodeagentd::ports::ContainerSpec& spec) {
        return spec.argv.back();
    }
    static bool ignores_sigterm(const Box& box) {
        return text_of(box.spec).starts_with("trap '' TERM");
    }
};

class FakeRuntime : public nodeagentd::ports::Runtime {
  public:
    using EndCause = nodeagentd::ports::EndCause;

    explicit FakeRuntime(FakeHost& host) : host_(host) {}

    void set_sink(nodeagentd::ports::RuntimeSink sink) override { sink_ = std::move(sink); }

    using nodeagentd::ports::Runtime::recover;
    void recover(std::vector<nodeagentd::ports::KnownContainer> known,
                 std::vector<nodeagentd::ports::EndedContainer> ended,
                 nodeagentd::ports::StrangersSink strangers) override {
        events_.clear();  // what happened before was an earlier agent's
        std::set<base::ContainerId> ids;
        for (const auto& one : known) {
            ids.insert(one.id);
            const auto at = host_.boxes.find(one.id);
            if (at == host_.boxes.end()) {
                events_.push_back(nodeagentd::ports::ScopeGone{one.id, EndCause::unknown, "", "gone"});
            } else if (at->second.end) {
                events_.push_back(*at->second.end);
            } else {
                events_.push_back(nodeagentd::ports::Recovered{
                    one.id, at->second.pid, FakeHost::unit_of(at->second.spec)});
                if (one.stop_requested) stop(one.id, std::nullopt);
            }
        }
        if (strangers) {
            std::set<base::ContainerId> swept;
            for (const auto& one : ended) swept.insert(one.id);
            std::vector<std::string> units;
            for (const auto& [id, box] : host_.boxes)
                if (!ids.contains(id) && !swept.contains(id)) {
                    units.push_back(FakeHost::unit_of(box.spec));
                    ids.insert(id);
                }
            strangers(units);
        }
        metrics_.orphans_stopped +=
            std::erase_if(host_.boxes, [&](const auto& box) { return !ids.contains(box.first); });
    }

    void start(nodeagentd::ports::ContainerSpec spec) override {
        using nodeagentd::ports::StartFailure;
        const auto fail = [&](StartFailure failure, std::string why) {
            events_.push_back(nodeagentd::ports::StartFailed{spec.id, failure, std::move(why)});
        };
        if (spec.argv.empty()) return fail(StartFailure::invalid_spec, "There is no command to run");
        if (!spec.user.empty() && spec.user != "root")
            return fail(StartFailure::invalid_spec, "no such user on this host: " + spec.user);
        if (host_.files.contains(spec.sandbox))
            return fail(StartFailure::environment, "The sandbox is a file: " + spec.sandbox);
        if (spec.argv[0].starts_with("/nonexistent"))
            return fail(StartFailure::command, "Cannot execute " + spec.argv[0]);
        FakeHost::Box box;
        box.pid = ++last_pid_;
        box.runs = true;
        if (spec.max_completion_time) box.limit_at = host_.now + *spec.max_completion_time;
        box.spec = std::move(spec);
        const auto id = box.spec.id;
        events_.push_back(
            nodeagentd::ports::Started{id, box.pid, FakeHost::unit_of(box.spec)});
        host_.boxes.insert_or_assign(id, std::move(box));
        ++metrics_.starts;
        run(id);
    }

    void stop(base::ContainerId container, std::optional<base::Duration> grace) override {
        const auto at = host_.boxes.find(container);
        if (at == host_.boxes.end() || at->second.end) return;
        FakeHost::Box& box = at->second;
        box.stop_requested = true;
        const auto kill = host_.now + grace.value_or(box.spec.kill_grace);
        if (!box.killed_at || kill < *box.killed_at) box.killed_at = kill;
        if (!FakeHost::ignores_sigterm(box)) exited(box, SIGTERM, EndCause::stop_requested);
    }

    void release(base::ContainerId container) override {
        host_.boxes.erase(container);
        std::erase_if(events_, [&](const auto& event) {
            return std::visit([&](const auto& one) { return one.container == container; }, event);
        });
    }

    nodeagentd::ports::RuntimeMetrics metrics() const override {
        auto metrics = metrics_;
        metrics.containers = host_.boxes.size();
        return metrics;
    }

    // --- what a test does ---

    // Lets time pass on the host and hands over what has happened until then.
    void pass(base::Duration time) {
        host_.now += time;
        for (auto& [id, box] : host_.boxes) {
            if (box.end) continue;
            const bool limit = box.limit_at && *box.limit_at <= host_.now;
            if (limit && !FakeHost::ignores_sigterm(box))
                exited(box, SIGTERM, EndCause::max_completion_time);
            else if (box.killed_at && *box.killed_at <= host_.now)
                gone(box, EndCause::stop_requested, "timeout");
        }
        deliver();
    }
    void deliver() {
        while (!events_.empty()) {
            const auto event = std::move(events_.front());
            events_.pop_front();
            if (sink_) sink_(event);
        }
    }
    void administrator_stops(const base::ContainerId& id) {
        FakeHost::Box& box = host_.boxes.at(id);
        if (!FakeHost::ignores_sigterm(box)) exited(box, SIGTERM, EndCause::administrator);
    }
    void administrator_kills(const base::ContainerId& id) {
        gone(host_.boxes.at(id), EndCause::administrator, "success");
    }
    void supervisor_is_killed(const base::ContainerId& id) {
        gone(host_.boxes.at(id), EndCause::unknown, "success");
    }
    void memory_runs_out(const base::ContainerId& id) {
        gone(host_.boxes.at(id), EndCause::out_of_memory, "oom-kill");
    }
    void exits(const base::ContainerId& id, int status) {
        exited(host_.boxes.at(id), status << 8, EndCause::own);
    }

  private:
    void run(const base::ContainerId& id) {
        FakeHost::Box& box = host_.boxes.at(id);
        const std::string text = FakeHost::text_of(box.spec);
        if (text.starts_with("exit ")) exited(box, std::stoi(text.substr(5)) << 8, EndCause::own);
        if (text.starts_with("kill -")) exited(box, std::stoi(text.substr(6)), EndCause::own);
    }
    void exited(FakeHost::Box& box, int wait_status, EndCause cause) {
        end(box, nodeagentd::ports::Exited{box.spec.id, cause, wait_status, {}, "It ended"});
    }
    void gone(FakeHost::Box& box, EndCause cause, std::string result) {
        end(box, nodeagentd::ports::ScopeGone{box.spec.id, cause, std::move(result), "It is gone"});
    }
    void end(FakeHost::Box& box, nodeagentd::ports::RuntimeEvent event) {
        if (box.end) return;
        box.end = event;
        events_.push_back(std::move(event));
    }

    FakeHost& host_;
    nodeagentd::ports::RuntimeSink sink_;
    std::deque<nodeagentd::ports::RuntimeEvent> events_;
    nodeagentd::ports::RuntimeMetrics metrics_;
    inline static pid_t last_pid_ = 1000;
};

}  // namespace fairlead::test
