#include "nodeagentd/journal.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace fairlead::nodeagentd {
namespace {

TEST(Journal, EveryReportHasAnIdThatTheCatalogExplains) {
    std::ifstream file(FAIRLEAD_CATALOG);
    const std::string catalog{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(catalog.empty());
    for (int kind = 0; kind <= static_cast<int>(core::Report::last_kind); ++kind) {
        const auto shape = journal_shape(static_cast<core::Report::Kind>(kind));
        EXPECT_EQ(shape.message_id.size(), 32u) << "kind " << kind;
        const std::string entry = "-- " + std::string(shape.message_id) + "\nSubject: ";
        EXPECT_NE(catalog.find(entry), std::string::npos) << "kind " << kind;
    }
}

}  // namespace
}  // namespace fairlead::nodeagentd
