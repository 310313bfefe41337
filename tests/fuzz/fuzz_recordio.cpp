// A stream of records gives the same records and the same error however it is cut up, and what was
// read writes back to the bytes that were read (but for leading zeros in a length).

#include "common/wire/recordio.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <string_view>

namespace {

struct Outcome {
    std::vector<std::string> records;
    bool lost = false;
    bool between_records = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view stream, std::size_t piece_bytes) {
    fairlead::wire::RecordDecoder decoder(4096);
    Outcome outcome;
    while (!stream.empty() && !outcome.lost) {
        const auto fed = decoder.feed(stream.substr(0, piece_bytes), [&](std::string_view record) {
            outcome.records.emplace_back(record);
        });
        outcome.lost = fed.has_error();
        stream.remove_prefix(std::min(piece_bytes, stream.size()));
    }
    outcome.between_records = decoder.between_records();
    return outcome;
}

}  // namespace

std::vector<std::string> fairlead::fuzz::seeds() {
    return {"",        "0\n",       "5\nhello", "3\nabc0\n2\nxy", "20\n{\"type\":\"HEARTBEAT\"}",
            "4096\nx", "00012\nabc"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view stream(reinterpret_cast<const char*>(data), size);
    const Outcome whole = read(stream, size + 1);
    for (const std::size_t piece_bytes : {1, 2, 7}) {
        fairlead::fuzz::expect(read(stream, piece_bytes) == whole, "the cut makes no difference");
    }
    std::string again;
    for (const std::string& record : whole.records) fairlead::wire::append_record(record, again);
    fairlead::fuzz::expect(again.size() <= size, "no more was read than was there");
    fairlead::fuzz::expect(read(again, again.size() + 1).records == whole.records,
                           "what was read writes back");
    return 0;
}
