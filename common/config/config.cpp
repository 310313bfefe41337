#include "common/config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <numeric>

namespace fairlead::config {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
namespace fs = std::filesystem;

constexpr std::array folders_by_priority{"etc/fairlead", "run/fairlead", "usr/lib/fairlead"};

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// Levenshtein's distance, letters compared without regard to case: names are short.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = std::tolower(static_cast<unsigned char>(a[i - 1])) ==
                              std::tolower(static_cast<unsigned char>(b[j - 1]));
            const std::size_t replaced = diagonal + (same ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
    const auto best = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        return distance(name, a) < distance(name, b);
    });
    if (best == known.end() || distance(name, *best) > std::max<std::size_t>(2, name.size() / 3)) return {};
    return fmt::format("; did you mean {}?", *best);
}

// Drop-ins by name; what a higher folder has hides the lower one's, also when it is a link to /dev/null.
std::map<std::string, fs::path> drop_ins(const fs::path& root, std::string_view name) {
    std::map<std::string, fs::path> found;
    for (const char* folder : folders_by_priority) {
        std::error_code missing;
        for (const auto& entry : fs::directory_iterator(root / folder / fmt::format("{}.conf.d", name), missing))
            if (entry.path().extension() == ".conf") found.emplace(entry.path().filename(), entry.path());
    }
    std::erase_if(found, [](const auto& item) {
        std::error_code error;
        return fs::is_symlink(item.second, error) && fs::read_symlink(item.second, error) == "/dev/null";
    });
    return found;
}

}  // namespace

Result<Config> Config::load(std::string_view name, std::vector<Key> keys, const fs::path& root) {
    Config config;
    config.keys_ = std::move(keys);
    for (const char* folder : folders_by_priority) {
        const fs::path file = root / folder / fmt::format("{}.conf", name);
        std::error_code error;
        if (!fs::exists(file, error)) continue;
        if (auto read = config.read(file); !read) return read.error();
        break;
    }
    for (const auto& [file_name, file] : drop_ins(root, name))
        if (auto read = config.read(file); !read) return read.error();
    return config;
}

Result<Config> Config::load_file(const fs::path& file, std::vector<Key> keys) {
    Config config;
    config.keys_ = std::move(keys);
    if (auto read = config.read(file); !read) return read.error();
    return config;
}

Status Config::read(const fs::path& file) {
    std::ifstream stream(file);
    if (!stream)
        return Error(ErrorCode::invalid_config, fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
    std::string section, physical, logical;
    for (int number = 1, first = 1; std::getline(stream, physical); ++number) {
        if (logical.empty()) first = number;
        const std::string_view line = trim(physical);
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.back() == '\\') {
            logical += std::string(line.substr(0, line.size() - 1)) + ' ';
            continue;
        }
        logical += line;
        const std::string complete = std::exchange(logical, {});
        if (complete.front() == '[') {
            if (complete.back() != ']')
                return Error(ErrorCode::invalid_config,
                             fmt::format("{}:{}: a section is written [Section]", file.string(), first));
            section = complete.substr(1, complete.size() - 2);
            continue;
        }
        if (auto assigned = assign(section, complete, file.string(), first); !assigned) return assigned.error();
    }
    return {};
}

Status Config::assign(const std::string& section, std::string_view line, const std::string& file, int number) {
    const auto fail = [&](std::string_view why) {
        return Error(ErrorCode::invalid_config, fmt::format("{}:{}: {}", file, number, why));
    };
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return fail(fmt::format("'{}' is not of the form Name=value", line));
    if (section.empty()) return fail("an assignment before the first [Section]");
    const std::string name(trim(line.substr(0, equals)));
    if (auto known = check_key(section, name); !known) return fail(known.error().context());
    values_[{section, name}] = {std::string(trim(line.substr(equals + 1))), file, number};
    return {};
}

Status Config::check_key(const std::string& section, const std::string& name) const {
    std::vector<std::string> sections, names;
    for (const Key& key : keys_) {
        if (key.section == section && key.name == name) return {};
        sections.push_back(key.section);
        if (key.section == section) names.push_back(key.name);
    }
    if (names.empty())
        return Error(ErrorCode::invalid_config,
                     fmt::format("unknown section [{}]{}", section, nearest(section, sections)));
    return Error(ErrorCode::invalid_config,
                 fmt::format("[{}] has no key {}={}", section, name, nearest(name, names)));
}

const Config::Value* Config::find(std::string_view section, std::string_view name) const {
    const auto found = values_.find({std::string(section), std::string(name)});
    return found == values_.end() || found->second.text.empty() ? nullptr : &found->second;
}

std::optional<std::string> Config::text(std::string_view section, std::string_view name) const {
    const Value* value = find(section, name);
    return value == nullptr ? std::nullopt : std::optional(value->text);
}

Error Config::complain(std::string_view section, std::string_view name, std::string_view why) const {
    const Value* value = find(section, name);
    if (value == nullptr) return Error(ErrorCode::invalid_config, fmt::format("[{}] {}=: {}", section, name, why));
    return Error(ErrorCode::invalid_config, fmt::format("{}:{}: [{}] {}={}: {}", value->file, value->line, section,
                                                        name, value->text, why));
}

Error Config::complain_of_secret(std::string_view section, std::string_view name, std::string_view why) const {
    const Value* value = find(section, name);
    const std::string place = value == nullptr ? "" : fmt::format("{}:{}: ", value->file, value->line);
    return Error(ErrorCode::invalid_config, fmt::format("{}[{}] {}=: {}", place, section, name, why));
}

Result<std::optional<bool>> Config::boolean(std::string_view section, std::string_view name) const {
    const auto value = text(section, name);
    if (!value) return std::optional<bool>();
    for (const char* yes : {"yes", "true", "on", "1"})
        if (*value == yes) return std::optional(true);
    for (const char* no : {"no", "false", "off", "0"})
        if (*value == no) return std::optional(false);
    return complain(section, name, "expected yes or no");
}

Result<std::optional<std::uint64_t>> Config::number(std::string_view section, std::string_view name,
                                                    std::uint64_t min, std::uint64_t max) const {
    const auto value = text(section, name);
    if (!value) return std::optional<std::uint64_t>();
    std::uint64_t parsed = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), parsed);
    if (error != std::errc{} || end != value->data() + value->size() || parsed < min || parsed > max)
        return complain(section, name, fmt::format("expected a whole number from {} to {}", min, max));
    return std::optional(parsed);
}

Result<std::optional<base::Duration>> Config::duration(std::string_view section, std::string_view name) const {
    const auto value = text(section, name);
    if (!value) return std::optional<base::Duration>();
    const auto parsed = parse_duration(*value);
    if (!parsed) return complain(section, name, "expected a time such as 500ms, 5s or 2min 30s");
    return parsed;
}

std::optional<base::Duration> parse_duration(std::string_view text) {
    static const std::map<std::string_view, double> unit_seconds{
        {"us", 1e-6}, {"ms", 1e-3}, {"", 1},     {"s", 1},    {"sec", 1},  {"m", 60},
        {"min", 60},  {"h", 3600},  {"hr", 3600}, {"d", 86400}, {"day", 86400}};
    double seconds = 0;
    text = trim(text);
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        double amount = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
        if (error != std::errc{} || amount < 0) return std::nullopt;
        text = trim(text.substr(static_cast<std::size_t>(end - text.data())));
        const auto length = std::min(text.find_first_of("0123456789. \t"), text.size());
        const auto unit = unit_seconds.find(text.substr(0, length));
        if (unit == unit_seconds.end()) return std::nullopt;
        seconds += amount * unit->second;
        text = trim(text.substr(length));
    }
    if (!(seconds < 1e9)) return std::nullopt;
    return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace fairlead::config
