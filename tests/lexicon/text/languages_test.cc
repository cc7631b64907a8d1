#include "lexicon/text/languages.h"

#include <gtest/gtest.h>

#include "base/config_error.h"

namespace glyphward::lexicon {
namespace {

TEST(Languages, ShowInFunctionWordsAndLetters) {
  EXPECT_EQ(LanguageIndex("the shop and the wall").all().main(), "en");
  EXPECT_EQ(LanguageIndex("un chat dans la rue").all().main(), "fr");
  EXPECT_EQ(LanguageIndex("ein Schild mit Straße").all().main(), "de");
  EXPECT_EQ(LanguageIndex("привет").all().main(), "ru");
  EXPECT_EQ(LanguageIndex("かな").all().main(), "ja");
  EXPECT_EQ(LanguageIndex("її кава і її чай").all().main(), "uk");
  EXPECT_EQ(LanguageIndex("η πόλη").all().main(), "el");
  EXPECT_EQ(LanguageIndex("nu este o casă").all().main(), "ro");
  EXPECT_EQ(LanguageIndex("xyzzy").all().main(), "");
  EXPECT_TRUE(LanguageIndex("slut på").all().has("sv"));
  EXPECT_FALSE(LanguageIndex("slut på").all().has("en"));
}

TEST(Languages, AreThoseNearAPlace) {
  const std::string text = "the word here" + std::string(300, '.') + "på nu";
  const LanguageIndex index(text);
  EXPECT_TRUE(index.near(4, 8, 0, text.size()).has("en"));
  EXPECT_FALSE(index.near(4, 8, 0, text.size()).has("sv"));
  EXPECT_FALSE(index.near(4, 8, 4, text.size()).has("en")) << "\"the\" is cut off";
}

TEST(LanguageTable, SaysWhatIsWrong) {
  const struct {
    const char* content;
    const char* expected;
  } cases[] = {
      {"kind\twords\n",
       "t.tsv:1: header: expected the fields 'kind languages signs', parted by tabs"},
      {"kind\tlanguages\tsigns\nwords\tenn\tthe\n", "t.tsv:2: languages: unknown: 'enn'"},
      {"kind\tlanguages\tsigns\nword\ten\tthe\n",
       "t.tsv:2: kind: expected words or letters, found 'word'"},
      {"kind\tlanguages\tsigns\nwords\ten\n", "t.tsv:2: signs: expected at least one, found none"},
      {"kind\tlanguages\tsigns\nletters\tde\tß\nletters\tfr\tß\n",
       "t.tsv:3: signs: 'ß' appears twice"},
  };
  for (const auto& c : cases) {
    try {
      const LanguageTable table("t.tsv", c.content);
      ADD_FAILURE() << c.content;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()), c.expected);
    }
  }
}

}  // namespace
}  // namespace glyphward::lexicon
