// standby_scheduler MASTER: one of several schedulers of the framework "pair". The active one launches task after task, each
// on an offer of its own, and acknowledges nothing. What it hears it prints, a line each, with the time in milliseconds.

#include "sdk/scheduler.hpp"
#include "sdk/task.hpp"

#include <unistd.h>

#include <chrono>
#include <iostream>

using namespace fairlead;

namespace {

void say(const std::string& what) {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    std::cout << std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count() << " " << what << std::endl;
}

class Standby : public sdk::SchedulerEvents {
  public:
    Standby(async::Executor strand, std::string master)
        : scheduler(strand,
                    {.masters = {master}, .framework = description(), .acknowledge = sdk::Acknowledge::by_framework,
                     .standby = true},
                    *this) {}

    void subscribed(const v1::scheduler::Event::Subscribed&) override { say("subscribed"); }
    void standing_by() override { say("standing by"); }
    void disconnected(const base::Error& error) override { say("disconnected: " + error.message()); }

    void offers(const std::vector<v1::Offer>& offers) override {
        for (const auto& offer : offers) {
            const std::string id = std::to_string(::getpid()) + "-" + std::to_string(next_task++);
            say("offer");
            (void)scheduler.launch(offer, {sdk::command_task(offer, id, id, sdk::shell_command("true"), 0.1, 32)}, 3600);
        }
    }
    void update(const v1::TaskStatus& status) override {
        say("update " + status.task_id().value() + " " + v1::TaskState_Name(status.state()));
    }

    static v1::FrameworkInfo description() {
        v1::FrameworkInfo framework;
        framework.set_name("pair");
        framework.set_user("root");
        framework.mutable_id()->set_value("pair");
        framework.set_failover_timeout(3600);
        framework.add_roles("*");
        framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
        return framework;
    }

    sdk::Scheduler scheduler;
    int next_task = 0;
};

}  // namespace

int main(int, char** argv) {
    async::asio::io_context context(1);
    Standby standby(context.get_executor(), argv[1]);
    async::asio::co_spawn(context, standby.scheduler.run(), [&](std::exception_ptr failure, base::Status ended) {
        if (failure) std::rethrow_exception(failure);
        if (!ended) say("ended: " + ended.error().message());
    });
    context.run();
}
