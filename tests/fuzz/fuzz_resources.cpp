// Resources as text: what can be read is written so that it reads back to the same, adds up and
// comes apart again. Then the same bytes as protobuf messages: what is taken over the wire survives
// both formats.

#include "common/resources/wire.hpp"
#include "tests/fuzz/target.hpp"

#include <string_view>

namespace {

using fairlead::fuzz::expect;
using fairlead::resources::ReservationFormat;
using fairlead::resources::Resources;

void try_text(std::string_view text) {
    const auto read = Resources::parse(text);
    if (!read) return expect(!read.error().message().empty(), "an error says why");
    const auto again = Resources::parse(read->to_string());
    expect(again && *again == *read, "what was read writes back");
    expect(read->contains(*read) && (*read - *read).empty(), "all of it can be taken");
}

void try_wire(const fairlead::v1::Offer& message) {
    const auto read = fairlead::resources::from_wire(message.resources());
    if (!read) return expect(!read.error().message().empty(), "an error says why");
    fairlead::resources::WireResources stack, single;
    fairlead::resources::to_wire(*read, ReservationFormat::stack, nullptr, stack);
    const auto again = fairlead::resources::from_wire(stack);
    expect(again && *again == *read, "the stack format loses nothing");
    const auto shown = read->without_refined_reservations();
    fairlead::resources::to_wire(shown, ReservationFormat::single, nullptr, single);
    const auto once_more = fairlead::resources::from_wire(single);
    expect(once_more && *once_more == shown, "the single format loses nothing of what it may show");
}

std::string offer_bytes(const char* text) {
    fairlead::v1::Offer offer;
    fairlead::resources::to_wire(Resources::parse(text).value(), ReservationFormat::stack, nullptr,
                                 *offer.mutable_resources());
    return offer.SerializePartialAsString();
}

}  // namespace

std::vector<std::string> fairlead::fuzz::seeds() {
    std::vector<std::string> all{"",
                                 "cpus:4;mem:1024;ports:[31000-32000]",
                                 "cpus(eng/ads):0.125;disk(eng):1e3",
                                 "nics:{a,b};gpus:2;ports:[1-2, 5-9]",
                                 "cpus:-1",
                                 "cpus:1;cpus:2",
                                 "ports:[2-1]"};
    for (const char* text : {"cpus:4;mem:1024", "ports(eng):[1-2];cpus(eng/ads):1", "nics:{a,b}"})
        all.push_back(offer_bytes(text));
    return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try_text({reinterpret_cast<const char*>(data), size});
    fairlead::v1::Offer offer;
    if (offer.ParsePartialFromArray(data, static_cast<int>(size))) try_wire(offer);
    return 0;
}
