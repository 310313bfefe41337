#include "common/config/fault_domain.hpp"

#include <algorithm>

namespace fairlead::config {
namespace {

constexpr std::size_t name_bytes_max = 255;

bool is_name(std::string_view text) {
    const auto prints = [](unsigned char c) { return c > ' ' && c != 0x7f && c != '/'; };
    return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), prints);
}

}  // namespace

base::Result<FaultDomain> parse_fault_domain(std::string_view text) {
    const auto slash = text.find('/');
    const std::string_view region = text.substr(0, slash);
    const std::string_view zone = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
    if (!is_name(region) || !is_name(zone))
        return base::Error(base::ErrorCode::invalid_config, "expected REGION/ZONE, such as eu-west/r7");
    return FaultDomain{std::string(region), std::string(zone)};
}

}  // namespace fairlead::config
