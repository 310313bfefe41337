#pragma once
// Which master fairctl asks: what the caller says, else the environment, else client.conf.

#include "common/base/error.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace fairlead::cli {

// Where client.conf is: one file, or where it is empty the usual places and drop-ins below `root`.
struct ConfigPlace {
    std::filesystem::path file;
    std::filesystem::path root = "/";
};

// --master, else FAIRLEAD_MASTER, else Master= of client.conf, else localhost. Several are
// separated by commas or blanks and tried in turn.
struct MasterChoice {
    std::vector<std::string> addresses;
    std::string source;  // "--master", "FAIRLEAD_MASTER", "client.conf", "default"
};
base::Result<MasterChoice> choose_master(const std::string& option, const ConfigPlace& place);

}  // namespace fairlead::cli
