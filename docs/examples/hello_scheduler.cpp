// Runs `echo hello` once on a Fairlead (or Mesos) cluster: hello_scheduler [MASTER]

#include "sdk/scheduler.hpp"
#include "sdk/task.hpp"

#include <iostream>

using namespace fairlead;

class Hello : public sdk::SchedulerEvents {
  public:
    Hello(async::Executor strand, std::string master)
        : scheduler(strand, {.masters = {master}, .framework = description()}, *this) {}

    void subscribed(const v1::scheduler::Event::Subscribed& event) override {
        std::cout << "subscribed as " << event.framework_id().value() << "\n";
    }

    void offers(const std::vector<v1::Offer>& offers) override {
        for (const auto& offer : offers) {
            if (launched || sdk::scalar_of(offer, "cpus") < 0.1 ||
                sdk::scalar_of(offer, "mem") < 32) {
                (void)scheduler.decline({offer.id()});
                continue;
            }
            launched = true;
            (void)scheduler.launch(offer,
                                   {sdk::command_task(offer, "hello-1", "hello",
                                                      sdk::shell_command("echo hello"), 0.1, 32)});
        }
    }

    void update(const v1::TaskStatus& status) override {
        std::cout << status.task_id().value() << " " << v1::TaskState_Name(status.state()) << "\n";
        if (sdk::is_terminal(status.state())) scheduler.stop(sdk::Ending::teardown);
    }

    void disconnected(const base::Error& error) override { std::cerr << error.message() << "\n"; }

    static v1::FrameworkInfo description() {
        v1::FrameworkInfo framework;
        framework.set_name("hello");
        framework.set_user("root");
        framework.add_roles("*");
        framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
        return framework;
    }

    sdk::Scheduler scheduler;
    bool launched = false;
};

int main(int argc, char** argv) {
    async::asio::io_context context(1);
    Hello hello(context.get_executor(), argc > 1 ? argv[1] : "localhost:5050");
    int status = 0;
    async::asio::co_spawn(context, hello.scheduler.run(),
                          [&](std::exception_ptr failure, base::Status ended) {
                              if (failure) std::rethrow_exception(failure);
                              if (ended) return;
                              std::cerr << ended.error().message() << "\n";
                              status = 1;
                          });
    context.run();
    return status;
}
