#pragma once
// The ledger of a framework and the book that follows from it, as ledger.py has them and tells them: each record is
// written to the end of the file before anything else happens, and whoever opens the file goes on from there.

#include <boost/json.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace chaos {

enum class Kind { plain, failing, killed };

Kind kind_of(int item);
std::string script_of(int item);

struct Task {
    int item = 0;
    std::string agent;
    // The launch that it came with may still be under way.
    bool fresh = true;
    std::optional<std::chrono::steady_clock::time_point> unknown_since = {};
};

class Ledger {
  public:
    explicit Ledger(std::string path);
    // Anew, with what other processes have written meanwhile.
    void read();
    void write(boost::json::object record);

    const std::map<std::string, Task>& open_tasks() const { return tasks_; }
    Task* find(const std::string& task);
    // None: nothing is left to do.
    std::optional<int> item_to_do(bool draining) const;
    bool is_done() const { return tasks_.empty() && to_do_.empty(); }
    int starts() const { return starts_; }

  private:
    void take(const boost::json::object& record);
    void close(const std::string& task, bool done);

    std::string path_;
    int file_;
    std::map<std::string, Task> tasks_;
    std::set<int> to_do_;
    int next_item_ = 0;
    int starts_ = 0;
};

}  // namespace chaos
