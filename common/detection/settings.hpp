#pragma once
// What the daemons' configurations have in common about ZooKeeper: the zk:// URL, with the credentials that do not
// stand in it (in a file that the configuration names, or the credential `zookeeper` that systemd hands to the unit
// with LoadCredential=), and the timeout of sessions.

#include "common/base/instant.hpp"
#include "common/config/config.hpp"
#include "common/zookeeper/url.hpp"

#include <string>

namespace fairlead::detection {

// `text` is the value of `key`; `credentials_key` names the file. Errors name file, line and key.
base::Result<zookeeper::Url> read_url(const config::Config& config, const std::string& section, const std::string& key,
                                      const std::string& credentials_key);

// 10 s where the key is not set.
base::Result<base::Duration> read_session_timeout(const config::Config& config, const std::string& section,
                                                  const std::string& key);

}  // namespace fairlead::detection
