#include "common/async/task_group.hpp"

#include "common/async/deadline.hpp"
#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace fairlead::async {
namespace {

using namespace std::chrono_literals;

awaitable<void> forever() {
    co_await sleep_for(24h);
}
awaitable<void> failing() {
    throw std::runtime_error("no more paper");
    co_return;
}

TEST(TaskGroup, EndsEveryTaskWhenStopped) {
    asio::io_context context;
    std::vector<std::string> failed;
    TaskGroup group(context.get_executor(),
                    [&](std::string_view task, std::exception_ptr) { failed.emplace_back(task); });
    EXPECT_TRUE(group.spawn("one", forever()));
    EXPECT_TRUE(group.spawn("two", forever()));
    EXPECT_EQ(group.size(), 2u);
    run_coroutine(context, [&]() -> awaitable<void> {
        group.stop();
        co_await group.join();
    });
    EXPECT_EQ(group.size(), 0u);
    EXPECT_TRUE(failed.empty()) << "a cancelled task is no failure";
}

TEST(TaskGroup, ReportsAnExceptionUnderTheTasksName) {
    asio::io_context context;
    std::vector<std::string> failed;
    TaskGroup group(context.get_executor(), [&](std::string_view task, std::exception_ptr what) {
        failed.push_back(std::string(task) + ": " + describe(what));
    });
    group.spawn("printer", failing());
    run_coroutine(context, [&]() -> awaitable<void> { co_await group.join(); });
    EXPECT_EQ(failed, std::vector<std::string>{"printer: no more paper"});
}

TEST(TaskGroup, TakesNothingMoreAfterStop) {
    asio::io_context context;
    TaskGroup group(context.get_executor(), nullptr);
    group.stop();
    EXPECT_FALSE(group.spawn("late", forever()));
    EXPECT_EQ(group.size(), 0u);
}

}  // namespace
}  // namespace fairlead::async
