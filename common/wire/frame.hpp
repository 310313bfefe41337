#pragma once
// The frames of the link between agent and master: four bytes of length, most significant first,
// then that many bytes of one protobuf message. The decoder takes the stream however it was cut up.

#include "common/base/error.hpp"
#include "common/base/limits.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace fairlead::wire {

// limit_exceeded, with `out` as it was, when the other side would refuse the frame for its size.
base::Status append_frame(std::string_view body, std::string& out,
                          std::size_t frame_bytes_max = base::limits::link_frame_bytes_max);

// The same, for a message whose required fields are all set.
base::Status append_frame(const google::protobuf::Message& message, std::string& out,
                          std::size_t frame_bytes_max = base::limits::link_frame_bytes_max);

// For one stream, on the strand that reads it.
class FrameDecoder {
  public:
    // The view holds only during the call.
    using OnFrame = std::function<void(std::string_view body)>;

    explicit FrameDecoder(std::size_t frame_bytes_max = base::limits::link_frame_bytes_max)
        : frame_bytes_max_(frame_bytes_max) {}

    // Calls `on_frame` for every frame that these bytes complete. limit_exceeded when a frame is
    // announced that is too long; after it the stream is lost, and each further call repeats it.
    // Memory grows with what has come, not with what was announced.
    base::Status feed(std::string_view bytes, const OnFrame& on_frame);

    // True where a stream may end without cutting a frame in two.
    bool between_frames() const { return !lost_ && header_bytes_ == 0; }

  private:
    static constexpr std::size_t header_size = 4;

    std::size_t frame_bytes_max_;
    std::array<unsigned char, header_size> header_{};
    std::size_t header_bytes_ = 0;  // how much of the header has come
    std::size_t body_bytes_ = 0;    // what a complete header announced
    std::string body_;              // the part of the body that came with earlier bytes
    bool lost_ = false;
};

}  // namespace fairlead::wire
