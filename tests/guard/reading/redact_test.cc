#include "guard/reading/redact.h"

#include <gtest/gtest.h>

namespace glyphward::guard {
namespace {

model::Image plain(int width, int height, std::uint8_t value) {
  return {width, height,
          std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height), value)};
}

TEST(Redact, FillsTheBoxAndItsMarginWithTheColourAround) {
  model::Image image = plain(60, 40, 100);
  for (int y = 15; y < 25; ++y)
    for (int x = 20; x < 40; ++x) image.rgb[static_cast<std::size_t>(3 * (y * 60 + x))] = 0;
  const model::Image result = redacted(image, {{22, 17, 38, 23}});  // OCR's box is a little small
  EXPECT_EQ(result, plain(60, 40, 100));
}

TEST(Redact, LeavesTheRestAlone) {
  model::Image image = plain(60, 40, 100);
  image.rgb[0] = 1;
  image.rgb[3 * (60 * 40 - 1)] = 2;
  EXPECT_EQ(redacted(image, {}), image);
  EXPECT_EQ(redacted(image, {{20, 15, 40, 25}}), image);
}

TEST(Redact, TakesABoxThatFillsOrLeavesThePicture) {
  model::Image image = plain(8, 6, 50);
  image.rgb[0] = 200;
  EXPECT_EQ(redacted(image, {{0, 0, 8, 6}}), plain(8, 6, 50));
  EXPECT_EQ(redacted(image, {{-5, -5, 100, 100}}), plain(8, 6, 50));
  EXPECT_EQ(redacted(image, {{20, 20, 30, 30}}), image);
}

}  // namespace
}  // namespace glyphward::guard
