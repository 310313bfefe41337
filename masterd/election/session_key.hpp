#pragma once
// The key of the ZooKeeper session under which this master contends, kept in a file of its runtime directory while the
// session lives. When the process dies without a word, systemd runs ExecStopPost, which closes the session with it: the
// next master need not wait for the session's timeout. Whoever can read the file can do the same: it is only ours.

#include "common/base/error.hpp"
#include "common/zookeeper/session.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace fairlead::masterd::election {

struct KeptSession {
    std::string servers;
    zookeeper::SessionKey key;
    friend bool operator==(const KeptSession&, const KeptSession&) = default;
};

// Replaces what is there; mode 0600.
base::Status keep(const std::filesystem::path& file, const KeptSession& session);
// Nothing: there is no file. malformed when it is none of ours.
base::Result<std::optional<KeptSession>> read_kept(const std::filesystem::path& file);
void forget(const std::filesystem::path& file);

// For ExecStopPost: closes the session in the file, if there is one, and removes the file. Blocks, `deadline` at most.
base::Status close_kept(const std::filesystem::path& file, base::Duration deadline);

}  // namespace fairlead::masterd::election
