#include "frameworks/replay/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::frameworks::replay {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Report, SaysHowNearTasksWereToTheirInputWhereThatIsKnown) {
    Ledger ledger({{"job", 0, 4 * map_input_bytes_max}}, {});
    EXPECT_THAT(summary({{"red", &ledger}}), Not(HasSubstr("near its input")));
    ledger.note_locality(sdk::Locality::host);
    ledger.note_locality(sdk::Locality::host);
    ledger.note_locality(sdk::Locality::rack);
    ledger.note_locality(sdk::Locality::anywhere);
    EXPECT_THAT(summary({{"red", &ledger}}), HasSubstr("50 / 25 / 25"));
}

}  // namespace
}  // namespace fairlead::frameworks::replay
