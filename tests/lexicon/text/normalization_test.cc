#include "lexicon/text/normalization.h"

#include <gtest/gtest.h>

namespace glyphward::lexicon {
namespace {

// Whether some choice of readings spells the word, one cell a letter.
bool spells(const NormalizedText& text, std::u32string_view word) {
  if (text.cells.size() != word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    bool found = false;
    for (const CellReading* r = text.begin(text.cells[i]); r != text.end(text.cells[i]); ++r) {
      found = found || (r->size == 1 && r->letters[0] == word[i]);
    }
    if (!found) return false;
  }
  return true;
}

TEST(Normalization, ReadsEveryDisguiseAsItsLetters) {
  const struct {
    const char* note;
    const char* text;
    const char32_t* word;
  } cases[] = {
      {"plain", "Duck", U"duck"},
      {"full width", "ＤＵＣＫ", U"duck"},
      {"mathematical", "𝓓𝓾𝓬𝓴", U"duck"},
      {"circled", "ⓓⓤⓒⓚ", U"duck"},
      {"negative squared", "🅳🆄🅲🅺", U"duck"},
      {"regional indicators", "🇩🇺🇨🇰", U"duck"},
      {"superscript", "ᵈᵘᶜᵏ", U"duck"},
      {"small capitals", "ᴅᴜᴄᴋ", U"duck"},
      {"Cyrillic look-alikes", "сору", U"copy"},
      {"Greek look-alikes", "ρορ", U"pop"},
      {"zero width", "d\u200Bu\u200Dc\u2060k", U"duck"},
      {"soft hyphen", "d\u00ADuck", U"duck"},
      {"bidi controls", "\u202Ed\u202Cuck", U"duck"},
      {"marks in a heap", "d\u0300\u0301u\u0308c\u0327k\u0336", U"duck"},
      {"composed marks", "dûçk", U"duck"},
      {"leet", "b1rd", U"bird"},
      {"leet, the other reading", "b1ue", U"blue"},
      {"leet signs", "$@!l", U"sail"},
      {"keycaps", "b1\uFE0F\u20E3rd", U"bird"},
      {"half-width kana with voiced marks", "ｶﾞｿﾘﾝ", U"がそりん"},
      {"katakana", "カナ", U"かな"},
      {"conjoining jamo", "\u1100\u1161", U"가"},
      {"Latin letters in a Cyrillic word", "дoм", U"дом"},
  };
  for (const auto& c : cases) {
    EXPECT_TRUE(spells(normalize(c.text), c.word)) << c.note << ": " << c.text;
  }
}

TEST(Normalization, KeepsTheBytesOfEachCell) {
  const std::string text = "a\u200Bbс\u0301 d";
  const NormalizedText result = normalize(text);
  ASSERT_EQ(result.cells.size(), 5u);
  EXPECT_EQ(result.cells[0].start, 0u);
  EXPECT_EQ(result.cells[0].end, 4u) << "the invisible code point belongs to the letter before it";
  EXPECT_EQ(result.cells[1].start, 4u);
  EXPECT_EQ(result.cells[2].start, 5u);
  EXPECT_EQ(result.cells[2].end, 9u) << "the mark belongs to its letter";
  EXPECT_EQ(result.cells[4].start, 10u);
  EXPECT_EQ(result.cells[4].end, text.size());
}

TEST(Normalization, CoversAllBytesInOrderWhateverTheInput) {
  for (const std::string& text : {std::string("\xff\xfe"
                                              "a\xc3"),
                                  std::string("\u200B\u200Bx"), std::string("日本\xe6\x97"),
                                  std::string(5000, 'a'), std::string("a\0b", 3)}) {
    std::size_t last = 0;
    for (const Cell& cell : normalize(text).cells) {
      EXPECT_GE(cell.start, last);
      EXPECT_GT(cell.end, cell.start);
      last = cell.end;
    }
    EXPECT_LE(last, text.size());
  }
}

TEST(Normalization, SquashesRunsToTwoCells) {
  const NormalizedText result = normalize("shhhhhhh");
  ASSERT_EQ(result.cells.size(), 3u);
  EXPECT_EQ(result.cells[2].end, 8u);
  EXPECT_TRUE(result.cells[2].long_run);
  EXPECT_FALSE(normalize("shh").cells[2].long_run);
}

TEST(Normalization, TurnsUpsideDownText) {
  bool turned = false;
  EXPECT_TRUE(spells(turn(normalize("ʞɔnp"), &turned), U"duck"));
  EXPECT_TRUE(turned);
  turn(normalize("pond"), &turned);
  EXPECT_FALSE(turned) << "p, o, n and d are ordinary letters too";
}

TEST(Normalization, ReversesText) { EXPECT_TRUE(spells(reverse(normalize("kcud")), U"duck")); }

TEST(Normalization, FoldsTerms) {
  EXPECT_EQ(fold_term("Straße"), U"strasse");
  EXPECT_EQ(fold_term("  CAFÉ - Noir! "), U"café noir");
  EXPECT_EQ(strip_marks(fold_term("Café")), U"cafe");
  EXPECT_EQ(strip_marks(U"が"), U"が") << "a voiced kana is another letter";
}

}  // namespace
}  // namespace glyphward::lexicon
