#pragma once
// How single values look in the API's JSON. Used by the message writer and by whoever writes a
// document by hand.

#include <string>
#include <string_view>

namespace fairlead::wire {

// In quotes, everything outside of ASCII as \uXXXX: some clients compare the number of characters
// in a record with the number of bytes announced. A byte that is no UTF-8 becomes U+FFFD.
void append_json_text(std::string_view text, std::string& out);

// The shortest text that reads back as the same number, a whole one as "15.0". What JSON has no
// number for is quoted: "Infinity", "-Infinity", "NaN".
void append_json_number(double number, std::string& out);

}  // namespace fairlead::wire
