#include "common/http/frame_batch.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace fairlead::http {
namespace {

constexpr std::size_t batch_records_max = 512;
constexpr std::size_t batch_bytes_max = 256 * 1024;
constexpr std::size_t copied_record_bytes_max = 4096;  // below it a copy is cheaper than two more buffers
constexpr std::size_t framing_bytes_max = 24;

void append_frame_start(std::string& out, Framing framing, std::size_t size) {
    if (framing == Framing::length_prefix) {
        for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((size >> shift) & 0xff));
        return;
    }
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
    out.append(digits.data(), end);
    out += "\r\n";
}

}  // namespace

std::vector<Record> take_batch(std::deque<Record>& queue) {
    std::vector<Record> records;
    std::size_t bytes = 0;
    while (!queue.empty() && records.size() < batch_records_max && bytes < batch_bytes_max) {
        bytes += queue.front()->size();
        records.push_back(std::move(queue.front()));
        queue.pop_front();
    }
    return records;
}

void FrameBatch::fill(std::vector<Record> records) {
    buffers_.clear();
    large_.clear();
    flat_.clear();
    record_bytes_ = 0;
    record_count_ = records.size();
    std::size_t flat_bytes = 0;
    for (const auto& record : records) {
        flat_bytes += framing_bytes_max;
        if (record->size() <= copied_record_bytes_max) flat_bytes += record->size();
    }
    flat_.reserve(flat_bytes);  // the buffers below point into it: it must not move

    std::size_t flat_taken = 0;
    const auto flush_flat = [&] {
        if (flat_.size() == flat_taken) return;
        buffers_.emplace_back(flat_.data() + flat_taken, flat_.size() - flat_taken);
        flat_taken = flat_.size();
    };
    for (auto& record : records) {
        record_bytes_ += record->size();
        append_frame_start(flat_, framing_, record->size());
        if (record->size() <= copied_record_bytes_max) {
            flat_ += *record;
        } else {
            flush_flat();
            buffers_.emplace_back(record->data(), record->size());
            large_.push_back(std::move(record));
        }
        if (framing_ == Framing::http_chunk) flat_ += "\r\n";
    }
    flush_flat();
}

void FrameBatch::sent(std::size_t bytes) {
    auto first = buffers_.begin();
    for (; first != buffers_.end() && bytes >= first->size(); ++first) bytes -= first->size();
    if (first != buffers_.end()) *first += bytes;
    buffers_.erase(buffers_.begin(), first);
}

}  // namespace fairlead::http
