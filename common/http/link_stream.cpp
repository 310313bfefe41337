#include "common/http/link_stream.hpp"

#include "common/async/handler_room.hpp"
#include "common/http/frame_batch.hpp"

#include <boost/asio/bind_allocator.hpp>

#include <array>
#include <deque>
#include <mutex>
#include <optional>

namespace fairlead::http {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;
using base::Result;
using boost::system::error_code;

namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::size_t wait_bytes = 128;  // of a pending wait with its handler
constexpr int reads_in_a_row_max = 16;   // then other connections get their turn

// One scratch buffer for each I/O thread instead of one for each link: it is only in use between
// two suspensions.
std::array<char, 64 * 1024>& scratch() {
    thread_local std::array<char, 64 * 1024> bytes;
    return bytes;
}

bool would_block(const error_code& error) {
    return error == asio::error::would_block || error == asio::error::try_again;
}

// Of a plain context: an executor that could be anything is six times as large, and copied to the heap by every wait.
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;

// Every executor of ours is one of an io_context, be it on a strand. A socket that is broken shows at its first read.
Socket take_over(tcp::socket from, const tcp& protocol) {
    auto& context = asio::query(from.get_executor(), asio::execution::context);
    Socket socket(static_cast<asio::io_context&>(context));
    error_code error;
    const auto descriptor = from.release(error);
    if (!error) socket.assign(protocol, descriptor, error);
    socket.non_blocking(true, error);
    return socket;
}

Error closed_by_us() { return Error(ErrorCode::cancelled, "the link was closed"); }

// What came and was not taken yet. Empty, it holds no memory.
class ReceivedBytes {
  public:
    explicit ReceivedBytes(std::string first) : bytes_(std::move(first)) {}

    void append(std::string_view more) { bytes_.append(more); }
    // The length of the next frame; none: not even that is there.
    std::optional<std::size_t> next_size() const {
        if (bytes_.size() - taken_ < header_bytes) return std::nullopt;
        std::size_t size = 0;
        for (std::size_t i = 0; i < header_bytes; ++i)
            size = size << 8 | static_cast<unsigned char>(bytes_[taken_ + i]);
        return size;
    }
    // The next frame, when all of it is there; good until something is appended or dropped.
    std::optional<std::string_view> take() {
        const auto size = next_size();
        if (!size || bytes_.size() - taken_ - header_bytes < *size) return std::nullopt;
        const std::string_view frame(bytes_.data() + taken_ + header_bytes, *size);
        taken_ += header_bytes + *size;
        return frame;
    }
    void drop_taken() {
        if (taken_ == bytes_.size())
            std::string().swap(bytes_);  // an assignment would keep the memory
        else
            bytes_.erase(0, taken_);
        taken_ = 0;
    }

  private:
    std::string bytes_;
    std::size_t taken_ = 0;
};

// While there is something to send, somebody is sending it: whoever puts the first frame in posts
// the write, and it goes with the last one.
struct Outgoing {
    std::deque<Record> queue;
    std::size_t bytes = 0;  // queued and in the batch
    std::size_t frames = 0;
    FrameBatch batch{Framing::length_prefix};
    std::optional<asio::steady_timer> stall;  // while the socket takes nothing

    bool fill_batch() {
        bytes -= batch.record_bytes();
        frames -= batch.record_count();
        batch.fill(take_batch(queue));
        return !batch.empty();
    }
};

}  // namespace

// The mutex guards the socket and all below it, and is held over system calls that do not block. The
// socket's handlers may run on several threads; reading is one chain of them, writing another.
struct LinkStream::Impl : std::enable_shared_from_this<Impl> {
    Impl(UpgradedSocket from, LinkOptions with)
        : options(with),
          peer(from.peer),
          received(std::move(from.leftover)),
          socket(take_over(std::move(from.socket), from.peer.protocol())) {}

    const LinkOptions options;
    const tcp::endpoint peer;
    ReceivedBytes received;  // whoever reads

    mutable std::mutex mutex;
    Socket socket;
    async::HandlerRoom<wait_bytes> wait;  // for bytes
    std::unique_ptr<Outgoing> outgoing;
    std::unique_ptr<const Error> end;  // the first reason stays
    bool refuses = false;              // takes no more frames to send

    // --- under the mutex ---

    void finish(Error why) {
        if (end) return;
        end = std::make_unique<const Error>(std::move(why));
        refuses = true;
        outgoing.reset();
        close_socket();
    }
    void close_socket() {
        error_code ignored;
        socket.shutdown(tcp::socket::shutdown_both, ignored);
        socket.close(ignored);
    }

    // --- ending, any thread ---

    std::optional<Error> ended() const {
        const std::lock_guard lock(mutex);
        return end ? std::optional(*end) : std::nullopt;
    }
    bool is_cancelled() const {
        const std::lock_guard lock(mutex);
        return end && end->code() == ErrorCode::cancelled;
    }
    // A socket is only ever closed where it is served.
    void break_off(Error why) {
        asio::post(socket.get_executor(), [self = shared_from_this(), why = std::move(why)] {
            const std::lock_guard lock(self->mutex);
            self->finish(why);
        });
    }
    void close() {
        {
            const std::lock_guard lock(mutex);
            refuses = true;
        }
        asio::post(socket.get_executor(), [self = shared_from_this()] { self->stop_receiving(); });
    }
    void stop_receiving() {
        const std::lock_guard lock(mutex);
        if (end) return;
        end = std::make_unique<const Error>(closed_by_us());
        refuses = true;
        if (!outgoing) return close_socket();
        error_code ignored;  // who reads is woken by it; what is being sent is left alone
        socket.shutdown(tcp::socket::shutdown_receive, ignored);
    }

    // --- sending ---

    bool send(Record payload) {
        const auto size = payload->size();
        std::unique_lock lock(mutex);
        if (refuses) return false;
        const bool too_large = size > options.frame_bytes_max;
        const bool full = (outgoing ? outgoing->frames : 0) >= options.queue_frames_max ||
                          (outgoing ? outgoing->bytes : 0) + size > options.queue_bytes_max;
        if (too_large || full) {
            refuses = true;
            lock.unlock();
            break_off(too_large ? Error(ErrorCode::invalid_argument,
                                        "a frame of " + std::to_string(size) +
                                            " bytes to the peer is larger than this link takes")
                                : Error(ErrorCode::limit_exceeded, "the peer takes our frames too slowly"));
            return false;
        }
        const bool idle = !outgoing;
        if (idle) outgoing = std::make_unique<Outgoing>();
        outgoing->bytes += size;
        ++outgoing->frames;
        outgoing->queue.push_back(std::move(payload));
        lock.unlock();
        if (idle) asio::post(socket.get_executor(), [self = shared_from_this()] { self->write(); });
        return true;
    }

    void write() {
        const std::lock_guard lock(mutex);
        while (outgoing) {
            if (outgoing->batch.empty() && !outgoing->fill_batch()) {
                outgoing.reset();
                if (end) close_socket();  // this was the rest
                return;
            }
            error_code error;
            const auto size = socket.write_some(outgoing->batch.buffers(), error);
            if (would_block(error)) return await_room();
            if (error) return fail_to_send();
            outgoing->batch.sent(size);
        }
    }
    void fail_to_send() {
        outgoing.reset();
        if (end) return close_socket();
        finish(Error(ErrorCode::unavailable, "the link broke while sending"));
    }
    void await_room() {
        if (options.stall_max > base::Duration::zero()) watch_for_stall();
        socket.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code&) {
            {
                const std::lock_guard lock(self->mutex);
                if (self->outgoing) self->outgoing->stall.reset();
            }
            self->write();
        });
    }
    void watch_for_stall() {
        auto& timer = outgoing->stall.emplace(socket.get_executor());
        timer.expires_after(options.stall_max);
        timer.async_wait([self = shared_from_this()](const error_code& error) {
            const std::lock_guard lock(self->mutex);
            // Looked at again: an expiry on its way here cannot be cancelled any more.
            const bool stalled = !error && self->outgoing && self->outgoing->stall &&
                                 self->outgoing->stall->expiry() <= std::chrono::steady_clock::now();
            if (!stalled) return;
            self->outgoing.reset();
            if (self->end) return self->close_socket();
            self->finish(Error(ErrorCode::limit_exceeded, "the peer takes our frames too slowly"));
        });
    }

    // --- receiving ---

    std::optional<std::string_view> take_frame() {
        const auto size = received.next_size();
        if (size && *size > options.frame_bytes_max) {
            const std::lock_guard lock(mutex);
            finish(Error(ErrorCode::malformed,
                         "a frame of " + std::to_string(*size) + " bytes is larger than this link takes"));
            return std::nullopt;
        }
        auto frame = received.take();
        if (!frame) received.drop_taken();
        return frame;
    }

    template <typename Handler>
    void await_bytes(Handler handler) {
        const std::lock_guard lock(mutex);
        socket.async_wait(tcp::socket::wait_read, asio::bind_allocator(wait.allocator(), std::move(handler)));
    }

    // Takes what the socket has, without waiting.
    void read_available(const error_code& waited) {
        auto& bytes = scratch();
        const std::lock_guard lock(mutex);
        if (end) return;
        if (waited) return finish(socket_error("the link broke", waited));
        for (int i = 0; i < reads_in_a_row_max; ++i) {
            error_code error;
            const auto size = socket.read_some(asio::buffer(bytes), error);
            if (would_block(error)) return;
            if (error == asio::error::eof)
                return finish(Error(ErrorCode::unavailable, "the peer closed the link"));
            if (error) return finish(socket_error("the link broke", error));
            received.append({bytes.data(), size});
            if (size < bytes.size()) return;
        }
    }

    void deliver(std::shared_ptr<LinkReceiver> receiver) {
        while (!is_cancelled()) {
            const auto frame = take_frame();
            if (!frame) break;
            if (!receiver->received(*frame)) stop_receiving();
        }
        if (const auto why = ended()) return receiver->ended(*why);
        await_bytes([self = shared_from_this(), receiver = std::move(receiver)](const error_code& error) mutable {
            self->read_available(error);
            self->deliver(std::move(receiver));
        });
    }
};

LinkStream::LinkStream(UpgradedSocket socket, LinkOptions options)
    : impl_(std::make_shared<Impl>(std::move(socket), options)) {}
LinkStream::~LinkStream() {
    if (impl_) impl_->close();
}
LinkStream::LinkStream(LinkStream&&) noexcept = default;
LinkStream& LinkStream::operator=(LinkStream&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
}

bool LinkStream::send(std::shared_ptr<const std::string> payload) { return impl_->send(std::move(payload)); }

async::awaitable<Result<std::string>> LinkStream::receive() {
    const auto impl = impl_;
    for (;;) {
        if (impl->is_cancelled()) co_return closed_by_us();
        if (const auto frame = impl->take_frame()) co_return std::string(*frame);
        if (const auto why = impl->ended()) co_return *why;
        error_code error;
        auto token = async::into(error);
        co_await asio::async_initiate<decltype(token), void(error_code)>(
            [](auto handler, Impl* self) { self->await_bytes(std::move(handler)); }, token, impl.get());
        impl->read_available(error);
    }
}

void LinkStream::receive_all(std::shared_ptr<LinkReceiver> receiver) {
    asio::post(impl_->socket.get_executor(), [impl = impl_, receiver = std::move(receiver)]() mutable {
        impl->deliver(std::move(receiver));
    });
}

void LinkStream::close() { impl_->close(); }

bool LinkStream::is_open() const {
    const std::lock_guard lock(impl_->mutex);
    return !impl_->refuses;
}
std::size_t LinkStream::queued_bytes() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->outgoing ? impl_->outgoing->bytes : 0;
}
const tcp::endpoint& LinkStream::peer() const { return impl_->peer; }
async::Executor LinkStream::executor() const { return impl_->socket.get_executor(); }

}  // namespace fairlead::http
