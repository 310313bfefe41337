#pragma once
// Records on their way into a socket, each framed as one HTTP chunk or behind its length, several of them in one system
// call: small ones are copied behind one another, large ones are sent from where they are. Knows nothing of sockets.

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::http {

enum class Framing { http_chunk, length_prefix };
using Record = std::shared_ptr<const std::string>;

// Out of the queue, as many as should leave together.
std::vector<Record> take_batch(std::deque<Record>& queue);

class FrameBatch {
  public:
    explicit FrameBatch(Framing framing) : framing_(framing) {}
    FrameBatch(const FrameBatch&) = delete;  // the buffers point into it
    FrameBatch& operator=(const FrameBatch&) = delete;

    void fill(std::vector<Record> records);
    // So many bytes have left.
    void sent(std::size_t bytes);
    bool empty() const { return buffers_.empty(); }
    // What has not left yet.
    const std::vector<boost::asio::const_buffer>& buffers() const { return buffers_; }
    // Of what it was filled with, without the framing.
    std::size_t record_bytes() const { return record_bytes_; }
    std::size_t record_count() const { return record_count_; }

  private:
    const Framing framing_;
    std::string flat_;           // small records and all framing, copied
    std::vector<Record> large_;  // kept alive while their own memory is sent
    std::vector<boost::asio::const_buffer> buffers_;
    std::size_t record_bytes_ = 0;
    std::size_t record_count_ = 0;
};

}  // namespace fairlead::http
