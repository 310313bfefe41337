#include "common/http/link_stream.hpp"

#include "common/http/framed_writer.hpp"

#include <array>
#include <optional>

namespace fairlead::http {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::size_t kept_buffer_bytes_max = 1024;  // of an idle link
constexpr int reads_in_a_row_max = 16;               // then other connections get their turn

// One scratch buffer for each I/O thread instead of one for each link: it is only in use between
// two suspensions.
std::array<char, 64 * 1024>& scratch() {
    thread_local std::array<char, 64 * 1024> bytes;
    return bytes;
}

Error error_for(StreamEnd end) {
    switch (end) {
        case StreamEnd::too_slow:
            return Error(ErrorCode::limit_exceeded, "the peer takes our frames too slowly");
        case StreamEnd::closed:
        case StreamEnd::aborted:
            return Error(ErrorCode::cancelled, "the link was closed");
        default:
            return Error(ErrorCode::unavailable, "the link broke while sending");
    }
}

}  // namespace

struct LinkStream::Impl : std::enable_shared_from_this<Impl> {
    Impl(UpgradedSocket from, LinkOptions with)
        : options(with),
          socket(std::make_shared<tcp::socket>(std::move(from.socket))),
          peer(from.peer),
          received(std::move(from.leftover)) {}

    const LinkOptions options;
    const std::shared_ptr<tcp::socket> socket;
    const tcp::endpoint peer;
    std::shared_ptr<FramedWriter> writer;

    // Strand only.
    std::string received;
    std::size_t consumed = 0;
    std::optional<Error> end;

    void start() {
        FramedWriter::Options writing;
        writing.framing = Framing::length_prefix;
        writing.queue_bytes_max = options.queue_bytes_max;
        writing.queue_records_max = options.queue_frames_max;
        writing.stall_max = options.stall_max;
        writer = std::make_shared<FramedWriter>(socket->get_executor(), writing,
                                                [weak = weak_from_this()](StreamEnd why) {
                                                    if (const auto self = weak.lock())
                                                        self->finish(error_for(why));
                                                });
        asio::dispatch(socket->get_executor(), [self = shared_from_this()] {
            boost::system::error_code error;
            self->socket->non_blocking(true, error);
            self->writer->attach(self->socket);
        });
    }

    // The first reason stays; the socket is closed by the writer's end or here.
    void finish(Error why) {
        if (end) return;
        end = std::move(why);
        writer->finish(StreamEnd::failed);
        boost::system::error_code ignored;
        socket->close(ignored);
    }

    std::optional<std::string> take_frame() {
        const auto left = received.size() - consumed;
        if (left < header_bytes) return compact();
        std::size_t size = 0;
        for (std::size_t i = 0; i < header_bytes; ++i) {
            size = size << 8 | static_cast<unsigned char>(received[consumed + i]);
        }
        if (size > options.frame_bytes_max) {
            finish(Error(ErrorCode::malformed, "a frame of " + std::to_string(size) +
                                                   " bytes is larger than this link takes"));
            return std::nullopt;
        }
        if (left - header_bytes < size) return compact();
        auto frame = received.substr(consumed + header_bytes, size);
        consumed += header_bytes + size;
        if (consumed == received.size()) compact();
        return frame;
    }

    std::nullopt_t compact() {
        received.erase(0, std::exchange(consumed, 0));
        if (received.empty() && received.capacity() > kept_buffer_bytes_max) {
            received.shrink_to_fit();
        }
        return std::nullopt;
    }

    // Takes what the socket has, without waiting.
    void read_available() {
        auto& bytes = scratch();
        for (int i = 0; i < reads_in_a_row_max; ++i) {
            boost::system::error_code error;
            const auto size = socket->read_some(asio::buffer(bytes), error);
            if (error == asio::error::would_block || error == asio::error::try_again) return;
            if (error == asio::error::eof) {
                finish(Error(ErrorCode::unavailable, "the peer closed the link"));
                return;
            }
            if (error) {
                finish(socket_error("the link broke", error));
                return;
            }
            received.append(bytes.data(), size);
            if (size < bytes.size()) return;
        }
    }

    void close() {
        writer->close();
        asio::post(socket->get_executor(), [self = shared_from_this()] {
            if (self->end) return;
            self->end = Error(ErrorCode::cancelled, "the link was closed");
            // Ends a pending receive() and leaves what is still being sent alone.
            boost::system::error_code ignored;
            self->socket->shutdown(tcp::socket::shutdown_receive, ignored);
        });
    }
};

LinkStream::LinkStream(UpgradedSocket socket, LinkOptions options)
    : impl_(std::make_shared<Impl>(std::move(socket), options)) {
    impl_->start();
}
LinkStream::~LinkStream() {
    if (impl_) impl_->close();
}
LinkStream::LinkStream(LinkStream&&) noexcept = default;
LinkStream& LinkStream::operator=(LinkStream&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
}

bool LinkStream::send(std::shared_ptr<const std::string> payload) {
    if (payload->size() > impl_->options.frame_bytes_max) {
        asio::post(impl_->socket->get_executor(), [impl = impl_, size = payload->size()] {
            impl->finish(Error(ErrorCode::limit_exceeded,
                               "a frame of " + std::to_string(size) +
                                   " bytes to the peer is larger than this link takes"));
        });
        impl_->writer->abort(StreamEnd::failed);
        return false;
    }
    return impl_->writer->post(std::move(payload));
}

async::awaitable<Result<std::string>> LinkStream::receive() {
    const auto impl = impl_;
    for (;;) {
        if (impl->end && impl->end->code() == ErrorCode::cancelled) co_return *impl->end;
        if (auto frame = impl->take_frame()) co_return std::move(*frame);
        if (impl->end) co_return *impl->end;
        boost::system::error_code error;
        co_await impl->socket->async_wait(tcp::socket::wait_read, async::into(error));
        if (impl->end) continue;
        if (error) {
            impl->finish(socket_error("the link broke", error));
        } else {
            impl->read_available();
        }
    }
}

void LinkStream::close() {
    impl_->close();
}
bool LinkStream::is_open() const {
    return impl_->writer->is_open();
}
std::size_t LinkStream::queued_bytes() const {
    return impl_->writer->queued_bytes();
}
const tcp::endpoint& LinkStream::peer() const {
    return impl_->peer;
}
async::Executor LinkStream::executor() const {
    return impl_->socket->get_executor();
}

}  // namespace fairlead::http
