#include "masterd/api/operator_api.hpp"

#include "common/wire/media.hpp"
#include "fairlead/v1/master.pb.h"
#include "masterd/api/views.hpp"

namespace fairlead::masterd::api {
namespace {

// An operator's call that the core answers with one reply.
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

void answer(http::Responder& responder, wire::ContentType type, const v1::master::Response& response) {
    http::Response out;
    out.headers.set("Content-Type", wire::media_type(type));
    out.body = wire::serialize(type, response);
    responder.respond(std::move(out));
}

async::awaitable<void> serve_operator(driver::Driver& driver, http::Request request, http::Responder responder) {
    const auto refuse = [&](int status, std::string why) {
        responder.respond(http::text_response(status, std::move(why)));
    };
    if (request.method != "POST") {
        auto response = http::text_response(405, "Expecting 'POST', received '" + request.method + "'");
        response.headers.set("Allow", "POST");
        co_return responder.respond(std::move(response));
    }
    const auto header = request.headers.get("Content-Type");
    if (!header) co_return refuse(400, "Expecting 'Content-Type' to be present");
    const auto type = wire::content_type_of(*header);
    if (!type) co_return refuse(415, "Expecting 'Content-Type' of application/json or application/x-protobuf");
    v1::master::Call call;
    if (auto parsed = wire::parse(*type, request.body, call); !parsed)
        co_return refuse(400, "Failed to parse body into a master call: " + parsed.error().message());
    const auto accepted = wire::accepted_type(request.headers.joined("Accept"));
    if (!accepted) co_return refuse(406, "Expecting 'Accept' to allow application/json or application/x-protobuf");

    v1::master::Response response;
    switch (call.type()) {
        case v1::master::Call::GET_HEALTH:
            response.set_type(v1::master::Response::GET_HEALTH);
            response.mutable_get_health()->set_healthy(true);
            co_return answer(responder, *accepted, response);
        case v1::master::Call::GET_VERSION:
            response.set_type(v1::master::Response::GET_VERSION);
            response.mutable_get_version()->mutable_version_info()->set_version(ViewContext{}.version);
            co_return answer(responder, *accepted, response);
        case v1::master::Call::KILL_TASK: {
            if (!call.has_kill_task()) co_return refuse(400, "Expecting 'kill_task' to be present");
            auto caller = std::make_shared<OperatorCaller>(std::move(responder));
            if (!driver.kill_task(base::FrameworkId(call.kill_task().framework_id().value()),
                                  base::TaskId(call.kill_task().task_id().value()), caller))
                caller->reply(503, "The master has more to do than it can queue; try again");
            co_return;
        }
        default: co_return refuse(501, "This call is not served by this master");
    }
}

}  // namespace

http::Handler operator_api(driver::Driver& driver) {
    return [&driver](http::Request request, http::Responder responder) {
        return serve_operator(driver, std::move(request), std::move(responder));
    };
}

}  // namespace fairlead::masterd::api
