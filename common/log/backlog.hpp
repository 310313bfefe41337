#pragma once
// Lines on their way to the journal. Whoever writes one only puts it into a queue; a thread of the queue's own hands
// them on in their order. The journal takes lines as fast as its disk goes, and none while it is stopped: who waited
// for it would stop with it. A line that finds the queue full is lost, and counted: another line says so in the place
// where they are missing, as soon as lines get through again.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::log {

class Backlog {
  public:
    using Line = std::vector<std::string>;  // "NAME=value"
    struct Limits {
        std::size_t lines_max = 10'000;
        std::size_t bytes_max = 8 * 1024 * 1024;
    };
    // Called on the thread, one line after the other; may block for as long as it likes.
    using Sink = std::function<void(Line)>;
    // The line that stands for so many that were lost.
    using Lost = std::function<Line(std::size_t)>;

    Backlog(Sink sink, Lost lost, Limits limits);
    // What is left in the queue is dropped, and the thread ends when its sink lets it go.
    ~Backlog();
    Backlog(const Backlog&) = delete;
    Backlog& operator=(const Backlog&) = delete;

    // Any thread; never waits. A child that was forked has no thread, and hands its lines on itself.
    void put(Line line);
    // Until all that was put has been handed on. False: not within the limit.
    bool flush(std::chrono::milliseconds limit) const;

  private:
    struct State;
    const std::shared_ptr<State> state_;
};

}  // namespace fairlead::log
