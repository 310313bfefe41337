#include "nodeagentd/runtime/unit_names.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace fairlead::nodeagentd::runtime {

namespace {

constexpr std::size_t name_bytes_max = 255;

std::string escape(std::string_view text, std::string_view kept) {
    std::string out;
    for (const char c : text) {
        const bool plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (plain || kept.find(c) != kept.npos) {
            out += c;
        } else {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string escape_framework(const base::FrameworkId& framework) {
    std::string out = escape(framework.value(), ".:-");
    for (char& c : out) {
        if (c == '-') c = '_';
    }
    return out;
}

std::string fit(std::string stem, std::string_view suffix) {
    if (stem.size() + suffix.size() > name_bytes_max) {
        std::uint64_t hash = 0xcbf29ce484222325ULL;
        for (const unsigned char c : stem) hash = (hash ^ c) * 0x100000001b3ULL;
        stem.resize(name_bytes_max - suffix.size() - 17);
        stem += fmt::format(":{:016x}", hash);
    }
    return stem.append(suffix);
}

}  // namespace

std::string slice_name(const base::FrameworkId& framework) {
    return fit("fairlead-" + escape_framework(framework), ".slice");
}

std::string scope_name(const base::FrameworkId& framework, const base::TaskId& task) {
    return fit("fairlead-" + escape_framework(framework) + "-" + escape(task.value(), ":_.-"),
               ".scope");
}

}  // namespace fairlead::nodeagentd::runtime
