#pragma once
// The sending half of an event stream: a bounded queue of records that any thread fills and one chain
// of writes on the socket's strand empties, each record one HTTP chunk. Several may leave in one
// system call. Ends once, with a reason; knows nothing of who reads.

#include "common/async/asio.hpp"
#include "common/base/instant.hpp"
#include "common/http/frame_batch.hpp"
#include "common/http/stream_writer.hpp"
#include "common/http/transport.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::http {

class FramedWriter : public std::enable_shared_from_this<FramedWriter> {
  public:
    struct Options {
        std::size_t queue_bytes_max = 0;
        std::size_t queue_records_max = 0;
        base::Duration stall_max{};
    };

    FramedWriter(async::Executor strand, Options options, StreamWriter::EndHandler on_end);

    // Any thread.
    bool post(Record record);
    void close();
    void abort(StreamEnd why);
    bool is_open() const;
    std::size_t queued_bytes() const;

    // Strand: what is queued starts to flow. When the writer ends by `closed` the socket's other
    // operations are cancelled; on every other end the socket is closed.
    void attach(std::shared_ptr<tcp::socket> socket);
    void finish(StreamEnd why);
    bool finished() const { return finished_; }

  private:
    void schedule_flush();
    void write_next();
    std::vector<Record> take_records();
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
    std::optional<FrameBatch> batch_;  // on its way
    async::asio::steady_timer stall_timer_;
    std::chrono::steady_clock::time_point write_started_{};
    bool writing_ = false;
    bool watching_ = false;
    bool finished_ = false;
};

}  // namespace fairlead::http
