#include "common/http/compress.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace fairlead::http {

namespace {

constexpr int gzip_window = 15 + 16;  // zlib's way to ask for the gzip wrapping

Bytef* as_input(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

}  // namespace

std::string gzip(std::string_view plain) {
    z_stream stream{};
    // Level 1: /state of a large cluster is compressed on an I/O thread; JSON shrinks tenfold even
    // so.
    if (deflateInit2(&stream, 1, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
    std::string packed(deflateBound(&stream, plain.size()), '\0');
    stream.next_in = as_input(plain);
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

base::Result<std::string> gunzip(std::string_view packed, std::size_t plain_bytes_max) {
    z_stream stream{};
    if (inflateInit2(&stream, gzip_window) != Z_OK) throw std::bad_alloc();
    stream.next_in = as_input(packed);
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string plain;
    std::array<char, 65536> part;
    int outcome = Z_OK;
    while (outcome == Z_OK && plain.size() <= plain_bytes_max) {
        stream.next_out = reinterpret_cast<Bytef*>(part.data());
        stream.avail_out = part.size();
        outcome = inflate(&stream, Z_NO_FLUSH);
        plain.append(part.data(), part.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    if (plain.size() > plain_bytes_max) {
        return base::Error(base::ErrorCode::limit_exceeded,
                           "compressed body is too large unpacked");
    }
    if (outcome != Z_STREAM_END) {
        return base::Error(base::ErrorCode::malformed, "damaged gzip data");
    }
    return plain;
}

}  // namespace fairlead::http
