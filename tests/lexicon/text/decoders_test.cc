#include "lexicon/text/decoders.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace glyphward::lexicon {
namespace {

bool decodes(std::string_view text, std::string_view expected) {
  const std::vector<Decoded> all = decode_all(text);
  return std::any_of(all.begin(), all.end(),
                     [&](const Decoded& decoded) { return decoded.text == expected; });
}

TEST(Decoders, ReadEachCode) {
  const struct {
    const char* note;
    const char* text;
    const char* expected;
  } cases[] = {
      {"tags", "<b>he</b>ck", "heck"},
      {"a tag with attributes", "h<font color=red>e</font>ck", "heck"},
      {"emphasis within a word", "h*e*ck", "heck"},
      {"bold", "**heck**", "heck"},
      {"brackets", "[i]heck[/i]", "heck"},
      {"numbers in brackets", "h[1]e[2]c[3]k", "heck"},
      {"digits between", "h1e0c2k", "heck"},
      {"the same letter between", "HxExCxK", "HECK"},
      {"named entity", "he&shy;ck", "he\u00ADck"},
      {"numbered entities", "&#104;eck", "heck"},
      {"hexadecimal entity", "h&#x65;ck", "heck"},
      {"percent", "%68eck", "heck"},
      {"escapes", "h\\u0065ck", "heck"},
      {"code points", "U+0068 U+0065 U+0063 U+006B", "heck"},
  };
  for (const auto& c : cases) EXPECT_TRUE(decodes(c.text, c.expected)) << c.note << ": " << c.text;
}

TEST(Decoders, LeaveOrdinaryTextsAlone) {
  for (const char* text : {"Open daily", "50 % off", "C:\\new", "R&D", "2 * 3", "a < b", "1984",
                           "... --- not", "SALE", "12-24-2024", "B2B", "Suite 4 (12)", "banana"}) {
    for (const Decoded& decoded : decode_all(text)) EXPECT_EQ(decoded.text, "") << text;
  }
}

TEST(Decoders, KnowWhereEachByteComesFrom) {
  for (const char* text : {"<b>he</b>ck", "h&#x65;ck", "h\\u0065ck"}) {
    const std::string_view source = text;
    for (const Decoded& decoded : decode_all(source)) {
      ASSERT_EQ(decoded.from.size(), decoded.text.size());
      for (const auto& [first, second] : decoded.from) {
        EXPECT_LT(first, second);
        EXPECT_LE(second, source.size());
      }
    }
  }
}

TEST(Decoders, MoveLetters) {
  const auto words = [](std::string_view word) {
    std::vector<std::string> result;
    for (const Decoded& decoded : decode_word(word)) result.push_back(decoded.text);
    return result;
  };
  EXPECT_EQ(words("urpx"), std::vector<std::string>{"heck"});
  const std::vector<std::string> latin = words("eckhay");
  EXPECT_NE(std::find(latin.begin(), latin.end(), "heck"), latin.end());
}

}  // namespace
}  // namespace glyphward::lexicon
