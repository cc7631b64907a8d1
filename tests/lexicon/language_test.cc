#include "lexicon/language.h"

#include <gtest/gtest.h>

#include <string>

namespace glyphward::lexicon {
namespace {

TEST(LanguageOf, IsThatOfTheTextsOwnWords) {
  const struct {
    const char* text;
    const char* language;
  } cases[] = {
      {"the best coffee in town", "en"},
      {"Herzlich willkommen bei uns zu Hause", "de"},
      {"Bienvenue à tous dans notre maison", "fr"},
      {"Bienvenidos a nuestra casa", "es"},
      {"Добро пожаловать домой", "ru"},
      {"Καλώς ήρθατε στο σπίτι μας", "el"},
      {"ご来店ありがとうございます", "ja"},
      {"欢迎来到我们的商店", "zh"},
      {"환영합니다", "ko"},
      {"Etxe hau hemen aurkitu dugu", "eu"},
      {"Palun sisestage parool uuesti", "et"},
      {"Faka inani legama", "zu"},
  };
  for (const auto& c : cases) EXPECT_EQ(language_of(c.text), c.language) << c.text;
}

TEST(LanguageOf, IsEmptyWhereNoWordTells) {
  for (const char* text : {"", " ", "1234", "!?", "x", "a b c", "Xyzzqk Qwrtz", "\xFF\xFE", "'",
                           "''", "x'", "'x", "\u200B"})
    EXPECT_EQ(language_of(text), "") << text;
}

TEST(LanguageOf, NamesTellNothing) {
  for (const char* text : {"Szczepanska", "Szczepanska Wojciechowska", "Ogunleye Adebayo-Okonkwo",
                           "Anna Müller", "Dr. Sarah Connor", "MARIA GARCIA", "Hans Peter Müller"})
    EXPECT_EQ(language_of(text), "") << text;
  EXPECT_EQ(language_of("Maria, ich liebe dich"), "de");
  EXPECT_EQ(language_of("Sarah Connor war gestern hier"), "de");
  EXPECT_EQ(language_of("the will of the king"), "en") << "names have capitals";
}

TEST(LanguageOf, MostWordsDecide) {
  EXPECT_EQ(language_of("wir haben heute geöffnet, welcome"), "de");
  EXPECT_EQ(language_of("welcome everyone to this house, willkommen"), "en");
}

TEST(LanguageOf, WhereTheyTieTheOneInWhichMoreIsWritten) {
  EXPECT_EQ(language_of("welcome willkommen"), "en");
  EXPECT_EQ(language_of("willkommen welcome"), "en");
}

TEST(LanguageOf, ShortWordsAreSharedByLanguages) {
  for (const char* text : {"no", "NO NO", "de la", "a b"}) EXPECT_EQ(language_of(text), "") << text;
  EXPECT_EQ(language_of("no way"), "en");
}

TEST(LanguageOf, ApostrophesArePartOfWords) {
  for (const char* apostrophe : {"'", "’"}) {
    const std::string a = apostrophe;
    EXPECT_EQ(language_of("don" + a + "t"), "en");  // "don" alone is a Spanish title
    EXPECT_EQ(language_of("d" + a + "habitude j" + a + "écoute"), "fr");
    EXPECT_EQ(language_of("l" + a + "eau"), "fr");
  }
  EXPECT_EQ(language_of("'welcome'"), "en") << "quotation marks are none";
}

TEST(LanguageOf, KanaAreOneAlphabet) {
  EXPECT_EQ(language_of("コーヒー"), "ja");
  EXPECT_EQ(language_of("アリガトウ"), "ja");
}

TEST(LanguageOf, KnowsLettersThatFoldToSeveral) {
  EXPECT_EQ(language_of("Straße"), "de");
  EXPECT_EQ(language_of("GROSSE STRASSE"), "de");
}

TEST(LanguageOf, CaseAndWidthMakeNoDifference) {
  EXPECT_EQ(language_of("WILLKOMMEN ZU HAUSE"), "de");
  EXPECT_EQ(language_of("ＷＩＬＬＫＯＭＭＥＮ"), language_of("willkommen"));
}

// Also of one word without an end.
TEST(LanguageOf, IsLinear) {
  for (const char* unit : {"wir haben geöffnet ", "a", "愛", "l'"}) {
    std::string text;
    while (text.size() < 1000000) text += unit;
    language_of(text);
  }
}

}  // namespace
}  // namespace glyphward::lexicon
