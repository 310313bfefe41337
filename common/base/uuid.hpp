#pragma once
// Version 4 UUIDs. A core draws them from its Prng so that a run can be repeated; they name things, they guard nothing.

#include "common/base/prng.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::base {

class Uuid {
  public:
    static Uuid draw(Prng& prng);
    // 36 characters, "130ae4e3-6b13-4ef4-baa9-9f2e85c3e9af"; nothing on any other shape.
    static std::optional<Uuid> parse(std::string_view text);
    // 16 raw bytes, as TaskStatus.uuid carries them; nothing on any other length.
    static std::optional<Uuid> from_bytes(std::string_view bytes);

    std::string text() const;
    std::string bytes() const;

    friend bool operator==(const Uuid&, const Uuid&) = default;
    friend auto operator<=>(const Uuid&, const Uuid&) = default;

  private:
    std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace fairlead::base
