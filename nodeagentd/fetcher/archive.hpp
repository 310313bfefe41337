#pragma once
// Unpacks what frameworks call archives: .tar, plain or compressed (.tar.gz, .tgz, .tar.bz2, .tbz2, .tar.xz, .txz),
// .zip, and single files that are compressed (.gz, .bz2, .xz: the name without its ending). Reading is libarchive's
// work.

#include "nodeagentd/fetcher/sandbox.hpp"

namespace fairlead::nodeagentd::fetcher {

// By its name alone, as Mesos decides it.
bool is_archive(const std::string& name);

// Into the directory that the archive `name` lies in. Entries with absolute names or with "..", and entries behind a
// link, are refused. The archive stays. What it unpacks to is owned by who runs this.
base::Status extract(const Sandbox& sandbox, const std::string& name);

}  // namespace fairlead::nodeagentd::fetcher
