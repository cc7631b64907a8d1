#include "guard/reading/ocr.h"

#include <gtest/gtest.h>
#include <leptonica/allheaders.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "base/config_error.h"
#include "guard/reading/redact.h"

namespace glyphward::guard {
namespace {

using Colour = std::array<std::uint8_t, 3>;
constexpr Colour kBlack{0, 0, 0}, kWhite{255, 255, 255}, kNavy{20, 30, 90}, kYellow{235, 205, 50},
    kRed{200, 40, 40};

// A picture with one line of Leptonica's own font; (x, baseline) is where it begins.
struct Drawing {
  int width = 192, height = 64;
  std::string text = "HELLO";
  Colour ink = kBlack, ground = kWhite;
  int points = 10;  // 4, 6, .. 20, at 300 dots an inch
  int x = 24, baseline = 42;
  bool frame = false;  // of ink, two pixels wide, near the edge
};

model::Image drawn(const Drawing& drawing) {
  L_BMF* font = bmfCreate(nullptr, drawing.points);
  PIX* text = pixCreate(drawing.width, drawing.height, 8);
  pixSetAllGray(text, 255);
  l_int32 text_width = 0, overflow = 0;
  pixSetTextline(text, font, drawing.text.c_str(), 0, drawing.x, drawing.baseline, &text_width,
                 &overflow);
  EXPECT_EQ(overflow, 0);
  model::Image image{drawing.width, drawing.height, {}};
  for (int y = 0; y < drawing.height; ++y)
    for (int x = 0; x < drawing.width; ++x) {
      l_uint32 value = 255;
      pixGetPixel(text, x, y, &value);
      const bool edge = x < 8 || y < 4 || x >= drawing.width - 8 || y >= drawing.height - 4;
      const bool inner = x >= 6 && y >= 2 && x < drawing.width - 6 && y < drawing.height - 2;
      const bool ink = value < 128 || (drawing.frame && edge && inner);
      for (std::uint8_t channel : ink ? drawing.ink : drawing.ground) image.rgb.push_back(channel);
    }
  pixDestroy(&text);
  bmfDestroy(&font);
  return image;
}

Ocr& engine() {
  static const std::unique_ptr<Ocr> ocr = Ocr::open();
  return *ocr;
}

std::string letters(const std::string& text) {
  std::string result;
  for (unsigned char c : text)
    if (std::isalpha(c) != 0) result += static_cast<char>(std::toupper(c));
  return result;
}

std::string all_passes(const Reading& reading) {
  std::string text;
  for (const Pass& pass : reading.passes) text += pass.name + ": " + pass.text() + "\n";
  return text;
}

TEST(Ocr, ReadsDarkOnLightAndLightOnDark) {
  for (const auto& [ink, ground] : {std::pair{kBlack, kWhite}, std::pair{kWhite, kBlack},
                                    std::pair{kNavy, kYellow}, std::pair{kYellow, kNavy}})
    for (bool frame : {false, true}) {
      Drawing drawing;
      drawing.ink = ink;
      drawing.ground = ground;
      drawing.frame = frame;
      const Reading reading = engine().read(drawn(drawing));
      EXPECT_EQ(letters(reading.best), "HELLO") << all_passes(reading);
    }
}

// Red and green of one luminance: only their hue differs.
TEST(Ocr, ReadsInkThatDiffersInHueAlone) {
  Drawing drawing;
  drawing.ink = kRed;
  drawing.ground = {40, 110, 40};
  const Reading reading = engine().read(drawn(drawing));
  EXPECT_EQ(letters(reading.best), "HELLO") << all_passes(reading);
}

TEST(Ocr, ReadsSmallTextInALargePicture) {
  Drawing drawing;
  drawing.width = 512;
  drawing.height = 512;
  drawing.text = "COFFEE HOUSE";
  drawing.x = 250;
  drawing.baseline = 380;
  drawing.points = 6;
  const Reading reading = engine().read(drawn(drawing));
  EXPECT_EQ(letters(reading.best), "COFFEEHOUSE") << all_passes(reading);
}

TEST(Ocr, MapsBoxesToThePicturesPixels) {
  for (int points : {8, 16}) {
    Drawing drawing;
    drawing.width = 400;
    drawing.height = 300;
    drawing.x = 120;
    drawing.baseline = 100;
    drawing.points = points;
    const model::Image image = drawn(drawing);
    Box ink{400, 300, 0, 0};
    for (int y = 0; y < 300; ++y)
      for (int x = 0; x < 400; ++x)
        if (image.rgb[static_cast<std::size_t>(3 * (y * 400 + x))] == 0)
          ink = {std::min(ink.x0, x), std::min(ink.y0, y), std::max(ink.x1, x + 1),
                 std::max(ink.y1, y + 1)};
    const Reading reading = engine().read(image);
    ASSERT_EQ(reading.boxes.size(), 1u) << all_passes(reading);
    const Box& box = reading.boxes[0];
    EXPECT_NEAR(box.x0, ink.x0, 6);
    EXPECT_NEAR(box.y0, ink.y0, 6);
    EXPECT_NEAR(box.x1, ink.x1, 6);
    EXPECT_NEAR(box.y1, ink.y1, 6);
  }
}

TEST(Ocr, RedactedTextIsReadNoMore) {
  for (int points : {6, 10, 16}) {
    Drawing drawing;
    drawing.width = 400;
    drawing.height = 300;
    drawing.x = 120;
    drawing.baseline = 100;
    drawing.points = points;
    drawing.ink = kNavy;
    drawing.ground = kYellow;
    const model::Image image = drawn(drawing);
    const Reading reading = engine().read(image);
    ASSERT_EQ(letters(reading.best), "HELLO") << all_passes(reading);
    const model::Image covered = redacted(image, reading.boxes);
    drawing.text = "";
    EXPECT_EQ(covered, drawn(drawing)) << points;
    EXPECT_EQ(letters(engine().read(covered).best), "");
  }
}

TEST(Ocr, FindsNothingInAPlainPicture) {
  const Reading reading = engine().read({192, 64, std::vector<std::uint8_t>(192 * 64 * 3, 90)});
  EXPECT_EQ(letters(reading.best), "");
  EXPECT_TRUE(reading.boxes.empty());
}

TEST(Ocr, TakesPicturesOfAnySize) {
  for (const auto& [width, height] :
       {std::pair{1, 1}, std::pair{8, 8}, std::pair{3, 300}, std::pair{2048, 16}}) {
    const auto bytes = static_cast<std::size_t>(3 * width * height);
    EXPECT_NO_THROW(engine().read({width, height, std::vector<std::uint8_t>(bytes, 90)}))
        << width << "x" << height;
  }
}

TEST(Ocr, RefusesAPictureWhoseBytesDoNotAgree) {
  EXPECT_THROW(engine().read({192, 64, {1, 2, 3}}), std::runtime_error);
  EXPECT_THROW(engine().read({0, 0, {}}), std::runtime_error);
}

TEST(Ocr, NamesALanguageThatIsNotInstalled) {
  for (const std::string languages : {"tlh", "eng+tlh"}) {
    try {
      Ocr::open(languages);
      FAIL() << languages;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("tlh"), std::string::npos) << error.what();
    }
  }
}

TEST(Ocr, KnowsWhichScriptsItReads) {
  EXPECT_TRUE(
      engine().inspectable("Caf\xC3\xA9"
                           " No. 5, 100 % \xE2\x82\xAC!"));
  EXPECT_TRUE(engine().inspectable(""));
  EXPECT_FALSE(engine().inspectable("\xD0\xBF\xD1\x80\xD0\xB8"));  // Cyrillic
  EXPECT_FALSE(engine().inspectable("OPEN \xE5\x95\x86"));         // a Han character
  EXPECT_FALSE(
      engine().inspectable("f\xCF\x85"
                           "ck"));  // a Greek upsilon
  EXPECT_FALSE(engine().inspectable("\xFF"));
}

TEST(Ocr, PassTextKeepsLinesApart) {
  Pass pass{
      "",
      {{"UP", 90, {0, 0, 10, 10}}, {"HERE", 90, {12, 1, 30, 11}}, {"DOWN", 90, {0, 20, 10, 30}}}};
  EXPECT_EQ(pass.text(), "UP HERE\nDOWN");
}

}  // namespace
}  // namespace glyphward::guard
