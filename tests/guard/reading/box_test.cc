#include "guard/reading/box.h"

#include <gtest/gtest.h>

namespace glyphward::guard {
namespace {

bool equal(const Box& a, const Box& b) {
  return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

TEST(Box, SidesThatTouchDoNotOverlap) {
  EXPECT_TRUE(overlap({0, 0, 10, 10}, {9, 9, 20, 20}));
  EXPECT_FALSE(overlap({0, 0, 10, 10}, {10, 0, 20, 10}));
  EXPECT_FALSE(overlap({0, 0, 10, 10}, {0, 10, 10, 20}));
  EXPECT_TRUE(overlap({0, 0, 10, 10}, {2, 2, 3, 3}));
}

TEST(Box, ContainsItselfAndWhatIsWithin) {
  EXPECT_TRUE(contains({0, 0, 10, 10}, {0, 0, 10, 10}));
  EXPECT_TRUE(contains({0, 0, 10, 10}, {2, 2, 3, 3}));
  EXPECT_FALSE(contains({0, 0, 10, 10}, {2, 2, 3, 11}));
}

TEST(Box, IsClippedToThePicture) {
  EXPECT_TRUE(equal(clipped({-5, 3, 30, 40}, 20, 10), {0, 3, 20, 10}));
  EXPECT_EQ(width(clipped({25, 0, 30, 5}, 20, 10)), 0);
}

// The union of the first two reaches the third, which neither does.
TEST(Box, MergesUntilNoneOverlap) {
  const std::vector<Box> boxes =
      merged({{0, 0, 4, 10}, {20, 20, 25, 25}, {3, 0, 10, 4}, {6, 6, 8, 8}});
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_TRUE(equal(boxes[0], {0, 0, 10, 10}));
  EXPECT_TRUE(equal(boxes[1], {20, 20, 25, 25}));
  EXPECT_TRUE(merged({}).empty());
}

}  // namespace
}  // namespace glyphward::guard
