// How quickly a master turns room into offers and launches, and whether more clients make it slower. Frameworks on the
// sdk and simulated agents, each with room for one task, around one real master. Prints one JSON object.
//
//   --clients N --agents M --tasks T        clients that run one task after another, each: revive, take an offer, launch,
//                                           suppress, hear of the end, revive ... `to_offer` and `to_launch` count from
//                                           the revive.
//   ... --every-offer                       clients that launch on whatever they are offered, and never suppress: with
//                                           fewer agents than clients they compete. `to_offer` and `to_launch` count
//                                           from the moment at which the agent says that it has room.

#include "bench/offers/simulated_agent.hpp"
#include "sdk/scheduler.hpp"
#include "sdk/task.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <unordered_map>
#include <vector>

namespace fairlead::bench {
namespace {

constexpr auto run_time_max = std::chrono::seconds(120);

struct Load {
    std::string master = "127.0.0.1:5050";
    unsigned clients = 1;
    unsigned agents = 16;
    unsigned tasks = 2000;
    bool every_offer = false;
};

// What all clients and agents of one measurement share. One thread.
struct Board {
    explicit Board(const Load& load) : load(load) {}

    const Load& load;
    unsigned subscribed = 0;
    unsigned launched = 0;
    unsigned ended = 0;
    Clock::time_point start;
    Clock::time_point end;
    Samples to_offer;
    Samples to_launch;
    std::unordered_map<std::string, Clock::time_point> room_since;   // by host
    std::unordered_map<std::string, Clock::time_point> asked_since;  // by task
    std::function<void()> all_subscribed;
    std::function<void(const std::string& why)> stop;  // empty: all is done
};

class Client : public sdk::SchedulerEvents {
  public:
    Client(async::Executor strand, Board& board, unsigned number)
        : board_(board),
          name_("client-" + std::to_string(number)),
          scheduler_(strand, {.masters = {board.load.master}, .framework = description()}, *this) {}

    async::awaitable<void> run() {
        const auto ended = co_await scheduler_.run();
        if (!ended) board_.stop(ended.error().message());
    }

    void subscribed(const v1::scheduler::Event::Subscribed&) override {
        if (++board_.subscribed == board_.load.clients) board_.all_subscribed();
    }

    void offers(const std::vector<v1::Offer>& offers) override {
        const auto now = Clock::now();
        // A task takes all of an agent, so an offer is a whole agent or nothing of use.
        std::vector<v1::OfferID> unwanted;
        for (const auto& offer : offers) {
            if (!wants_ || board_.launched == board_.load.tasks) {
                unwanted.push_back(offer.id());
                continue;
            }
            launch(offer, now);
        }
        // In this order: what is declined goes to the others and does not come straight back.
        if (!wants_) (void)scheduler_.suppress();
        if (!unwanted.empty()) (void)scheduler_.decline(unwanted, 0);
    }

    void update(const v1::TaskStatus& status) override {
        if (!sdk::is_terminal(status.state())) return;
        if (status.state() != v1::TASK_FINISHED) return board_.stop(status.message());
        if (++board_.ended == board_.load.tasks) {
            board_.end = Clock::now();
            return board_.stop("");
        }
        if (board_.load.every_offer) return;
        wants_ = true;
        asked_ = Clock::now();
        (void)scheduler_.revive();
    }

    void disconnected(const base::Error& error) override { board_.stop(error.message()); }
    void call_failed(const v1::scheduler::Call&, const base::Error& error) override {
        board_.stop(error.message());
    }

  private:
    void launch(const v1::Offer& offer, Clock::time_point now) {
        const std::string task = name_ + "-" + std::to_string(++tasks_);
        const auto since = board_.load.every_offer ? board_.room_since.at(offer.hostname()) : asked_;
        if (since != Clock::time_point()) {  // the first task of a client was never asked for
            board_.to_offer.add(now - since);
            board_.asked_since[task] = since;
        }
        ++board_.launched;
        wants_ = board_.load.every_offer;
        (void)scheduler_.launch(
            offer, {sdk::command_task(offer, task, task, sdk::program({"true"}), 1, 1024)}, 0);
    }

    v1::FrameworkInfo description() const {
        v1::FrameworkInfo framework;
        framework.set_name(name_);
        framework.set_user("root");
        framework.add_roles("*");
        framework.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
        return framework;
    }

    Board& board_;
    std::string name_;
    sdk::Scheduler scheduler_;
    bool wants_ = true;
    unsigned tasks_ = 0;
    Clock::time_point asked_;
};

int measure(const Load& load) {
    async::asio::io_context io(1);
    const auto master = http::parse_url(load.master, 5050);
    if (!master) {
        fmt::print(stderr, "fairlead-bench-offers: {}\n", master.error().message());
        return 1;
    }
    Board board(load);
    std::string failure = "not done within two minutes";
    board.stop = [&](const std::string& why) {
        failure = why;
        io.stop();
    };
    async::asio::steady_timer too_long(io, run_time_max);
    too_long.async_wait([&](boost::system::error_code) { io.stop(); });

    SimulatedAgent::Events events;
    events.has_room = [&](const std::string& host, Clock::time_point now) { board.room_since[host] = now; };
    events.launched = [&](const std::string&, const std::string& task, Clock::time_point now) {
        const auto asked = board.asked_since.find(task);
        if (asked == board.asked_since.end()) return;
        board.to_launch.add(now - asked->second);
        board.asked_since.erase(asked);
    };
    const auto ended_badly = [&](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const std::exception& thrown) {
            board.stop(thrown.what());
        }
    };
    std::vector<std::unique_ptr<SimulatedAgent>> agents;
    std::vector<std::unique_ptr<Client>> clients;
    board.all_subscribed = [&] {
        board.start = Clock::now();
        for (unsigned i = 0; i < load.agents; ++i) {
            agents.push_back(std::make_unique<SimulatedAgent>(*master, "agent-" + std::to_string(i), 1, events));
            async::asio::co_spawn(io, agents.back()->run(), ended_badly);
        }
    };
    for (unsigned i = 0; i < load.clients; ++i) {
        clients.push_back(std::make_unique<Client>(io.get_executor(), board, i));
        async::asio::co_spawn(io, clients.back()->run(), ended_badly);
    }
    io.run();
    if (!failure.empty()) {
        fmt::print(stderr, "fairlead-bench-offers: {}\n", failure);
        return 1;
    }
    fmt::print(R"({{"to_offer": {}, "to_launch": {}, "tasks_per_second": {:.1f}}})"
               "\n",
               board.to_offer.json(), board.to_launch.json(), per_second(load.tasks, board.end - board.start));
    return 0;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
    fairlead::bench::Load load;
    CLI::App app("Measures how a master turns room into offers and launches");
    app.add_option("--master", load.master, "host:port")->capture_default_str();
    app.add_option("--clients", load.clients, "Frameworks")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--agents", load.agents, "Simulated agents with room for one task")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--tasks", load.tasks, "In all")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_flag("--every-offer", load.every_offer, "Clients launch on whatever they are offered");
    CLI11_PARSE(app, argc, argv);
    return fairlead::bench::measure(load);
}
