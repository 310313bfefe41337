#pragma once
// nodeagentd.conf as the agent uses it; docs/man/nodeagentd.conf.5 describes every key.

#include "common/base/error.hpp"
#include "common/base/instant.hpp"
#include "common/http/transport.hpp"
#include "common/http/url.hpp"
#include "common/zookeeper/url.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "nodeagentd/core/sandbox_lifetime.hpp"
#include "nodeagentd/inventory/override.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::nodeagentd {

// What clients of the Mesos API are told: some parse it, and want to see N.N.N of at least 1.9.
inline constexpr std::string_view api_version = "1.11.0";

struct Settings {
    std::vector<http::Url> masters;  // at least one, or
    std::optional<zookeeper::Url> zookeeper;  // where their leader is found
    base::Duration zookeeper_session_timeout = std::chrono::seconds(10);
    std::string hostname;
    http::tcp::endpoint listen;
    std::optional<boost::asio::ip::address> advertise;
    std::filesystem::path work_directory;
    std::filesystem::path runtime_directory;
    inventory::Override resources;
    std::string resources_text, attributes_text;  // as written, for /flags
    google::protobuf::RepeatedPtrField<v1::Attribute> attributes;
    std::optional<v1::DomainInfo::FaultDomain> fault_domain;
    base::Duration kill_grace{};
    base::Duration fetch_deadline{};
    core::SandboxRules sandboxes;
};

// `file` empty: /etc/fairlead/nodeagentd.conf with its drop-ins, as common/config looks for it. Nothing outside the
// configuration is looked at but the host's name.
base::Result<Settings> read_settings(const std::string& file);

}  // namespace fairlead::nodeagentd
