#pragma once
// Header fields of a message in the order of the wire, duplicates kept, names compared without
// regard to case. Values that are set here are stripped of control characters, so that no text of a
// peer can end a header line of ours.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::http {

class Headers {
  public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    Headers(std::initializer_list<Field> fields);

    void add(std::string_view name, std::string_view value);
    // Replaces every field of that name.
    void set(std::string_view name, std::string_view value);
    void remove(std::string_view name);

    // The first field of that name.
    std::optional<std::string_view> get(std::string_view name) const;
    bool has(std::string_view name) const { return get(name).has_value(); }
    // Every field of that name joined by ", ": the list value of RFC 9110 5.3. Empty when there is
    // none.
    std::string joined(std::string_view name) const;
    // Whether the comma list of that name holds `token` (any case): has_token("Connection",
    // "upgrade").
    bool has_token(std::string_view name, std::string_view token) const;

    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    std::size_t size() const { return fields_.size(); }

  private:
    std::vector<Field> fields_;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace fairlead::http
