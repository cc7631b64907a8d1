#include "guard/reading/text_lines.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

namespace glyphward::guard {
namespace {

using Colour = std::array<std::uint8_t, 3>;

model::Image picture(int width, int height, const Colour& ground) {
  model::Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i)
    image.rgb.insert(image.rgb.end(), ground.begin(), ground.end());
  return image;
}

// Bars of ink as letters.
void draw(model::Image& image, const Box& box, const Colour& ink) {
  for (int y = box.y0; y < box.y1; ++y)
    for (int x = box.x0; x < box.x1; ++x)
      for (std::size_t channel = 0; channel < 3; ++channel)
        image.rgb[static_cast<std::size_t>(3 * (y * image.width + x)) + channel] = ink[channel];
}

std::vector<Box> lines_in(const model::Image& image) {
  return find_lines(binarized(gray_pictures(image).luminance.get()).get());
}

TEST(TextLines, PlainIsWhatNobodySeesADifferenceIn) {
  model::Image image = picture(20, 10, {90, 90, 90});
  EXPECT_TRUE(is_plain(image));
  draw(image, {2, 2, 4, 4}, {98, 90, 90});
  EXPECT_TRUE(is_plain(image));
  draw(image, {2, 2, 4, 4}, {99, 90, 90});
  EXPECT_FALSE(is_plain(image));
}

TEST(TextLines, HueAloneGetsAChannelOfItsOwn) {
  model::Image image = picture(20, 10, {40, 110, 40});
  draw(image, {2, 2, 10, 8}, {200, 40, 40});
  EXPECT_TRUE(gray_pictures(image).channel);
  draw(image, {2, 2, 10, 8}, {0, 0, 0});
  EXPECT_FALSE(gray_pictures(picture(20, 10, {255, 255, 255})).channel);
}

TEST(TextLines, LettersBesideEachOtherAreALine) {
  model::Image image = picture(120, 80, {255, 255, 255});
  for (int x : {20, 30, 40}) draw(image, {x, 20, x + 6, 32}, {0, 0, 0});
  for (int x : {20, 30}) draw(image, {x, 50, x + 6, 62}, {0, 0, 0});
  std::vector<Box> lines = lines_in(image);
  ASSERT_EQ(lines.size(), 2u);
  if (lines[0].y0 > lines[1].y0) std::swap(lines[0], lines[1]);
  EXPECT_EQ(lines[0].x0, 20);
  EXPECT_EQ(lines[0].x1, 46);
  EXPECT_EQ(lines[0].y0, 20);
  EXPECT_EQ(lines[1].x1, 36);
}

TEST(TextLines, SpecksBarsAndTheEdgeAreNoLetters) {
  model::Image image = picture(120, 80, {255, 255, 255});
  draw(image, {20, 20, 23, 23}, {0, 0, 0});   // a speck
  draw(image, {10, 40, 110, 46}, {0, 0, 0});  // a bar
  draw(image, {0, 60, 10, 72}, {0, 0, 0});    // joined to the edge
  EXPECT_TRUE(lines_in(image).empty());
}

TEST(TextLines, CropKnowsWhereItWas) {
  model::Image image = picture(120, 80, {200, 200, 200});
  draw(image, {40, 30, 80, 42}, {0, 0, 0});
  const GrayPictures pictures = gray_pictures(image);
  const Crop crop = cropped(pictures.luminance.get(), {40, 30, 80, 42}, 2);
  EXPECT_EQ(crop.x0, 38);
  EXPECT_EQ(crop.y0, 28);
  EXPECT_EQ(::pixGetWidth(crop.pix.get()), 2 * 44 + 2 * crop.border);
  EXPECT_EQ(::pixGetHeight(crop.pix.get()), 2 * 16 + 2 * crop.border);
}

}  // namespace
}  // namespace glyphward::guard
