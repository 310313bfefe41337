#pragma once
// Whoever made an operator's call that the core answers with one reply, and how it is handed to the core.

#include "common/http/responder.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

inline constexpr const char* too_busy = "The master has more to do than it can queue; try again";

class OperatorCaller : public driver::Caller {
  public:
    explicit OperatorCaller(http::Responder responder) : responder_(std::move(responder)) {}
    void reply(unsigned status, std::string body) override {
        responder_.respond(http::text_response(static_cast<int>(status), std::move(body)));
    }
    void open_stream(core::RequestId, const std::string&) override {}
    void send(std::shared_ptr<const v1::scheduler::Event>) override {}
    void close_stream() override {}

  private:
    http::Responder responder_;
};

// The answer is 400 with the reason where what was asked for could not be read.
inline void order_roles(driver::Driver& driver, base::Result<core::RolesOrdered> ordered, http::Responder responder) {
    auto caller = std::make_shared<OperatorCaller>(std::move(responder));
    if (!ordered) return caller->reply(400, ordered.error().message());
    if (!driver.order_roles(std::move(*ordered), caller)) caller->reply(503, too_busy);
}

inline void order_reservation(driver::Driver& driver, base::Result<core::ReservationOrdered> ordered,
                              http::Responder responder) {
    auto caller = std::make_shared<OperatorCaller>(std::move(responder));
    if (!ordered) return caller->reply(400, ordered.error().message());
    if (!driver.order_reservation(std::move(*ordered), caller)) caller->reply(503, too_busy);
}

}  // namespace fairlead::masterd::api
