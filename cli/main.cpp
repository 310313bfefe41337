// fairctl: the operator's and the user's command. This file knows the command line; what a command
// does is in views, task_commands, agent_commands, role_commands, reservation_commands and run.

#include "cli/agent_commands.hpp"
#include "cli/cluster.hpp"
#include "cli/reservation_commands.hpp"
#include "cli/role_commands.hpp"
#include "cli/run.hpp"
#include "cli/table.hpp"
#include "cli/views.hpp"
#include "common/config/config.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <exception>
#include <functional>

namespace fairlead::cli {

namespace {

using Command = std::function<async::awaitable<int>(Cluster)>;

const char* const words_at_end =
    "The master is --master, else FAIRLEAD_MASTER, else Master= of client.conf(5), else\n"
    "http://localhost:5050. Several are separated by commas and tried in turn.\n\n"
    "Exit status: 0 done; 1 the command could not be done for a reason of its own; 2 wrong usage;\n"
    "3 no master or agent could be reached; 4 no such task; 5 refused. `run` gives the task's own\n"
    "status, 128+n when signal n ended it, 124 when its time was up, 130 after an interrupt.";

int run(async::asio::io_context& context, Cluster cluster, const Command& command) {
    int status = 1;
    std::exception_ptr failure;
    async::asio::co_spawn(context, command(std::move(cluster)), [&](std::exception_ptr e, int s) {
        failure = e;
        status = s;
        context.stop();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return status;
}

// CLI11 only says that a word is not expected; say which command was meant.
int usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(command->get_name());
    if (app.get_subcommands().empty())
        for (int i = 1; i < argc; ++i) {
            const std::string word = argv[i];
            if (word.starts_with("-")) {
                if (word == "--master" || word == "-m" || word == "-o" || word == "--output" ||
                    word == "--config")
                    ++i;
                continue;
            }
            const auto near = nearest(word, names, 1);
            fmt::print(
                stderr, "fairctl: no command {}{}\n", word,
                near.empty() ? "; see fairctl --help" : "; did you mean " + near.front() + "?");
            return usage;
        }
    const auto* at = app.get_subcommands().empty() ? nullptr : app.get_subcommands().front();
    fmt::print(stderr, "fairctl{}: {}\nSee fairctl {}--help.\n",
               at != nullptr ? " " + at->get_name() : "", error.what(),
               at != nullptr ? at->get_name() + " " : "");
    return usage;
}

void add_run(CLI::App& app, RunOptions& options) {
    options.command.clear();
    app.add_option("--cpus", options.cpus, "CPUs for each instance")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--mem", options.mem_mb, "Memory for each instance, in MB")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--instances,-n", options.instances, "How many of it")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    app.add_option("--name", options.name,
                   "Name and id of the task; default: program and process id");
    app.add_option("--role", options.role, "Role that asks for the resources")
        ->capture_default_str();
    app.add_option("--user", options.user, "Account on the agents that the command runs as");
    app.add_option("--env", options.environment, "Environment variable, K=V; may be repeated")
        ->take_all()
        ->allow_extra_args(false)
        ->check([](const std::string& text) {
            return text.find('=') == std::string::npos || text[0] == '='
                       ? "'" + text + "' is not K=V"
                       : std::string();
        });
    app.add_option_function<std::string>(
           "--timeout",
           [&options](const std::string& text) {
               options.timeout = config::parse_duration(text);
               if (!options.timeout || *options.timeout <= base::Duration::zero())
                   throw CLI::ValidationError("--timeout",
                                              "'" + text + "' is not a time such as 90s or 5min");
           },
           "End what still runs after this time, such as 90s or 5min")
        ->type_name("TIME");
    app.add_option("command", options.command, "The command after --, with its arguments")
        ->required();
    app.positionals_at_end();
}

// The commands about who gets how much.
class RoleCommandLine {
  public:
    explicit RoleCommandLine(CLI::App& app)
        : roles_(*app.add_subcommand("roles", "Who may have how much, and has it")),
          weights_(*app.add_subcommand("weights", "How heavy roles weigh, or: set ROLE=WEIGHT...")),
          quota_(*app.add_subcommand("quota", "Guarantees and limits, or: set ROLE, remove ROLE")),
          offers_(*app.add_subcommand("offers", "The offers that frameworks have not answered yet")),
          why_(*app.add_subcommand("why", "Why a framework gets no offer right now")) {
        weights_.require_subcommand(0, 1);
        set_weights_ = weights_.add_subcommand("set", "Set weights, all of them or none; 1 is what every role has");
        set_weights_->add_option("weights", weight_words_, "ROLE=WEIGHT")->required();
        quota_.require_subcommand(0, 1);
        set_quota_ = quota_.add_subcommand("set", "Set guarantee or limit of a role, or both");
        set_quota_->add_option("role", order_.role, "The role")->required();
        set_quota_->add_option("--guarantee", order_.guarantee, "Such as cpus:4;mem:512, or none")
            ->type_name("AMOUNTS");
        set_quota_->add_option("--limit", order_.limit, "Such as cpus:8;gpus:0, or none")
            ->type_name("AMOUNTS");
        set_quota_->add_flag("--force", order_.force,
                             "Also a limit below what is used, or guarantees that the cluster cannot meet");
        remove_quota_ = quota_.add_subcommand("remove", "Take guarantee and limit from a role");
        remove_quota_->add_option("role", order_.role, "The role")->required();
        why_.add_option("framework", framework_, "Id of the framework, or its name")->required();
    }

    // What could be read and is still not meant.
    std::string complaint() const {
        return set_quota_->parsed() && order_.guarantee.empty() && order_.limit.empty()
                   ? "quota set: --guarantee or --limit is needed"
                   : "";
    }
    // None: another command is meant.
    std::optional<async::awaitable<int>> run(Cluster cluster, Output output) const {
        if (roles_.parsed()) return show_roles(cluster, output);
        if (set_weights_->parsed()) return set_weights(cluster, weight_words_);
        if (weights_.parsed()) return show_weights(cluster, output);
        if (set_quota_->parsed()) return set_quota(cluster, order_);
        if (remove_quota_->parsed()) return remove_quota(cluster, order_.role);
        if (quota_.parsed()) return show_quota(cluster, output);
        if (offers_.parsed()) return show_offers(cluster, output);
        if (why_.parsed()) return show_why(cluster, output, framework_);
        return std::nullopt;
    }

  private:
    CLI::App &roles_, &weights_, &quota_, &offers_, &why_;
    CLI::App *set_weights_ = nullptr, *set_quota_ = nullptr, *remove_quota_ = nullptr;
    std::vector<std::string> weight_words_;
    QuotaOrder order_;
    std::string framework_;
};

// The hosts, and what an operator knows of one.
class AgentCommandLine {
  public:
    explicit AgentCommandLine(CLI::App& app)
        : agents_(*app.add_subcommand("agents", "The hosts, and how much of each is used, or: gone ID")) {
        agents_.require_subcommand(0, 1);
        gone_ = agents_.add_subcommand("gone", "Say that a host will never be back: its tasks are over");
        gone_->add_option("agent", agent_, "Id of the agent")->required();
    }

    // None: another command is meant.
    std::optional<async::awaitable<int>> run(Cluster cluster, Output output) const {
        if (gone_->parsed()) return mark_agent_gone(cluster, agent_);
        if (agents_.parsed()) return show_agents(cluster, output);
        return std::nullopt;
    }

  private:
    CLI::App& agents_;
    CLI::App* gone_ = nullptr;
    std::string agent_;
};

// What is reserved where.
class ReservationCommandLine {
  public:
    explicit ReservationCommandLine(CLI::App& app)
        : reserve_(*app.add_subcommand("reserve", "What is reserved where, or: AGENT AMOUNTS --role ROLE")),
          unreserve_(*app.add_subcommand("unreserve", "Give back what is reserved: AGENT [AMOUNTS] --role ROLE")) {
        for (CLI::App* command : {&reserve_, &unreserve_}) {
            command->add_option("agent", order_.agent, "Id of the agent, or its host name");
            command->add_option("amounts", order_.amounts, "Such as cpus:2;mem:512");
            command->add_option("--role", order_.whom.role, "The role");
            command->add_option("--label", order_.whom.labels, "K=V or K; may be repeated")
                ->take_all()
                ->allow_extra_args(false);
        }
        unreserve_.get_option("agent")->required();
        unreserve_.get_option("--role")->required();
    }

    std::string complaint() const {
        const auto& [agent, amounts, whom] = order_;
        const bool asks = agent.empty() && whom.role.empty() && whom.labels.empty();
        const bool orders = !agent.empty() && !amounts.empty() && !whom.role.empty();
        return reserve_.parsed() && !asks && !orders
                   ? "reserve: an agent, amounts and --role are needed, or nothing at all"
                   : "";
    }
    // None: another command is meant.
    std::optional<async::awaitable<int>> run(Cluster cluster, Output output) const {
        if (unreserve_.parsed()) return unreserve(cluster, order_);
        if (!reserve_.parsed()) return std::nullopt;
        return order_.agent.empty() ? show_reservations(cluster, output) : reserve(cluster, order_);
    }

  private:
    CLI::App &reserve_, &unreserve_;
    ReservationOrder order_;
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows and uses a Fairlead cluster.", "fairctl");
    app.require_subcommand(1);
    app.footer(words_at_end);
    app.fallthrough();
    app.get_formatter()->column_width(34);
    std::string master, format = "table", config;
    app.add_option("-m,--master", master, "Master to ask: host, host:port or URL");
    app.add_option("-o,--output", format, "table for people, json for programs")
        ->check(CLI::IsMember({"table", "json"}));
    app.add_option("--config", config, "Read this file in place of client.conf and its drop-ins");

    bool all = false;
    std::string task, framework;
    LogChoice log;
    RunOptions run_options;
    auto* status = app.add_subcommand("status", "The cluster in six lines");
    const AgentCommandLine about_agents(app);
    auto* frameworks = app.add_subcommand("frameworks", "Who is subscribed, and what they hold");
    frameworks->add_flag("-a,--all", all, "Also those that have ended");
    auto* tasks = app.add_subcommand("tasks", "What runs where");
    tasks->add_flag("-a,--all", all, "Also those that have ended");
    auto* run_app = app.add_subcommand("run", "Run a command in the cluster, with its output here");
    add_run(*run_app, run_options);
    auto* kill = app.add_subcommand("kill", "End one task");
    kill->add_option("task", task, "Id of the task")->required();
    kill->add_option("--framework", framework,
                     "Id of its framework, when several have such a task");
    auto* logs = app.add_subcommand("logs", "What a task printed");
    logs->add_option("task", log.task, "Id of the task")->required();
    logs->add_option("--framework", log.framework,
                     "Id of its framework, when several have such a task");
    logs->add_flag("-f,--follow", log.follow, "Go on until the task ends");
    logs->add_flag("--stderr", log.from_stderr,
                   "Its standard error instead of its standard output");
    const RoleCommandLine about_roles(app);
    const ReservationCommandLine about_reservations(app);
    auto* version = app.add_subcommand("version", "Versions of this command and of the master");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return usage_error(app, error, argc, argv);
    }

    for (const auto& complaint : {about_roles.complaint(), about_reservations.complaint()}) {
        if (complaint.empty()) continue;
        fmt::print(stderr, "fairctl {}\n", complaint);
        return usage;
    }
    auto choice = choose_master(master, {.file = config});
    if (!choice) return complain(choice.error());
    const auto output = format == "json" ? Output::json : Output::table;
    const auto scope = all ? Scope::everything : Scope::running;
    async::asio::io_context context(1);
    const Command command = [&](Cluster cluster) -> async::awaitable<int> {
        if (status->parsed()) return show_status(cluster, output);
        if (frameworks->parsed()) return show_frameworks(cluster, output, scope);
        if (tasks->parsed()) return show_tasks(cluster, output, scope);
        if (run_app->parsed()) return run_command(cluster, run_options);
        if (kill->parsed()) return kill_task(cluster, task, framework);
        if (logs->parsed()) return show_log(cluster, log);
        if (auto command = about_agents.run(cluster, output)) return std::move(*command);
        if (auto command = about_roles.run(cluster, output)) return std::move(*command);
        if (auto command = about_reservations.run(cluster, output)) return std::move(*command);
        (void)version;
        return show_version(cluster, output);
    };
    return run(context, Cluster(context.get_executor(), *choice), command);
}

}  // namespace fairlead::cli

int main(int argc, char** argv) {
    try {
        return fairlead::cli::main(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fairctl: {}\n", error.what());
        return 1;
    }
}
