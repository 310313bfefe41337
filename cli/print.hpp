#pragma once
// What a command says on its standard output.

#include <boost/json.hpp>

#include <cstdio>
#include <string_view>

namespace fairlead::cli {

inline void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
inline void print_json(const boost::json::value& value) { print(boost::json::serialize(value) + "\n"); }

}  // namespace fairlead::cli
