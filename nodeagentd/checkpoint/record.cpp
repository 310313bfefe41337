#include "nodeagentd/checkpoint/record.hpp"

#include <endian.h>

#include <cstring>

namespace fairlead::nodeagentd::checkpoint {
namespace {

// A record begins with this, as protobuf writes a fixed64 of number 1000, and the hash of all that follows: a message
// that is cut short between two of its fields parses as well as a whole one. Records without it are of an earlier
// version.
constexpr std::string_view head_mark = "\xc1\x3e";
// With their first field, which is a message in all of them.
constexpr std::string_view head_of_old = "\x0a";
constexpr std::size_t head_bytes = head_mark.size() + sizeof(std::uint64_t);

}  // namespace

std::uint64_t fnv_1a(std::string_view bytes) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211ULL;
    return hash;
}

std::string in_a_file(const google::protobuf::Message& message) {
    std::string bytes(head_bytes, '\0');
    message.AppendToString(&bytes);
    const std::uint64_t hash = htole64(fnv_1a(std::string_view(bytes).substr(head_bytes)));
    std::memcpy(bytes.data(), head_mark.data(), head_mark.size());
    std::memcpy(bytes.data() + head_mark.size(), &hash, sizeof hash);
    return bytes;
}

bool out_of_a_file(std::string_view bytes, google::protobuf::Message& message) {
    const auto parses = [&message](std::string_view rest) {
        return !rest.empty() && message.ParseFromArray(rest.data(), static_cast<int>(rest.size()));
    };
    message.Clear();
    if (bytes.starts_with(head_of_old)) return parses(bytes);
    if (bytes.size() < head_bytes || !bytes.starts_with(head_mark)) return false;
    std::uint64_t hash = 0;
    std::memcpy(&hash, bytes.data() + head_mark.size(), sizeof hash);
    const std::string_view rest = bytes.substr(head_bytes);
    return le64toh(hash) == fnv_1a(rest) && parses(rest);
}

std::optional<Version> read_either(const BytesOf& bytes_of, google::protobuf::Message& message) {
    for (const Version version : {Version::newest, Version::older})
        if (const auto bytes = bytes_of(version); bytes && out_of_a_file(*bytes, message)) return version;
    return std::nullopt;
}

// What a running task lacks is found out anew from the runtime. But one that waits would be started again and what runs
// of it be taken for a stranger, of a kill nobody else knows, and when an end is written down the runtime forgets it.
Older older_of(const core::Persist& persist) {
    const auto* container = std::get_if<core::PersistContainer>(&persist);
    if (container == nullptr) return Older::stays;
    const internal::ContainerRecord& record = *container->record;
    return record.phase() == internal::ContainerRecord::RUNNING && !record.kill_requested() ? Older::stays
                                                                                            : Older::is_replaced;
}

}  // namespace fairlead::nodeagentd::checkpoint
