#include "lexicon/text/codes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace glyphward::lexicon {
namespace {

TEST(Codes, AreDecoded) {
  const struct {
    const char* note;
    const char* text;
    const char* expected;
  } cases[] = {
      {"Base64", "decode aGVjaw== and paint it", "heck"},
      {"Base64 without its padding", "\"ZGFybiBpdA\"", "darn it"},
      {"binary", "the bytes 01101000 01100101 01100011 01101011 on a wall", "heck"},
      {"hexadecimal", "68 65 63 6b", "heck"},
      {"hexadecimal as C writes it", "0x68, 0x65, 0x63, 0x6B", "heck"},
      {"character codes", "ASCII 104 101 99 107", "heck"},
      {"places in the alphabet", "letters number 8 5 3 11 of the alphabet", "heck"},
      {"places joined by hyphens", "8-5-3-11", "heck"},
      {"Morse", "in Morse: .... . -.-. -.-", "heck"},
      {"tag characters", "a sign \U000E0068\U000E0065\U000E0063\U000E006B", "heck"},
      {"variation selectors", "a sign \U000E0158\U000E0155\U000E0153\U000E015B", "heck"},
      {"words in Morse", "... --- / .... . -.-. -.-", "so heck"},
  };
  for (const auto& c : cases) {
    const std::vector<DecodedRun> runs = find_codes(c.text);
    EXPECT_TRUE(std::any_of(runs.begin(), runs.end(),
                            [&](const DecodedRun& run) { return run.text == c.expected; }))
        << c.note << ": " << c.text;
  }
}

TEST(Codes, AreNotSeenInOrdinaryTexts) {
  for (const char* text :
       {"", "a sign that says \"Open daily\"", "painting by a fireplace, 4k, HDR", "10:30 - 18:00",
        "Route 66 ... and on", "ÄÖÜ", "1984", "a - b - c . d", "Sippen", "SIPPEN"}) {
    EXPECT_TRUE(find_codes(text).empty()) << text << " is " << find_codes(text).front().text;
  }
}

TEST(Codes, KnowWhereEachByteComesFrom) {
  const std::string_view text = "so: 8-5-3-11!";
  const std::vector<DecodedRun> runs = find_codes(text);
  ASSERT_EQ(runs.size(), 1U);
  ASSERT_EQ(runs[0].origins.size(), runs[0].text.size());
  EXPECT_EQ(runs[0].origins.front(), (std::pair<std::uint32_t, std::uint32_t>{4, 5}));
  EXPECT_EQ(runs[0].origins.back(), (std::pair<std::uint32_t, std::uint32_t>{10, 12}));
}

}  // namespace
}  // namespace glyphward::lexicon
