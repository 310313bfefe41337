#pragma once
// Runs one coroutine to its end on a context of its own and passes on what it threw. A test that
// hangs is ended by ctest's timeout.

#include "common/async/asio.hpp"

#include <exception>

namespace fairlead::async {

template <typename Body>
void run_coroutine(asio::io_context& context, Body body) {
    std::exception_ptr failure;
    asio::co_spawn(context, body(), [&](std::exception_ptr thrown) {
        failure = thrown;
        context.stop();
    });
    context.run();
    context.restart();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace fairlead::async
