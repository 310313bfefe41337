#pragma once
// How many journal lines one client, or one kind of event, may cause. A client that sends one bad call after the other
// would otherwise write a line with each, and fifty thousand agents that come to another leader would make the journal
// drop what others have to say; the first lines say all there is to say, and how many followed is told once their time
// is over. Decides only: who writes, and what, is the journal's business. Used by one strand.

#include "common/base/instant.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fairlead::masterd {

class LineLimit {
  public:
    struct Options {
        base::Duration window = std::chrono::minutes(1);   // from its first line
        std::size_t sources_max = 1000;                    // more than these share one allowance
    };

    static constexpr std::uint64_t a_few = 10;

    LineLimit() : LineLimit(Options{}) {}
    explicit LineLimit(Options options) : options_(options) {}

    // Whether a line that `source` has caused may be written, as one of so many in a window; if not, it is counted.
    bool allow(const std::string& source, base::Instant now, std::uint64_t lines_max = a_few);

    struct HeldBack {
        std::string source;  // empty: those beyond sources_max
        std::uint64_t lines = 0;
    };
    // Of the windows that are over, each once; whose window is over starts anew with its next line.
    std::vector<HeldBack> take_held_back(base::Instant now);

  private:
    struct Window {
        base::Instant end;
        std::uint64_t written = 0, held_back = 0;
    };

    Options options_;
    std::map<std::string, Window> windows_;
};

}  // namespace fairlead::masterd
