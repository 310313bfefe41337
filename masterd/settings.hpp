#pragma once
// masterd.conf as the master uses it; docs/man/masterd.conf.5 describes every key.

#include "allocator/modules.hpp"
#include "common/base/error.hpp"
#include "common/config/fault_domain.hpp"
#include "common/http/transport.hpp"
#include "common/zookeeper/url.hpp"
#include "masterd/core/options.hpp"

#include <boost/asio/ip/address.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace fairlead::masterd {

// What clients of the Mesos API are told: some parse it, and want to see N.N.N of at least 1.9.
inline constexpr std::string_view api_version = "1.11.0";

struct Settings {
    http::tcp::endpoint listen;
    std::optional<boost::asio::ip::address> advertise;  // none: found out, see common/http/advertise.hpp
    std::string hostname;
    std::string cluster_name;
    std::optional<config::FaultDomain> fault_domain;
    std::filesystem::path registry_file;
    std::optional<zookeeper::Url> zookeeper;  // none: a single master
    base::Duration zookeeper_session_timeout = std::chrono::seconds(10);
    unsigned threads = 2;
    allocator::ModuleChoice allocation_module;
    core::CoreOptions core;
};

// `file` empty: /etc/fairlead/masterd.conf with its drop-ins, as common/config looks for it.
base::Result<Settings> read_settings(const std::string& file);

}  // namespace fairlead::masterd
