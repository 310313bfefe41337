#include "common/wire/frame.hpp"

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <cstdint>

namespace fairlead::wire {
namespace {

void append_header(std::size_t body_bytes, std::string& out) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((body_bytes >> shift) & 0xff));
    }
}

base::Error too_long(std::size_t bytes, std::size_t bytes_max) {
    return {
        base::ErrorCode::limit_exceeded,
        fmt::format("a frame of {} bytes is longer than the limit of {} bytes", bytes, bytes_max)};
}

}  // namespace

base::Status append_frame(std::string_view body, std::string& out, std::size_t frame_bytes_max) {
    if (body.size() > frame_bytes_max) return too_long(body.size(), frame_bytes_max);
    append_header(body.size(), out);
    out.append(body);
    return {};
}

base::Status append_frame(const google::protobuf::Message& message, std::string& out,
                          std::size_t frame_bytes_max) {
    const std::size_t body_bytes = message.ByteSizeLong();
    if (body_bytes > frame_bytes_max) return too_long(body_bytes, frame_bytes_max);
    append_header(body_bytes, out);
    const std::size_t body_at = out.size();
    out.resize(body_at + body_bytes);
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data() + body_at));
    return {};
}

base::Status FrameDecoder::feed(std::string_view bytes, const OnFrame& on_frame) {
    while (true) {
        while (header_bytes_ < header_size && !bytes.empty()) {
            header_[header_bytes_++] = static_cast<unsigned char>(bytes.front());
            bytes.remove_prefix(1);
        }
        if (header_bytes_ < header_size) return {};
        body_bytes_ = 0;
        for (const unsigned char byte : header_) body_bytes_ = body_bytes_ << 8 | byte;
        if (body_bytes_ > frame_bytes_max_) {
            lost_ = true;  // and the header stays as it is: the next call ends here again
            return too_long(body_bytes_, frame_bytes_max_);
        }

        const std::size_t missing = body_bytes_ - body_.size();
        const std::string_view part = bytes.substr(0, missing);
        bytes.remove_prefix(part.size());
        if (part.size() < missing) {
            body_.append(part);
            return {};
        }
        header_bytes_ = 0;
        if (body_.empty()) {
            on_frame(part);
        } else {
            body_.append(part);
            on_frame(body_);
            body_.clear();
        }
    }
}

}  // namespace fairlead::wire
