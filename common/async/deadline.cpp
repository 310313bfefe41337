#include "common/async/deadline.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace fairlead::async::detail {

awaitable<std::exception_ptr> race(awaitable<void> operation, base::Duration limit) {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(limit));
    auto [order, failure, timer_error] =
        co_await asio::experimental::make_parallel_group(
            asio::co_spawn(executor, std::move(operation), asio::deferred),
            timer.async_wait(asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    co_return failure;
}

bool is_aborted(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace fairlead::async::detail
