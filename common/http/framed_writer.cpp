#include "common/http/framed_writer.hpp"

#include <boost/asio/write.hpp>

namespace fairlead::http {

namespace asio = boost::asio;

namespace {

constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace

FramedWriter::FramedWriter(async::Executor strand, Options options, StreamWriter::EndHandler on_end)
    : strand_(strand), options_(options), on_end_(std::move(on_end)), stall_timer_(strand) {}

bool FramedWriter::post(Record record) {
    // An empty chunk would end the stream.
    if (!record || record->empty()) return is_open();
    bool overflow = false;
    {
        std::lock_guard lock(mutex_);
        if (!open_ || closing_) return false;
        overflow = pending_records_ >= options_.queue_records_max ||
                   pending_bytes_ + record->size() > options_.queue_bytes_max;
        if (overflow) {
            open_ = false;
        } else {
            pending_bytes_ += record->size();
            ++pending_records_;
            queue_.push_back(std::move(record));
            if (std::exchange(flush_scheduled_, true)) return true;
        }
    }
    if (overflow) {
        asio::post(strand_, [self = shared_from_this()] { self->finish(StreamEnd::too_slow); });
        return false;
    }
    schedule_flush();
    return true;
}

void FramedWriter::close() {
    {
        std::lock_guard lock(mutex_);
        if (!open_ || std::exchange(closing_, true)) return;
        if (std::exchange(flush_scheduled_, true)) return;
    }
    schedule_flush();
}

void FramedWriter::abort(StreamEnd why) {
    {
        std::lock_guard lock(mutex_);
        if (!std::exchange(open_, false)) return;
    }
    asio::post(strand_, [self = shared_from_this(), why] { self->finish(why); });
}

bool FramedWriter::is_open() const {
    std::lock_guard lock(mutex_);
    return open_ && !closing_;
}

std::size_t FramedWriter::queued_bytes() const {
    std::lock_guard lock(mutex_);
    return pending_bytes_;
}

void FramedWriter::schedule_flush() {
    asio::post(strand_, [self = shared_from_this()] { self->write_next(); });
}

void FramedWriter::attach(std::shared_ptr<tcp::socket> socket) {
    if (finished_) {
        boost::system::error_code ignored;
        socket->close(ignored);
        return;
    }
    socket_ = std::move(socket);
    {
        std::lock_guard lock(mutex_);
        if (!flush_scheduled_) return;
    }
    write_next();
}

void FramedWriter::finish(StreamEnd why) {
    if (std::exchange(finished_, true)) return;
    {
        std::lock_guard lock(mutex_);
        open_ = false;
        queue_.clear();
        pending_bytes_ = pending_records_ = 0;
    }
    stall_timer_.cancel();
    if (socket_) {
        boost::system::error_code ignored;
        if (why == StreamEnd::closed) {
            socket_->cancel(ignored);
        } else {
            socket_->shutdown(tcp::socket::shutdown_both, ignored);
            socket_->close(ignored);
        }
    }
    socket_.reset();
    if (const auto on_end = std::exchange(on_end_, nullptr)) on_end(why);
}

std::vector<Record> FramedWriter::take_records() {
    std::lock_guard lock(mutex_);
    auto records = take_batch(queue_);
    if (records.empty() && !closing_) flush_scheduled_ = false;
    return records;
}

void FramedWriter::write_next() {
    // Before attach() the flush stays scheduled; attach() comes back here.
    if (finished_ || writing_ || !socket_) return;
    auto records = take_records();
    if (!records.empty()) {
        batch_.emplace(Framing::http_chunk).fill(std::move(records));
        send_batch();
        return;
    }
    batch_.reset();
    bool closing = false;
    {
        std::lock_guard lock(mutex_);
        closing = closing_;
    }
    if (closing) send_last_chunk();
}

void FramedWriter::send_batch() {
    writing_ = true;
    write_started_ = std::chrono::steady_clock::now();
    watch_for_stall();
    asio::async_write(
        *socket_, batch_->buffers(),
        [self = shared_from_this(), socket = socket_](const boost::system::error_code& error,
                                                      std::size_t) { self->written(error); });
}

void FramedWriter::written(const boost::system::error_code& error) {
    writing_ = false;
    if (finished_) return;
    if (error) {
        finish(StreamEnd::failed);
        return;
    }
    {
        std::lock_guard lock(mutex_);
        pending_bytes_ -= batch_->record_bytes();
        pending_records_ -= batch_->record_count();
    }
    write_next();
}

void FramedWriter::send_last_chunk() {
    writing_ = true;
    write_started_ = std::chrono::steady_clock::now();
    watch_for_stall();
    asio::async_write(*socket_, asio::buffer(last_chunk),
                      [self = shared_from_this(), socket = socket_](
                          const boost::system::error_code& error, std::size_t) {
                          self->writing_ = false;
                          self->finish(error ? StreamEnd::failed : StreamEnd::closed);
                      });
}

// One timer that looks again after the full time, instead of one armed and cancelled for each
// write.
void FramedWriter::watch_for_stall() {
    if (watching_ || options_.stall_max <= base::Duration::zero()) return;
    watching_ = true;
    stall_timer_.expires_at(write_started_ + options_.stall_max);
    stall_timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
        self->watching_ = false;
        if (self->finished_ || !self->writing_) return;
        if (std::chrono::steady_clock::now() - self->write_started_ >= self->options_.stall_max) {
            self->finish(StreamEnd::too_slow);
        } else {
            self->watch_for_stall();
        }
    });
}

// --- the handle ---------------------------------------------------------------------------------

struct StreamWriter::Handle {
    std::shared_ptr<FramedWriter> writer;
    ~Handle() { writer->close(); }
};

StreamWriter::StreamWriter(std::shared_ptr<FramedWriter> writer)
    : handle_(new Handle{std::move(writer)}) {}

bool StreamWriter::post(std::shared_ptr<const std::string> record) {
    return handle_ && handle_->writer->post(std::move(record));
}
void StreamWriter::close() {
    if (handle_) handle_->writer->close();
}
void StreamWriter::abort() {
    if (handle_) handle_->writer->abort(StreamEnd::aborted);
}
bool StreamWriter::is_open() const {
    return handle_ && handle_->writer->is_open();
}
std::size_t StreamWriter::queued_bytes() const {
    return handle_ ? handle_->writer->queued_bytes() : 0;
}

std::string_view to_string(StreamEnd end) {
    switch (end) {
        case StreamEnd::closed:
            return "closed";
        case StreamEnd::aborted:
            return "aborted";
        case StreamEnd::peer_closed:
            return "the client went away";
        case StreamEnd::too_slow:
            return "the client read too slowly";
        case StreamEnd::failed:
            return "the connection broke";
        case StreamEnd::server_stopping:
            return "the server is stopping";
    }
    return "unknown";
}

}  // namespace fairlead::http
