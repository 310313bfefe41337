#pragma once
// Deadlines for coroutines: with_deadline runs an operation and cancels it when the time is over;
// sleep_for waits. The operation must end when Asio cancels it (socket, timer and resolver
// operations do; a coroutine that swallows every error in a loop does not), because with_deadline
// returns only after the operation has ended.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace fairlead::async {

namespace detail {

template <typename T>
struct DeadlineOutcome {
    using type = base::Result<T>;
};
template <typename T>
struct DeadlineOutcome<base::Result<T>> {
    using type = base::Result<T>;
};

template <typename T>
awaitable<void> keep_value(awaitable<T> operation, std::shared_ptr<std::optional<T>> kept) {
    kept->emplace(co_await std::move(operation));
}

// Runs `operation` beside a timer; gives what the operation threw, if anything, after both have
// ended.
awaitable<std::exception_ptr> race(awaitable<void> operation, base::Duration limit);

bool is_aborted(const std::exception_ptr& failure);

}  // namespace detail

// The operation's own outcome (a Result stays one Result), or timed_out naming `what`. An operation
// that had its value ready just as the time ended still wins. Exceptions other than the
// cancellation pass through.
template <typename T>
awaitable<typename detail::DeadlineOutcome<T>::type> with_deadline(base::Duration limit,
                                                                   std::string what,
                                                                   awaitable<T> operation) {
    using Outcome = typename detail::DeadlineOutcome<T>::type;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::exception_ptr failure;
    if constexpr (std::is_void_v<T>) {
        failure = co_await detail::race(std::move(operation), limit);
        if (!failure) co_return Outcome();
    } else {
        auto kept = std::make_shared<std::optional<T>>();
        failure = co_await detail::race(detail::keep_value(std::move(operation), kept), limit);
        if (kept->has_value()) co_return Outcome(std::move(**kept));
    }
    if (std::chrono::steady_clock::now() < deadline) std::rethrow_exception(failure);
    if (!detail::is_aborted(failure)) std::rethrow_exception(failure);
    co_return Outcome(
        base::Error(base::ErrorCode::timed_out, what + ": no end within the deadline"));
}

// Ends early, by exception, when the coroutine is cancelled.
inline awaitable<void> sleep_for(base::Duration time) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(time));
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace fairlead::async
