#pragma once

namespace fairlead::base {

// For a daemon's first line: what a large request or page has taken goes back to the host as soon as it is freed. Left to
// itself the C library raises the size from which it does so with every large block, and one burst of large bodies stays
// resident for as long as the daemon lives.
void give_large_blocks_back();

}  // namespace fairlead::base
