#pragma once
// Configuration as systemd's own daemons have it: NAME.conf from the first of /etc/fairlead, /run/fairlead and
// /usr/lib/fairlead that has it, then every NAME.conf.d/*.conf of the three, sorted by file name; of two with the same
// name the one in /etc hides the one in /run hides the one in /usr/lib, and a link to /dev/null hides without replacing. The
// last assignment to a key wins; an empty one takes earlier ones back. Every error names file, line and key.
//
// A program declares its keys, so that a typo is an error with the nearest key in it, and not a silent default.

#include "common/base/error.hpp"
#include "common/base/instant.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::config {

struct Key {
    std::string section;
    std::string name;
};

class Config {
  public:
    // Reads NAME.conf and its drop-ins below `root` ("/" but for tests). No file at all is an empty configuration.
    static base::Result<Config> load(std::string_view name, std::vector<Key> keys,
                                     const std::filesystem::path& root = "/");
    // Reads this file in place of the search; there are no drop-ins then.
    static base::Result<Config> load_file(const std::filesystem::path& file, std::vector<Key> keys);

    // What was assigned last; nothing where nothing was. The typed ones fail with invalid_config.
    std::optional<std::string> text(std::string_view section, std::string_view name) const;
    base::Result<std::optional<bool>> boolean(std::string_view section, std::string_view name) const;
    base::Result<std::optional<std::uint64_t>> number(std::string_view section, std::string_view name,
                                                      std::uint64_t min, std::uint64_t max) const;
    // "5s", "2min 30s", "500ms", "1h"; a bare number is seconds.
    base::Result<std::optional<base::Duration>> duration(std::string_view section, std::string_view name) const;

    // For what a program finds wrong with a value that was read well: "FILE:LINE: [Section] Name=: why".
    base::Error complain(std::string_view section, std::string_view name, std::string_view why) const;
    // The same without the value, which may hold a secret: "FILE:LINE: [Section] Name=: why".
    base::Error complain_of_secret(std::string_view section, std::string_view name, std::string_view why) const;

  private:
    struct Value {
        std::string text;
        std::string file;
        int line = 0;
    };

    base::Status read(const std::filesystem::path& file);
    base::Status assign(const std::string& section, std::string_view line, const std::string& file, int number);
    base::Status check_key(const std::string& section, const std::string& name) const;
    const Value* find(std::string_view section, std::string_view name) const;

    std::vector<Key> keys_;
    std::map<std::pair<std::string, std::string>, Value> values_;
};

// As Config::duration reads it.
std::optional<base::Duration> parse_duration(std::string_view text);

}  // namespace fairlead::config
