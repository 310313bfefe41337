#pragma once
// Our words for Asio: what coroutine code of every folder includes. Coroutines run on a strand (or
// on a context with a single thread); nothing here makes state safe to share between strands.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace fairlead::async {

namespace asio = boost::asio;

using asio::awaitable;
using Executor = asio::any_io_executor;

// A completion token: the operation's error goes to `error` instead of being thrown.
inline auto into(boost::system::error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

}  // namespace fairlead::async
