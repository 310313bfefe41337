#pragma once
// The gangs of one plan: offers that are made together or not at all. Knows which lines of the plan make up what a framework
// has asked for, and which offers have been made of them so far; makes and ends none itself.

#include "masterd/core/books.hpp"

#include <map>
#include <string>
#include <vector>

namespace fairlead::masterd::core {

class GangsInPlan {
  public:
    struct Gang {
        FrameworkSlot framework = 0;
        std::string name;
        std::vector<Offer*> offers;
    };

    // What its lines together do not make up is lost before the first of them is looked at.
    GangsInPlan(const Books& books, const allocator::Plan& plan);

    // True for a line of no gang.
    bool may_be_whole(const allocator::OfferLine& line) const;
    // Keeps an offer with its gang. False for one of no gang.
    bool note(const allocator::OfferLine& line, Offer& offer);
    // A line does not hold: the offers that were made of its gang so far, which are nobody's now.
    std::vector<Offer*> give_up(const allocator::OfferLine& line);
    // Those of which every line became an offer. When all lines have been seen.
    std::vector<Gang> whole() const;

  private:
    using Key = std::pair<std::pair<FrameworkSlot, RoleSlot>, std::string>;
    static Key key_of(const allocator::OfferLine& line) { return {{line.framework, line.role}, line.gang}; }

    std::map<Key, Gang> gangs_;  // that may still be whole
};

}  // namespace fairlead::masterd::core
