#pragma once
// The C client's side of a Session: its handle, the operations and watches that it holds pointers to, and the thread
// that opens and closes it. What the C client points to lives until zookeeper_close() has returned; the thread keeps
// the Connection for that long, so a Session may go at any moment.

#include "common/async/promise.hpp"
#include "common/zookeeper/session.hpp"

#include <zookeeper/zookeeper.h>

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace fairlead::zookeeper {

// What an operation was answered with; which parts it has depends on the operation. Valid during the call only.
struct Answer {
    int code;  // ZOK or the C client's error
    std::string_view value = {};
    const struct ::Stat* stat = nullptr;
    const struct ::String_vector* names = nullptr;
};

class Session::Connection : public std::enable_shared_from_this<Connection> {
  public:
    struct Watching;
    struct Pending;
    using Finish = std::function<void(const Answer&)>;  // must be quick: it is called under our lock
    // Hands the operation to the C client and gives its code; both pointers go back to it as they are.
    using Start = std::function<int(zhandle_t*, const void* pending, void* watching)>;

    Connection(async::Executor executor, SessionOptions options, EventSink on_event);

    ~Connection();

    void start();
    // Nobody is told of anything any more, and nothing is kept that belongs to the executor's context or to whoever is
    // told: the rest happens in the background, maybe after their end.
    void abandon();
    // As abandon(), but tells `closed` when it is done.
    void close(async::Promise<base::Status> closed);

    // `finish` is called exactly once, if this gives success, with the answer or with the code of what prevented one.
    // `kept` is what the C client will write the answer to.
    base::Status send(Start start, Finish finish, Watch watch, bool watches_what_is_missing,
                      std::shared_ptr<const void> kept = {});

    SessionState state() const;
    std::optional<base::Instant> alive_at() const;

    // The functions that the C client calls.
    static void on_session(zhandle_t* handle, int type, int state, const char* path, void* connection);
    static void on_watch(zhandle_t* handle, int type, int state, const char* path, void* watching);
    static void on_void(int code, const void* pending);
    static void on_string(int code, const char* value, const void* pending);
    static void on_stat(int code, const struct ::Stat* stat, const void* pending);
    static void on_data(int code, const char* value, int length, const struct ::Stat* stat, const void* pending);
    static void on_names(int code, const struct ::String_vector* names, const struct ::Stat* stat, const void* pending);

  private:
    void work();
    void stop_telling();
    void session_changed(zhandle_t* handle, int state);
    void authenticate(zhandle_t* handle);
    void tell(SessionEvent event);
    void answered(const Pending& pending, const Answer& answer);

    const SessionOptions options_;

    mutable std::mutex mutex_;
    async::Executor executor_;
    std::shared_ptr<const EventSink> on_event_;  // none: abandoned
    std::condition_variable closing_changed_;
    zhandle_t* handle_ = nullptr;  // while operations may use it
    SessionState state_ = SessionState::connecting;
    bool authenticated_ = false;
    bool closing_ = false;
    std::vector<async::Promise<base::Status>> closed_;
    std::optional<base::Instant> alive_at_;
    std::unordered_map<const void*, std::unique_ptr<Pending>> pending_;
    std::unordered_map<const void*, std::unique_ptr<Watching>> watching_;
};

}  // namespace fairlead::zookeeper
