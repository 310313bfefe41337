#include "common/base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace fairlead::base {

TEST(Error, MessageReadsFromTheOutermostContextToTheInnermost) {
    const Error inner(ErrorCode::timed_out, "no reply in 25 s");
    const Error outer = inner.in("cannot start scope x");
    EXPECT_EQ(outer.message(), "cannot start scope x: no reply in 25 s");
    EXPECT_EQ(outer.code(), ErrorCode::timed_out);
}

TEST(Error, CausedMayChangeTheCode) {
    const Error inner(ErrorCode::timed_out, "no reply");
    const Error outer = inner.caused(ErrorCode::outcome_unknown, "launch");
    EXPECT_EQ(outer.code(), ErrorCode::outcome_unknown);
    ASSERT_NE(outer.cause(), nullptr);
    EXPECT_EQ(outer.cause()->code(), ErrorCode::timed_out);
}

TEST(Error, ErrnoTextIsPartOfTheMessage) {
    EXPECT_EQ(errno_error("open /x", ENOENT).message(), "open /x: No such file or directory");
}

TEST(Result, AskingAFailedResultForItsValueIsABug) {
    const Result<int> failed = Error(ErrorCode::not_found, "nothing here");
    EXPECT_THROW((void)failed.value(), std::logic_error);
}

}  // namespace fairlead::base
