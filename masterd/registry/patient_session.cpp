#include "masterd/registry/patient_session.hpp"

#include "common/async/deadline.hpp"

namespace fairlead::masterd::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using zookeeper::Session;
using zookeeper::SessionState;

constexpr std::chrono::milliseconds look_again{20};

}  // namespace

PatientSession::PatientSession(async::Executor executor, Options options)
    : executor_(std::move(executor)), options_(std::move(options)) {}

std::shared_ptr<Session> PatientSession::at_hand() {
    const std::lock_guard lock(mutex_);
    const bool is_over = session_ && (session_->state() == SessionState::expired || session_->state() == SessionState::closed);
    if (!session_ || is_over)
        session_ = std::make_shared<Session>(executor_, options_.session, [](const zookeeper::SessionEvent&) {});
    return session_;
}

async::awaitable<Result<std::shared_ptr<Session>>> PatientSession::connected() {
    const auto end = std::chrono::steady_clock::now() + options_.patience;
    for (;;) {
        const auto session = at_hand();
        const SessionState state = session->state();
        if (state == SessionState::connected) co_return session;
        if (state == SessionState::auth_failed)
            co_return Error(ErrorCode::permission_denied, "ZooKeeper refuses our credentials");
        if (std::chrono::steady_clock::now() >= end)
            co_return Error(ErrorCode::unavailable, "no ZooKeeper server of " + options_.session.servers + " answers");
        co_await async::sleep_for(look_again);
    }
}

// A connection may be lost as often as it likes: a read can be repeated.
async::awaitable<Result<zookeeper::Node>> PatientSession::get(std::string path) {
    const auto end = std::chrono::steady_clock::now() + options_.patience;
    for (;;) {
        const auto session = co_await connected();
        if (!session) co_return session.error();
        auto node = co_await (*session)->get(path);
        const bool may_pass = !node && (node.error().code() == ErrorCode::unavailable || node.error().code() == ErrorCode::cancelled);
        if (!may_pass || std::chrono::steady_clock::now() >= end) co_return node;
        co_await async::sleep_for(look_again);
    }
}

}  // namespace fairlead::masterd::registry
