#include "common/http/router.hpp"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

Router master_router() {
    Router router;
    router.add_optional_prefix("/master");
    for (const auto* route : {"/", "/api/v1", "/api/v1/scheduler", "/slaves", "/state"}) {
        router.add(route, Handler([](Request, Responder) -> async::awaitable<void> { co_return; }));
    }
    return router;
}

TEST(Router, LongestKnownPrefixWins) {
    const auto router = master_router();
    EXPECT_EQ(router.find("/api/v1/scheduler").route, "/api/v1/scheduler");
    EXPECT_EQ(router.find("/api/v1/operator").route, "/api/v1");
    EXPECT_EQ(router.find("/api/v1/operator").rest, "/operator");
    EXPECT_EQ(router.find("/slaves/a/b").rest, "/a/b");
}

TEST(Router, PrefixAndTrailingSlashAreOptional) {
    const auto router = master_router();
    for (const auto* path : {"/state", "/state/", "/master/state", "/master/state//"}) {
        EXPECT_EQ(router.find(path).route, "/state") << path;
        EXPECT_EQ(router.find(path).rest, "") << path;
    }
    EXPECT_EQ(router.find("/master").route, "/");
}

TEST(Router, MatchesWholeSegmentsOnly) {
    const auto router = master_router();
    for (const auto* path : {"/states", "/api", "/api/v11", "/masterstate", "/nothing", "*"}) {
        EXPECT_EQ(router.find(path).handler, nullptr) << path;
    }
}

}  // namespace
}  // namespace fairlead::http
