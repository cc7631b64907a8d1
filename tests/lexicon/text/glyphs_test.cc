#include "lexicon/text/glyphs.h"

#include <gtest/gtest.h>

#include "base/config_error.h"

namespace glyphward::lexicon {
namespace {

TEST(Glyphs, LookLikeLetters) {
  EXPECT_EQ(undecomposed(U'ø'), U"o");
  EXPECT_EQ(undecomposed(U'o'), U"");
  EXPECT_EQ(leet_letters(U'1'), U"il");
  EXPECT_EQ(leet_letters(U'❗'), U"i");
  EXPECT_EQ(sound_letters(U'x'), U"c");
  EXPECT_EQ(cyrillic_lookalike(U'u'), U"ицу");
  EXPECT_EQ(enclosed_letter(U'🅱'), U'b');
}

TEST(Glyphs, TellUnicodesConfusablesFromOthers) {
  std::u32string strict;
  EXPECT_EQ(confusable_letters(U'а', &strict), U"a");
  EXPECT_EQ(strict, U"a");
  EXPECT_EQ(confusable_letters(U'И', &strict), U"nu");
  EXPECT_EQ(strict, U"");
  EXPECT_EQ(confusable_letters(U'卂'), U"a");
  EXPECT_EQ(confusable_letters(U'a'), U"");
}

TEST(Glyphs, TurnByHalfACircle) {
  bool only = false;
  EXPECT_EQ(turned_letter(U'ɐ', &only), U'a');
  EXPECT_TRUE(only);
  EXPECT_EQ(turned_letter(U'd', &only), U'p');
  EXPECT_FALSE(only);
  EXPECT_EQ(turned_letter(U'k', nullptr), 0u);
}

TEST(GlyphTable, SaysWhatIsWrong) {
  const struct {
    const char* content;
    const char* expected;
  } cases[] = {
      {"", "t.tsv: header: expected the fields 'kind letters glyphs', parted by tabs"},
      {"kind\tletters\tglyphs\nlett\ta\t4\n", "t.tsv:2: kind: unknown: 'lett'"},
      {"kind\tletters\tglyphs\nleet\t\t4\n", "t.tsv:2: letters: expected 1 to 3, found 0"},
      {"kind\tletters\tglyphs\n# one\nturned\tab\tɐ\n",
       "t.tsv:3: letters: expected 1 to 1, found 2"},
      {"kind\tletters\tglyphs\nleet\ta\n", "t.tsv:2: glyphs: expected at least one, found none"},
      {"kind\tletters\tglyphs\nleet\ta\t4@\nleet\te\t3@\n", "t.tsv:3: glyphs: '@' appears twice"},
      {"kind\tletters\tglyphs\nalphabet\tabc\tДБ\n",
       "t.tsv:2: glyphs: expected one for each letter, 3, found 2"},
  };
  for (const auto& c : cases) {
    try {
      const GlyphTable table("t.tsv", c.content);
      ADD_FAILURE() << c.content;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()), c.expected);
    }
  }
}

}  // namespace
}  // namespace glyphward::lexicon
