#include "masterd/api/scheduler_api.hpp"

#include "common/wire/media.hpp"
#include "common/wire/recordio.hpp"

namespace fairlead::masterd::api {
namespace {

using v1::scheduler::Call;

core::ConnectionEnd named(http::StreamEnd end) {
    using Kind = core::ConnectionEnd::Kind;
    return {end == http::StreamEnd::too_slow ? Kind::too_slow : Kind::lost, std::string(http::to_string(end))};
}

// One scheduler's request, and its event stream if it becomes one. Everything happens in order on a strand of its own, so
// that the owner never waits for an encoder.
class SchedulerCaller : public driver::Caller, public std::enable_shared_from_this<SchedulerCaller> {
  public:
    SchedulerCaller(driver::Driver& driver, async::Executor streams, http::Responder responder,
                    wire::ContentType type)
        : driver_(driver), strand_(async::asio::make_strand(streams)), responder_(std::move(responder)), type_(type) {}

    void reply(unsigned status, std::string body) override {
        responder_.respond(http::text_response(static_cast<int>(status), std::move(body)));
    }

    void open_stream(core::RequestId stream, const std::string& stream_id) override {
        http::Headers headers{{"Content-Type", std::string(wire::media_type(type_))},
                              {"Mesos-Stream-Id", stream_id}};
        // The end is told from the connection's strand; the driver outlives every connection.
        writer_ = responder_.open_stream(std::move(headers), [&driver = driver_, stream](http::StreamEnd end) {
            driver.stream_closed(stream, named(end));
        });
    }

    void send(std::shared_ptr<const v1::scheduler::Event> event) override {
        async::asio::post(strand_, [self = shared_from_this(), event = std::move(event)] {
            self->writer_.post(wire::encode_record(wire::serialize(self->type_, *event)));
        });
    }

    void close_stream() override {
        async::asio::post(strand_, [self = shared_from_this()] { self->writer_.close(); });
    }

  private:
    driver::Driver& driver_;
    async::Executor strand_;
    http::Responder responder_;
    wire::ContentType type_;
    http::StreamWriter writer_;
};

async::awaitable<void> serve(driver::Driver& driver, async::Executor streams, http::Request request,
                             http::Responder responder) {
    const auto refuse = [&](int status, std::string why) {
        responder.respond(http::text_response(status, std::move(why)));
    };
    if (!driver.leading()) co_return refuse(503, "Master has not finished recovery");
    if (request.method != "POST") {
        auto response = http::text_response(405, "Expecting 'POST', received '" + request.method + "'");
        response.headers.set("Allow", "POST");
        responder.respond(std::move(response));
        co_return;
    }
    const auto content_type = request.headers.get("Content-Type");
    if (!content_type) co_return refuse(400, "Expecting 'Content-Type' to be present");
    const auto type = wire::content_type_of(*content_type);
    if (!type) co_return refuse(415, "Expecting 'Content-Type' of application/json or application/x-protobuf");

    auto call = std::make_shared<Call>();
    if (auto parsed = wire::parse(*type, request.body, *call); !parsed)
        co_return refuse(400, "Failed to parse body into a scheduler call: " + parsed.error().message());

    const auto stream_type = wire::accepted_type(request.headers.joined("Accept"));
    core::CallArrived arrived{.request = {}, .call = std::move(call), .events_acceptable = stream_type.has_value()};
    if (const auto header = request.headers.get("Mesos-Stream-Id")) arrived.stream_id = std::string(*header);
    auto caller = std::make_shared<SchedulerCaller>(driver, streams, std::move(responder),
                                                    stream_type.value_or(wire::ContentType::json));
    if (!driver.call(std::move(arrived), caller))
        caller->reply(503, "The master has more to do than it can queue; try again");
}

}  // namespace

http::Handler scheduler_api(driver::Driver& driver, async::Executor streams) {
    return [&driver, streams](http::Request request, http::Responder responder) {
        return serve(driver, streams, std::move(request), std::move(responder));
    };
}

}  // namespace fairlead::masterd::api
