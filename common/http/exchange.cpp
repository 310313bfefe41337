#include "common/http/exchange.hpp"

namespace fairlead::http {

void Exchange::answer(Answer answer) {
    std::shared_ptr<FramedWriter> unwanted;
    StreamEnd why = StreamEnd::aborted;
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(answered_, true) || abandoned_) {
            if (auto* stream = std::get_if<StreamAnswer>(&answer)) unwanted = stream->writer;
            if (abandoned_) why = abandoned_for_;
        } else {
            answer_ = std::move(answer);
        }
    }
    if (unwanted) {
        unwanted->abort(why);
    } else {
        wake_.ring();
    }
}

StreamWriter Exchange::open_stream(Headers headers, StreamWriter::EndHandler on_end) {
    auto writer = std::make_shared<FramedWriter>(strand_, stream_options_, std::move(on_end));
    StreamWriter handle(writer);
    answer(StreamAnswer{std::move(headers), std::move(writer)});
    return handle;
}

bool Exchange::answered() const {
    std::lock_guard lock(mutex_);
    return answered_;
}

async::awaitable<Answer> Exchange::wait() {
    for (;;) {
        {
            std::lock_guard lock(mutex_);
            if (!std::holds_alternative<std::monostate>(answer_)) {
                co_return std::exchange(answer_, std::monostate());
            }
        }
        co_await wake_.wait();
    }
}

void Exchange::abandon(StreamEnd why) {
    std::shared_ptr<FramedWriter> unwanted;
    {
        std::lock_guard lock(mutex_);
        abandoned_ = true;
        abandoned_for_ = why;
        if (auto* stream = std::get_if<StreamAnswer>(&answer_)) unwanted = stream->writer;
        answer_ = std::monostate();
    }
    if (unwanted) unwanted->abort(why);
}

Responder::Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

Responder& Responder::operator=(Responder&& other) noexcept {
    if (this != &other) {
        forget();
        exchange_ = std::move(other.exchange_);
    }
    return *this;
}

Responder::~Responder() {
    forget();
}

void Responder::forget() {
    if (exchange_ && !exchange_->answered()) {
        exchange_->answer(text_response(500, "the request was dropped without an answer\n"));
    }
    exchange_.reset();
}

void Responder::respond(Response response) {
    if (exchange_) exchange_->answer(std::move(response));
}

StreamWriter Responder::open_stream(Headers headers, StreamWriter::EndHandler on_end) {
    if (!exchange_) return {};
    return exchange_->open_stream(std::move(headers), std::move(on_end));
}

void Responder::upgrade(std::string protocol, Headers headers, UpgradeHandler on_upgraded) {
    if (!exchange_) return;
    exchange_->answer(
        UpgradeAnswer{std::move(protocol), std::move(headers), std::move(on_upgraded)});
}

bool Responder::answered() const {
    return exchange_ && exchange_->answered();
}

}  // namespace fairlead::http
