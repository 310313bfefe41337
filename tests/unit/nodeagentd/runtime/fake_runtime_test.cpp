// The contract of the runtime port, kept by the fake.

#include "tests/support/fake_runtime.hpp"
#include "tests/support/runtime_contract.hpp"

namespace fairlead::test {
namespace {

class FakeWorld : public RuntimeWorld {
  public:
    FakeWorld() { agent_dies(); }

    nodeagentd::ports::Runtime& runtime() override { return *runtime_; }
    void agent_dies() override {
        events_.clear();
        runtime_ = std::make_unique<FakeRuntime>(host_);
        runtime_->set_sink([this](auto event) { events_.push_back(std::move(event)); });
    }
    std::optional<nodeagentd::ports::RuntimeEvent> next_event(base::Duration within) override {
        constexpr auto step = std::chrono::milliseconds(100);
        runtime_->deliver();
        for (; events_.empty() && within > base::Duration::zero(); within -= step)
            runtime_->pass(step);
        if (events_.empty()) return std::nullopt;
        auto event = std::move(events_.front());
        events_.pop_front();
        return event;
    }
    std::string sandbox_of(const std::string& name) override { return "/sandboxes/" + name; }
    void await_output(const std::string&, const std::string&) override {}
    void make_file(const std::string& path) override { host_.files.insert(path); }
    void administrator_stops(const base::ContainerId& id) override {
        runtime_->administrator_stops(id);
    }
    void administrator_kills(const base::ContainerId& id) override {
        runtime_->administrator_kills(id);
    }
    void supervisor_is_killed(const base::ContainerId& id) override {
        runtime_->supervisor_is_killed(id);
    }
    bool is_anything_left(const base::ContainerId& id) override {
        const auto at = host_.boxes.find(id);
        return at != host_.boxes.end() && !at->second.end;
    }

  private:
    FakeHost host_;
    std::unique_ptr<FakeRuntime> runtime_;
    std::deque<nodeagentd::ports::RuntimeEvent> events_;
};

std::unique_ptr<RuntimeWorld> make_fake_world() {
    return std::make_unique<FakeWorld>();
}

INSTANTIATE_TEST_SUITE_P(Fake, RuntimeContract, testing::Values(&make_fake_world));

}  // namespace
}  // namespace fairlead::test
