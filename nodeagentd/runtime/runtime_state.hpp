#pragma once
// What SystemdRuntime is made of; for its own files only. Handlers that come late hold the state
// weakly, or check that it is not closed.

#include "nodeagentd/runtime/container_machine.hpp"
#include "nodeagentd/runtime/credentials.hpp"
#include "nodeagentd/runtime/latency.hpp"
#include "nodeagentd/runtime/recovery.hpp"
#include "nodeagentd/runtime/runtime.hpp"
#include "nodeagentd/runtime/slice_book.hpp"
#include "nodeagentd/runtime/supervisor_channel.hpp"
#include "nodeagentd/runtime/supervisor_reserve.hpp"
#include "nodeagentd/runtime/unit_properties.hpp"

#include <map>
#include <set>
#include <unordered_map>

namespace fairlead::nodeagentd::runtime {

struct Container {
    explicit Container(ContainerMachine::Facts facts) : machine(std::move(facts)) {}

    ports::ContainerSpec spec;
    Credentials credentials;
    std::string unit;
    std::string slice;
    ContainerMachine machine;
    base::Instant asked_at{};
    bool may_spawn = true;  // false: no supervisor could be started
    pid_t supervisor = -1;
    std::shared_ptr<SupervisorChannel> channel;
    std::unique_ptr<async::asio::steady_timer> wait;
    std::unique_ptr<async::asio::steady_timer> kill;
};
using ContainerPointer = std::shared_ptr<Container>;

struct SystemdRuntime::State : std::enable_shared_from_this<State> {
    State(const async::Executor& executor, Options options);

    // runtime.cpp
    ContainerPointer add(ports::ContainerSpec spec, bool stop_requested);
    base::Status check(const ports::ContainerSpec& spec) const;
    void emit(ports::RuntimeEvent event);
    void found(const std::vector<ListedUnit>& listed);
    void list_again_later();
    void remove_unneeded_reports() const;
    void close();

    // carry_out.cpp
    void carry_out(const ContainerPointer& container, const Deeds& deeds);
    void feed(const ContainerPointer& container, const Happening& happening);
    // Without a container: whose it is, its first message says.
    void listen(const std::shared_ptr<SupervisorChannel>& channel,
                const ContainerPointer& container);
    std::string report_path(const Container& container) const;

    // framework_slices.cpp
    void join_slice(const ContainerPointer& container);
    void leave_slice(const ContainerPointer& container);
    void slice_found(const std::string& slice);

    async::Executor executor;
    Options options;
    UnitCalls calls;
    SupervisorListener listener;
    SupervisorReserve reserve;
    ports::RuntimeSink sink;
    ports::StrangersSink strangers;  // until the host was looked at
    std::map<base::ContainerId, std::string> ended_units;  // and what is no stranger then
    std::string agent_unit;
    unsigned host_cpus;
    UserDatabase users;
    bool closed = false;
    std::map<base::ContainerId, ContainerPointer> containers;
    SliceBook slices;
    std::unordered_map<std::string, std::vector<std::weak_ptr<Container>>> waiting_for_slice;
    std::unordered_map<std::string, std::unique_ptr<async::asio::steady_timer>> linger_timers;
    async::asio::steady_timer list_timer;
    async::asio::steady_timer weights_timer;
    bool weights_due = false;
    Latency start_latency;
    std::uint64_t orphans_stopped = 0;

  private:
    void place(const ContainerPointer& container);
    base::Status spawn(const ContainerPointer& container);
    ContainerPointer adopt(std::shared_ptr<SupervisorChannel> channel,
                           const supervisor::Message& hello);
    void placed(const ContainerPointer& container, const base::Status& outcome);
    void find_report(const ContainerPointer& container);
    void kill_after(const ContainerPointer& container, base::Duration grace);
    void do_to_slice(const std::optional<SliceBook::Do>& what);
    void start_slice(const std::string& slice);
    void slice_stands(const std::string& slice);
    void set_weights_soon();
    void set_weights();
};

}  // namespace fairlead::nodeagentd::runtime
