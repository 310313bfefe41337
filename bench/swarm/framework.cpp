#include "bench/swarm/framework.hpp"

#include "sdk/task.hpp"

#include <cmath>
#include <numbers>

namespace fairlead::bench {
namespace {

constexpr double slot_cpus = 1;
constexpr double slot_mem_mb = 1024;

v1::FrameworkInfo description(const std::string& name) {
    v1::FrameworkInfo framework;
    framework.set_name(name);
    framework.set_user("root");
    framework.add_roles("*");
    framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    framework.set_failover_timeout(3600);
    return framework;
}

// Box and Muller; nothing runs for less than no time.
double draw_length(FrameworksBoard& board) {
    const double radius = std::sqrt(-2 * std::log(1 - board.prng.unit()));
    const double normal = radius * std::cos(2 * std::numbers::pi * board.prng.unit());
    return std::max(0.0, board.length_mean_s + board.length_deviation_s * normal);
}

v1::TaskInfo sleeping(const v1::Offer& offer, TaskKey key, double seconds) {
    return sdk::command_task(offer, key.text(), "swarm", sdk::shell_command(fmt::format("sleep {:.3f}", seconds)), slot_cpus,
                             slot_mem_mb);
}

base::Instant now() { return base::read_clocks().instant; }

}  // namespace

Worker::Worker(async::Executor strand, FrameworksBoard& board, std::uint32_t number)
    : board_(board),
      number_(number),
      scheduler_(strand, {.masters = board.masters, .framework = description(fmt::format("swarm-{}", number))}, *this) {}

async::awaitable<void> Worker::run() {
    const auto ended = co_await scheduler_.run();
    if (!ended) board_.trouble = ended.error().message();
}

void Worker::rest() { (void)scheduler_.suppress(); }

void Worker::subscribed(const v1::scheduler::Event::Subscribed&) {
    subscribed_at_ = now();
    if (!board_.launching) rest();
    ask_for_tasks();
}

void Worker::ask_for_tasks() {
    if (tasks_.empty()) return;
    std::vector<v1::scheduler::Call::Reconcile::Task> asked;
    for (const auto& [number, open] : tasks_) {
        auto& task = asked.emplace_back();
        task.mutable_task_id()->set_value(TaskKey{number_, number}.text());
        task.mutable_agent_id()->set_value(open.agent);
    }
    (void)scheduler_.reconcile(std::move(asked));
}

void Worker::offers(const std::vector<v1::Offer>& offers) {
    board_.offers += offers.size();
    std::vector<v1::OfferID> unwanted;
    for (const auto& offer : offers) {
        if (board_.launching && sdk::scalar_of(offer, "cpus") >= slot_cpus)
            launch(offer);
        else
            unwanted.push_back(offer.id());
    }
    if (!unwanted.empty()) (void)scheduler_.decline(unwanted, 0);
}

void Worker::launch(const v1::Offer& offer) {
    std::vector<v1::TaskInfo> tasks;
    for (double room = sdk::scalar_of(offer, "cpus"); room >= slot_cpus; room -= slot_cpus) {
        const TaskKey key{number_, ++last_task_};
        double length = draw_length(board_);
        if (key.number <= board_.cut_tasks) length *= board_.prng.unit();
        ++board_.asked;
        board_.ledger.add(key, Ledger::What::asked);
        tasks_[key.number] = {offer.agent_id().value(), Clock::now()};
        tasks.push_back(sleeping(offer, key, length));
    }
    (void)scheduler_.launch(offer, std::move(tasks), 0);
}

void Worker::update(const v1::TaskStatus& status) {
    const auto key = TaskKey::parse(status.task_id().value());
    if (!key) return;
    const auto found = tasks_.find(key->number);
    if (status.state() == v1::TASK_RUNNING && found != tasks_.end() && !found->second.running) {
        found->second.running = true;
        ++board_.running;
        if (board_.sampling) board_.to_running.add(Clock::now() - found->second.asked);
        if (subscribed_at_ >= board_.running_since) board_.first_running = std::min(board_.first_running, now());
    }
    if (!sdk::is_terminal(status.state())) return;
    board_.ledger.add(*key, Ledger::What::told, 0, status.state());
    if (sdk::is_lost(status.state())) ++board_.lost;
    if (found == tasks_.end()) return;
    ++board_.over;
    tasks_.erase(found);
}

void Worker::call_failed(const v1::scheduler::Call& call, const base::Error& error) {
    ++board_.calls_failed;
    board_.trouble = v1::scheduler::Call::Type_Name(call.type()) + ": " + error.message();
    // It may have been done or not: the master knows.
    if (call.type() == v1::scheduler::Call::ACCEPT || call.type() == v1::scheduler::Call::RECONCILE) ask_for_tasks();
}

Probe::Probe(async::Executor strand, FrameworksBoard& board)
    : board_(board),
      scheduler_(strand, {.masters = board.masters, .framework = description("swarm-probe")}, *this),
      pause_(strand) {}

async::awaitable<void> Probe::run() {
    const auto ended = co_await scheduler_.run();
    if (!ended) board_.trouble = ended.error().message();
}

void Probe::start(unsigned tasks, double length_s, std::function<void(Results)> done) {
    left_ = tasks;
    length_s_ = length_s;
    done_ = std::move(done);
    results_ = {};
    next();
}

void Probe::next() {
    if (left_ == 0) {
        if (const auto done = std::exchange(done_, {})) done(std::move(results_));
        return;
    }
    --left_;
    pause_.expires_after(std::chrono::milliseconds(200 + board_.prng.below(600)));
    pause_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        wants_ = true;
        running_ = false;
        ready_ = Clock::now();
        (void)scheduler_.revive();
    });
}

void Probe::subscribed(const v1::scheduler::Event::Subscribed&) {
    if (!wants_) (void)scheduler_.suppress();
}

void Probe::offers(const std::vector<v1::Offer>& offers) {
    std::vector<v1::OfferID> unwanted;
    bool launched = false;
    for (const auto& offer : offers) {
        if (!wants_ || sdk::scalar_of(offer, "cpus") < slot_cpus) {
            unwanted.push_back(offer.id());
            continue;
        }
        wants_ = false;
        launched = true;
        const TaskKey key{probe_number, ++number_};
        board_.ledger.add(key, Ledger::What::asked);
        (void)scheduler_.launch(offer, {sleeping(offer, key, length_s_)}, 0);
    }
    if (launched) (void)scheduler_.suppress();
    if (!unwanted.empty()) (void)scheduler_.decline(unwanted, 0);
}

void Probe::update(const v1::TaskStatus& status) {
    const auto key = TaskKey::parse(status.task_id().value());
    if (!key) return;
    if (sdk::is_terminal(status.state())) board_.ledger.add(*key, Ledger::What::told, 0, status.state());
    if (key->number != number_) return;
    const auto since = Clock::now() - ready_;
    if (status.state() == v1::TASK_RUNNING && !std::exchange(running_, true)) results_.to_running.add(since);
    if (!sdk::is_terminal(status.state()) || wants_) return;
    if (sdk::is_lost(status.state())) {  // its offer was overtaken; the task waits on
        wants_ = true;
        (void)scheduler_.revive();
        return;
    }
    results_.overhead.add(since - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(length_s_)));
    next();
}

}  // namespace fairlead::bench
