#include "cli/master_choice.hpp"

#include "common/config/config.hpp"
#include "common/http/url.hpp"

#include <algorithm>
#include <cstdlib>

namespace fairlead::cli {

using base::Error;
using base::ErrorCode;

namespace {

constexpr unsigned port_otherwise = 5050;

// Addresses between commas or blanks: agents' Master= has blanks, and people try both.
std::vector<std::string> split(const std::string& text) {
    constexpr const char* between = ", \t";
    std::vector<std::string> parts;
    for (auto from = text.find_first_not_of(between); from != std::string::npos;) {
        const auto to = std::min(text.find_first_of(between, from), text.size());
        parts.push_back(text.substr(from, to - from));
        from = text.find_first_not_of(between, to);
    }
    return parts;
}

// What is wrong with the first address that is none.
base::Status check(const std::vector<std::string>& addresses) {
    for (const auto& address : addresses)
        if (auto url = http::parse_url(address, port_otherwise); !url)
            return url.error().caused(ErrorCode::invalid_argument, "master " + address);
    return {};
}

base::Result<MasterChoice> configured_master(const ConfigPlace& place) {
    const std::vector<config::Key> keys{{"Client", "Master"}};
    const auto config = place.file.empty() ? config::Config::load("client", keys, place.root)
                                           : config::Config::load_file(place.file, keys);
    if (!config) return config.error();
    const auto text = config->text("Client", "Master");
    if (!text) return MasterChoice{{"http://localhost:5050"}, "default"};
    MasterChoice choice{split(*text), "client.conf"};
    if (const auto ok = check(choice.addresses); !ok)
        return config->complain("Client", "Master", ok.error().message());
    return choice;
}

}  // namespace

base::Result<MasterChoice> choose_master(const std::string& option, const ConfigPlace& place) {
    const char* environment = std::getenv("FAIRLEAD_MASTER");
    MasterChoice choice;
    if (!option.empty()) {
        choice = {split(option), "--master"};
    } else if (environment != nullptr && *environment != '\0') {
        choice = {split(environment), "FAIRLEAD_MASTER"};
    } else {
        return configured_master(place);
    }
    if (choice.addresses.empty())
        return Error(ErrorCode::invalid_argument, choice.source + " names no master");
    if (const auto ok = check(choice.addresses); !ok) return ok.error().in(choice.source);
    return choice;
}

}  // namespace fairlead::cli
