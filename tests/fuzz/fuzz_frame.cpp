// A stream of link frames gives the same frames and the same error however it is cut up, and what
// was read writes back to the bytes that were read.

#include "common/wire/frame.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <string_view>

namespace {

constexpr std::size_t frame_bytes_max = 4096;

struct Outcome {
    std::vector<std::string> frames;
    bool lost = false;
    bool between_frames = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view stream, std::size_t piece_bytes) {
    fairlead::wire::FrameDecoder decoder(frame_bytes_max);
    Outcome outcome;
    while (!stream.empty() && !outcome.lost) {
        const auto fed = decoder.feed(stream.substr(0, piece_bytes), [&](std::string_view body) {
            outcome.frames.emplace_back(body);
        });
        outcome.lost = fed.has_error();
        stream.remove_prefix(std::min(piece_bytes, stream.size()));
    }
    outcome.between_frames = decoder.between_frames();
    return outcome;
}

std::string framed(std::string_view body) {
    std::string out;
    fairlead::fuzz::expect(fairlead::wire::append_frame(body, out).has_value(), "a small frame");
    return out;
}

}  // namespace

std::vector<std::string> fairlead::fuzz::seeds() {
    return {"",
            framed(""),
            framed("hello"),
            framed("a") + framed("bc"),
            framed("cut").substr(0, 5),
            std::string("\xff\xff\xff\xff", 4)};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view stream(reinterpret_cast<const char*>(data), size);
    const Outcome whole = read(stream, size + 1);
    for (const std::size_t piece_bytes : {1, 3, 5})
        fairlead::fuzz::expect(read(stream, piece_bytes) == whole, "the cut makes no difference");
    std::string again;
    for (const std::string& frame : whole.frames) again += framed(frame);
    fairlead::fuzz::expect(stream.starts_with(again), "what was read writes back");
    return 0;
}
