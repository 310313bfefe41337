#include "frameworks/replay/replayer.hpp"

#include "common/http/client.hpp"
#include "sdk/task.hpp"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <cstdlib>

namespace fairlead::frameworks::replay {

namespace {

constexpr double refuse_seconds = 1;
// Shorter: the master is to see that a better agent is waited for, and that not nothing is wanted.
constexpr double waiting_refuse_seconds = 0.5;
constexpr double failover_seconds = 60;
constexpr std::size_t readers_max = 64;

v1::FrameworkInfo framework_of(const ReplayerOptions& options) {
    v1::FrameworkInfo framework;
    framework.set_name(options.name);
    framework.set_user(options.user);
    framework.set_failover_timeout(failover_seconds);
    framework.set_checkpoint(true);
    framework.add_roles(options.role);
    framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
    return framework;
}

}  // namespace

Replayer::Replayer(async::Executor strand, ReplayerOptions options, Ledger ledger)
    : options_(std::move(options)),
      strand_(strand),
      ledger_(std::move(ledger)),
      placement_(options_.waits),
      scheduler_(strand,
                 {.masters = options_.masters,
                  .framework = framework_of(options_),
                  .give_up_after = std::chrono::seconds(60)},
                 *this),
      group_(strand, [this](std::string_view, std::exception_ptr failure) {
          trouble(async::describe(failure));
          --reading_;
      }) {}

double Replayer::elapsed() const {
    return std::chrono::duration<double>(base::read_clocks().instant - start_).count();
}

void Replayer::start(base::Instant start, Blocks blocks) {
    start_ = start;
    blocks_ = std::move(blocks);
    started_ = true;
    tick();
}

void Replayer::tick() {
    if (!started_) return;
    for (const auto task : ledger_.advance(elapsed())) queue(task);
    want_offers(ledger_.has_ready());
    tell_what_is_wanted();
}

void Replayer::queue(std::size_t task) {
    placement_.add(ledger_.tasks()[task].job, task, blocks_.copies_of(task));
}

void Replayer::tell_what_is_wanted() {
    if (!blocks_.known() || !scheduler_.subscribed()) return;
    if (const auto wanted = placement_.hint(base::read_clocks().instant))
        (void)scheduler_.constrain_offers(sdk::offers_only_from(*wanted, options_.role));
}

void Replayer::want_offers(bool wanted) {
    if (wanted == offers_wanted_ || !scheduler_.subscribed()) return;
    offers_wanted_ = wanted;
    (void)(wanted ? scheduler_.revive() : scheduler_.suppress());
}

void Replayer::subscribed(const v1::scheduler::Event::Subscribed&) {
    // Each subscription begins with nothing suppressed.
    offers_wanted_ = true;
    reconcile_open();
}

// By name: of a launch that got lost nobody would speak otherwise.
void Replayer::reconcile_open() {
    std::vector<v1::scheduler::Call::Reconcile::Task> open;
    for (std::size_t i = 0; i < ledger_.tasks().size(); ++i) {
        const auto phase = ledger_.tasks()[i].phase;
        if (phase == TaskPhase::placed || phase == TaskPhase::running)
            open.emplace_back().mutable_task_id()->set_value(ledger_.id_of(i));
    }
    if (!open.empty()) (void)scheduler_.reconcile(std::move(open));
}

void Replayer::offers(const std::vector<v1::Offer>& offers) {
    tick();
    for (const auto& offer : offers) use(offer);
    want_offers(ledger_.has_ready());
    tell_what_is_wanted();
}

void Replayer::use(const v1::Offer& offer) {
    double cpus = sdk::scalar_of(offer, "cpus"), mem = sdk::scalar_of(offer, "mem");
    std::vector<v1::TaskInfo> tasks;
    while (started_ && ledger_.has_ready() && cpus + 1e-6 >= options_.cpus &&
           mem + 1e-6 >= options_.mem_mb) {
        const auto choice = placement_.take(sdk::site_of(offer), base::read_clocks().instant);
        if (!choice) break;
        cpus -= options_.cpus;
        mem -= options_.mem_mb;
        const auto index = choice->task;
        ledger_.place(index, elapsed(), options_.cpus);
        if (blocks_.known()) ledger_.note_locality(choice->where);
        const auto& task = ledger_.tasks()[index];
        agents_[index] = sdk::agent_address(offer);
        tasks.push_back(sdk::command_task(
            offer, ledger_.id_of(index),
            fmt::format("{} map of {}", options_.name, ledger_.jobs()[task.job].name),
            sdk::program({options_.maptask, std::to_string(task.bytes)}), options_.cpus,
            options_.mem_mb));
    }
    const double refused = started_ && ledger_.has_ready() ? waiting_refuse_seconds : refuse_seconds;
    if (tasks.empty())
        (void)scheduler_.decline({offer.id()}, refused);
    else
        (void)scheduler_.launch(offer, std::move(tasks), refused);
}

void Replayer::update(const v1::TaskStatus& status) {
    const auto task = ledger_.task_of(status.task_id().value());
    if (task == Ledger::none) return;
    if (status.state() == v1::TASK_RUNNING) {
        ledger_.running(task, elapsed());
    } else if (status.state() == v1::TASK_FINISHED) {
        if (ledger_.finished(task, elapsed())) read_output(task, status.task_id().value());
    } else if (sdk::is_terminal(status.state()) || status.state() == v1::TASK_UNKNOWN) {
        trouble(fmt::format("{} {} {}", status.task_id().value(),
                            v1::TaskState_Name(status.state()), status.message()));
        if (ledger_.failed(task, elapsed())) queue(task);
    }
    tick();
}

void Replayer::call_failed(const v1::scheduler::Call& call, const base::Error& error) {
    trouble(error.message());
    if (call.type() != v1::scheduler::Call::ACCEPT) return;
    // Perhaps launched, perhaps not: the master knows.
    std::vector<v1::scheduler::Call::Reconcile::Task> tasks;
    for (const auto& operation : call.accept().operations())
        for (const auto& info : operation.launch().task_infos()) {
            tasks.emplace_back();
            *tasks.back().mutable_task_id() = info.task_id();
            *tasks.back().mutable_agent_id() = info.agent_id();
        }
    (void)scheduler_.reconcile(std::move(tasks));
}

void Replayer::read_output(std::size_t task, const std::string& id) {
    const auto agent = agents_.find(task);
    if (agent == agents_.end() || agent->second.empty() || reading_ >= readers_max) return;
    ++reading_;
    group_.spawn("output of " + id, read_cpu_seconds(agent->second, id));
}

async::awaitable<void> Replayer::read_cpu_seconds(std::string agent, std::string id) {
    if (auto url = http::parse_url(agent, 5051)) {
        http::Client client(strand_, *url);
        http::ClientRequest request;
        request.target =
            "/files/read?offset=0&length=1024&path=" +
            http::percent_encode("/tasks/" + scheduler_.framework_id() + "/" + id + "/stdout");
        auto answer = co_await client.request(std::move(request), std::chrono::seconds(5));
        boost::system::error_code error;
        const auto document = answer && answer->status == 200
                                  ? boost::json::parse(answer->body, error)
                                  : boost::json::value();
        if (const auto* object = document.if_object()) {
            const auto* data = object->if_contains("data");
            const std::string text =
                data != nullptr && data->is_string() ? data->as_string().c_str() : "";
            const std::string key = "cpu_seconds ";
            if (const auto at = text.find(key); at != std::string::npos)
                ledger_.add_cpu_seconds(std::strtod(text.c_str() + at + key.size(), nullptr));
        }
    }
    --reading_;
}

async::awaitable<void> Replayer::stop() {
    scheduler_.stop(sdk::Ending::teardown);
    group_.stop();
    co_await group_.join();
}

}  // namespace fairlead::frameworks::replay
