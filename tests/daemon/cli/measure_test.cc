#include "daemon/cli/measure.h"

#include <gtest/gtest.h>

namespace glyphward::daemon {
namespace {

TEST(Wilson, HoldsTheTrueShare) {
  struct Case {
    Share share;
    double low, high;
  };
  // Computed apart, in Python.
  for (const Case& one : {Case{{5, 10}, 0.2366, 0.7634}, Case{{0, 100}, 0.0, 0.0370},
                          Case{{100, 100}, 0.9630, 1.0}, Case{{1286, 1290}, 0.9921, 0.9988}}) {
    const Interval interval = wilson(one.share);
    EXPECT_NEAR(interval.low, one.low, 1e-4) << one.share.count << " of " << one.share.of;
    EXPECT_NEAR(interval.high, one.high, 1e-4) << one.share.count << " of " << one.share.of;
  }
  EXPECT_EQ(wilson({0, 0}).low, 0);
  EXPECT_EQ(wilson({0, 0}).high, 1);
}

TEST(Percentile, IsAValueThatWasGiven) {
  EXPECT_EQ(percentile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(percentile({1}, 0.99), 1);
}

}  // namespace
}  // namespace glyphward::daemon
