#pragma once
// Stands where the runtime on systemd belongs until it is linked in: the agent registers and is
// offered, and every task fails with a sentence that says why. Events are posted, never given from
// inside a call.

#include "common/async/asio.hpp"
#include "nodeagentd/ports/runtime.hpp"

namespace fairlead::nodeagentd {

class NoRuntime : public ports::Runtime {
  public:
    explicit NoRuntime(async::Executor executor) : executor_(std::move(executor)) {}

    void set_sink(ports::RuntimeSink sink) override { sink_ = std::move(sink); }
    void recover(std::vector<ports::KnownContainer> known) override {
        for (auto& one : known) fail(one.id);
    }
    void start(ports::ContainerSpec spec) override { fail(spec.id); }
    void stop(base::ContainerId, std::optional<base::Duration>) override {}
    void release(base::ContainerId) override {}
    void set_framework_weight(base::FrameworkId, std::uint32_t) override {}

  private:
    void fail(base::ContainerId id) {
        async::asio::post(executor_, [this, id] {
            sink_(ports::StartFailed{id, ports::StartFailure::environment,
                                     "this agent was built without a runtime for tasks"});
        });
    }
    async::Executor executor_;
    ports::RuntimeSink sink_;
};

}  // namespace fairlead::nodeagentd
