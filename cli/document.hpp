#pragma once
// Reading the master's JSON without a thrown exception for each absent key: what is missing is
// empty or zero. Pure.

#include <boost/json.hpp>

#include <string>
#include <string_view>

namespace fairlead::cli {

inline const boost::json::value* member(const boost::json::value& value, std::string_view key) {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(key);
}
inline std::string text_of(const boost::json::value& value, std::string_view key) {
    const auto* found = member(value, key);
    if (found == nullptr) return {};
    if (const auto* text = found->if_string()) return std::string(text->data(), text->size());
    return found->is_null() ? std::string() : boost::json::serialize(*found);
}
inline double number_of(const boost::json::value& value, std::string_view key) {
    const auto* found = member(value, key);
    if (found == nullptr || !found->is_number()) return 0;
    return found->to_number<double>();
}
inline bool flag_of(const boost::json::value& value, std::string_view key, bool otherwise) {
    const auto* found = member(value, key);
    return found != nullptr && found->is_bool() ? found->get_bool() : otherwise;
}
inline const boost::json::array& list_of(const boost::json::value& value, std::string_view key) {
    static const boost::json::array none;
    const auto* found = member(value, key);
    return found != nullptr && found->is_array() ? found->get_array() : none;
}
inline const boost::json::value& object_of(const boost::json::value& value, std::string_view key) {
    static const boost::json::value none = boost::json::object();
    const auto* found = member(value, key);
    return found != nullptr && found->is_object() ? *found : none;
}

}  // namespace fairlead::cli
