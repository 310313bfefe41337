#include "common/detection/settings.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace fairlead::detection {
namespace {

constexpr std::size_t file_bytes_max = 4096;

base::Result<zookeeper::Credentials> read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return base::errno_error("cannot read " + file.string(), errno);
    std::string text(file_bytes_max, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    auto credentials = zookeeper::parse_credentials(text);
    if (!credentials) return credentials.error().in(file.string());
    return credentials;
}

// Where systemd has put what LoadCredential=zookeeper names, if it has.
std::optional<std::filesystem::path> handed_over() {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) return std::nullopt;
    const auto file = std::filesystem::path(folder) / "zookeeper";
    std::error_code ignored;
    return std::filesystem::exists(file, ignored) ? std::optional(file) : std::nullopt;
}

}  // namespace

base::Result<zookeeper::Url> read_url(const config::Config& config, const std::string& section, const std::string& key,
                                      const std::string& credentials_key) {
    auto url = zookeeper::parse_url(config.text(section, key).value_or(""));
    if (!url) return config.complain_of_secret(section, key, url.error().message());
    const auto named = config.text(section, credentials_key);
    if (named && url->credentials)
        return config.complain(section, credentials_key, "user and password already stand in " + key + "=");
    if (named && !std::filesystem::path(*named).is_absolute())
        return config.complain(section, credentials_key, "expected the absolute path of a file with user:password");
    std::optional<std::filesystem::path> file;
    if (named)
        file = *named;
    else if (!url->credentials)
        file = handed_over();
    if (!file) return url;
    auto credentials = read_file(*file);
    if (!credentials && named) return config.complain(section, credentials_key, credentials.error().message());
    if (!credentials)
        return base::Error(base::ErrorCode::invalid_config,
                           "the credential zookeeper: " + credentials.error().message());
    url->credentials = *std::move(credentials);
    return url;
}

base::Result<base::Duration> read_session_timeout(const config::Config& config, const std::string& section,
                                                  const std::string& key) {
    constexpr base::Duration min = std::chrono::seconds(1), max = std::chrono::minutes(10);
    const auto timeout = config.duration(section, key);
    if (!timeout) return timeout.error();
    if (!*timeout) return base::Duration(std::chrono::seconds(10));
    if (**timeout < min || **timeout > max) return config.complain(section, key, "must be from 1s to 10min");
    return **timeout;
}

}  // namespace fairlead::detection
