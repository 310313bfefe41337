#pragma once
// The sending half that event streams and agent links share: a bounded queue of records that any
// thread fills and one chain of writes on the socket's strand empties, each record framed as one
// HTTP chunk or behind a length. Several records may leave in one system call. Ends once, with a
// reason; knows nothing of who reads.

#include "common/async/asio.hpp"
#include "common/base/instant.hpp"
#include "common/http/stream_writer.hpp"
#include "common/http/transport.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fairlead::http {

enum class Framing { http_chunk, length_prefix };

class FramedWriter : public std::enable_shared_from_this<FramedWriter> {
  public:
    struct Options {
        Framing framing = Framing::http_chunk;
        std::size_t queue_bytes_max = 0;
        std::size_t queue_records_max = 0;
        base::Duration stall_max{};
    };
    using Record = std::shared_ptr<const std::string>;

    FramedWriter(async::Executor strand, Options options, StreamWriter::EndHandler on_end);

    // Any thread.
    bool post(Record record);
    void close();
    void abort(StreamEnd why);
    bool is_open() const;
    std::size_t queued_bytes() const;

    // Strand: what is queued starts to flow. When the writer ends by `closed` on a chunked stream
    // the socket's other operations are cancelled; on every other end the socket is closed.
    void attach(std::shared_ptr<tcp::socket> socket);
    void finish(StreamEnd why);
    bool finished() const { return finished_; }

  private:
    struct Batch {
        std::string flat;           // small records and all framing, copied
        std::vector<Record> large;  // kept alive while their own memory is sent
        std::vector<boost::asio::const_buffer> buffers;
        std::size_t record_bytes = 0;
        std::size_t record_count = 0;
    };

    void schedule_flush();
    void write_next();
    std::vector<Record> take_records();
    void fill(std::vector<Record> records);
    void send_batch();
    void send_last_chunk();
    void written(const boost::system::error_code& error);
    void watch_for_stall();

    const async::Executor strand_;
    const Options options_;

    mutable std::mutex mutex_;
    std::deque<Record> queue_;
    std::size_t pending_bytes_ = 0;  // queued and in flight
    std::size_t pending_records_ = 0;
    bool open_ = true;
    bool closing_ = false;
    bool flush_scheduled_ = false;

    // Strand only.
    StreamWriter::EndHandler on_end_;
    std::shared_ptr<tcp::socket> socket_;
    Batch batch_;
    async::asio::steady_timer stall_timer_;
    std::chrono::steady_clock::time_point write_started_{};
    bool writing_ = false;
    bool watching_ = false;
    bool finished_ = false;
};

}  // namespace fairlead::http
