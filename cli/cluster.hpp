#pragma once
// What fairctl asks of a cluster: documents of the master and output files of agents. One strand
// (the program has a single thread). Failures are Errors that name what was tried.

#include "cli/master_choice.hpp"
#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/http/client.hpp"

#include <boost/json.hpp>

#include <string>

namespace fairlead::cli {

// Exit statuses, documented in fairctl(1).
enum ExitStatus : int {
    success = 0,
    task_failed = 1,
    usage = 2,
    unreachable = 3,
    not_found = 4,
    refused = 5
};
int exit_status_of(const base::Error& error);

class Cluster {
  public:
    Cluster(async::Executor strand, MasterChoice masters)
        : strand_(std::move(strand)), masters_(std::move(masters)) {}

    async::awaitable<base::Result<boost::json::value>> get(std::string target);
    // The operator API: POST /api/v1 with a JSON call. Gives the answer's body.
    async::awaitable<base::Result<std::string>> operate(std::string call);

    const MasterChoice& masters() const { return masters_; }
    async::Executor strand() const { return strand_; }

  private:
    async::awaitable<base::Result<http::Response>> ask(http::ClientRequest request);

    async::Executor strand_;
    MasterChoice masters_;
};

// A task's output on its agent, read piece by piece.
class OutputFile {
  public:
    // `agent` is "ip:port"; `name` is stdout or stderr.
    static base::Result<OutputFile> open(async::Executor strand, const std::string& agent,
                                         const std::string& framework_id,
                                         const std::string& task_id, const std::string& name);
    // What follows after what was read so far; empty when nothing has been added.
    async::awaitable<base::Result<std::string>> next();

  private:
    OutputFile(http::Client agent, std::string path)
        : agent_(std::move(agent)), path_(std::move(path)) {}
    http::Client agent_;
    std::string path_;
    std::uint64_t offset_ = 0;
};

}  // namespace fairlead::cli
