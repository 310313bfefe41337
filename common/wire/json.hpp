#pragma once
// Messages of the API as JSON in Mesos' dialect, which is older than the mapping that protobuf
// defines: field names stay in snake_case, 64-bit numbers are numbers, enum values are their names,
// `bytes` are base64, a map is an object and a Duration is the plain {"seconds":..,"nanos":..}. Any
// thread; no state but a cache of what the messages look like.

#include "common/base/error.hpp"

#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace fairlead::wire {

// One line, no spaces, ASCII only, fields in the order of their declaration, map entries in the
// order of their keys. Unset fields are left out, but for those with a declared default that are
// not deprecated: clients read these unasked.
void append_json(const google::protobuf::Message& message, std::string& out);
std::string to_json(const google::protobuf::Message& message);

// Replaces what `message` held. Lenient where living clients need it: null is absent, wherever it
// stands; unknown fields are skipped; numbers and booleans may be quoted; a whole number may be
// written 3.6e+06; one value may stand where a list is due; an unknown name of an enum value leaves
// an optional field unset. Else malformed, with the path of the field and what was wrong:
// "accept.offer_ids[0].value: expected text, got 5". After an error the message holds some part of
// the text.
base::Status from_json(std::string_view text, google::protobuf::Message& message);

}  // namespace fairlead::wire
