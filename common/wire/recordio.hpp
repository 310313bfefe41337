#pragma once
// RecordIO, the framing of the API's event streams: the number of bytes in decimal, a newline, that
// many bytes, nothing after them. The decoder takes the stream however it was cut up. It does not
// know what a record holds.

#include "common/base/error.hpp"
#include "common/base/limits.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace fairlead::wire {

void append_record(std::string_view body, std::string& out);
std::string encode_record(std::string_view body);

// For one stream, on the strand that reads it.
class RecordDecoder {
  public:
    // The view holds only during the call.
    using OnRecord = std::function<void(std::string_view record)>;

    explicit RecordDecoder(std::size_t record_bytes_max = base::limits::event_record_bytes_max)
        : record_bytes_max_(record_bytes_max) {}

    // Calls `on_record` for every record that these bytes complete. malformed when the length line
    // is not a number, limit_exceeded when it asks for too much; after an error the stream is lost,
    // and each further call repeats it.
    base::Status feed(std::string_view bytes, const OnRecord& on_record);

    // True where a stream may end without cutting a record in two.
    bool between_records() const { return state_ == State::length && length_.empty(); }

  private:
    enum class State { length, body, lost };

    base::Status take_length_line(std::string_view& bytes);
    base::Status lose(base::Error error);

    std::size_t record_bytes_max_;
    State state_ = State::length;
    std::string length_;  // the part of the length line that has come so far
    std::size_t body_bytes_ = 0;
    std::string body_;  // the part of the body that came with earlier bytes
    base::Error error_;
};

}  // namespace fairlead::wire
