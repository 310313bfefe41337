#include "common/http/framed_writer.hpp"

#include <boost/asio/write.hpp>

#include <array>
#include <charconv>

namespace fairlead::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t batch_records_max = 512;
constexpr std::size_t batch_bytes_max = 256 * 1024;
constexpr std::size_t copied_record_bytes_max =
    4096;  // below it a copy is cheaper than two more buffers
constexpr std::size_t framing_bytes_max = 24;
constexpr std::string_view last_chunk = "0\r\n\r\n";

void append_frame_start(std::string& out, Framing framing, std::size_t size) {
    if (framing == Framing::length_prefix) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            out.push_back(static_cast<char>((size >> shift) & 0xff));
        }
        return;
    }
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
    out.append(digits.data(), end);
    out += "\r\n";
}

}  // namespace

FramedWriter::FramedWriter(async::Executor strand, Options options, StreamWriter::EndHandler on_end)
    : strand_(strand), options_(options), on_end_(std::move(on_end)), stall_timer_(strand) {}

bool FramedWriter::post(Record record) {
    // An empty chunk would end the stream.
    if (!record || (record->empty() && options_.framing == Framing::http_chunk)) return is_open();
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
        if (why == StreamEnd::closed && options_.framing == Framing::http_chunk) {
            socket_->cancel(ignored);
        } else {
            socket_->shutdown(tcp::socket::shutdown_both, ignored);
            socket_->close(ignored);
        }
    }
    socket_.reset();
    if (const auto on_end = std::exchange(on_end_, nullptr)) on_end(why);
}

std::vector<FramedWriter::Record> FramedWriter::take_records() {
    std::vector<Record> records;
    std::size_t bytes = 0;
    std::lock_guard lock(mutex_);
    while (!queue_.empty() && records.size() < batch_records_max && bytes < batch_bytes_max) {
        bytes += queue_.front()->size();
        records.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    if (records.empty() && !closing_) flush_scheduled_ = false;
    return records;
}

void FramedWriter::write_next() {
    // Before attach() the flush stays scheduled; attach() comes back here.
    if (finished_ || writing_ || !socket_) return;
    auto records = take_records();
    if (!records.empty()) {
        fill(std::move(records));
        send_batch();
        return;
    }
    batch_ = {};
    bool closing = false;
    {
        std::lock_guard lock(mutex_);
        closing = closing_;
    }
    if (!closing) return;
    if (options_.framing == Framing::http_chunk) {
        send_last_chunk();
    } else {
        finish(StreamEnd::closed);
    }
}

void FramedWriter::fill(std::vector<Record> records) {
    batch_.buffers.clear();
    batch_.large.clear();
    batch_.flat.clear();
    batch_.record_bytes = 0;
    batch_.record_count = records.size();
    std::size_t flat_bytes = 0;
    for (const auto& record : records) {
        flat_bytes += framing_bytes_max;
        if (record->size() <= copied_record_bytes_max) flat_bytes += record->size();
    }
    batch_.flat.reserve(flat_bytes);  // the buffers below point into it: it must not move

    std::size_t flat_sent = 0;
    const auto flush_flat = [&] {
        if (batch_.flat.size() == flat_sent) return;
        batch_.buffers.emplace_back(batch_.flat.data() + flat_sent, batch_.flat.size() - flat_sent);
        flat_sent = batch_.flat.size();
    };
    for (auto& record : records) {
        batch_.record_bytes += record->size();
        append_frame_start(batch_.flat, options_.framing, record->size());
        if (record->size() <= copied_record_bytes_max) {
            batch_.flat += *record;
        } else {
            flush_flat();
            batch_.buffers.emplace_back(record->data(), record->size());
            batch_.large.push_back(std::move(record));
        }
        if (options_.framing == Framing::http_chunk) batch_.flat += "\r\n";
    }
    flush_flat();
}

void FramedWriter::send_batch() {
    writing_ = true;
    write_started_ = std::chrono::steady_clock::now();
    watch_for_stall();
    asio::async_write(
        *socket_, batch_.buffers,
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
        pending_bytes_ -= batch_.record_bytes;
        pending_records_ -= batch_.record_count;
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
