#include "lexicon/words/word_table.h"

#include <gtest/gtest.h>

#include "base/config_error.h"

namespace glyphward::lexicon {
namespace {

const WordTable& table() { return WordTable::shipped(); }

TEST(WordTable, KnowsFrequentWordsAsCheaper) {
  EXPECT_LT(table().word(U"the").cost, table().word(U"coffee").cost);
  EXPECT_LT(table().word(U"coffee").cost, table().word(U"titmouse").cost);
  EXPECT_EQ(table().word(U"xqzvwk").cost, kNever);
}

TEST(WordTable, TellsTheLanguageInWhichAWordIsWrittenMost) {
  const auto language = [](std::u32string_view word) {
    return table().language(table().word(word).language);
  };
  EXPECT_EQ(language(U"coffee"), "en");
  EXPECT_EQ(language(U"strasse"), "de");
  EXPECT_EQ(language(U"привет"), "ru");
  EXPECT_EQ(table().language(table().language_number("sv")), "sv");
  EXPECT_EQ(table().language_number("xx"), 0);
  EXPECT_LT(table().word_in(table().language_number("it"), hash_of(U"con")), 9.0f);
}

TEST(WordTable, PricesUnknownWordsByTheirLetters) {
  EXPECT_LT(table().letters(U"brantling"), table().letters(U"brxqtljng"));
  EXPECT_LT(table().suffix(hash_of(U"ing")), 5.5f);
  EXPECT_EQ(table().suffix(hash_of(U"xqz")), kNever);
}

TEST(WordTable, KnowsFrequentWordsByTheirSlipsMasksAndSounds) {
  EXPECT_LT(table().near(Key::Less, hash_of(U"cofee")), 13.0f);
  EXPECT_LT(table().near(Key::Hidden, hash_of(U"c*ffee")), 13.0f);
  EXPECT_LT(table().near(Key::Sound, hash_of(sound_skeleton(U"koffee"))), 13.0f);
  EXPECT_LT(table().near(Key::Bones, hash_of(U"cff")), 13.0f);
}

TEST(WordTable, HasNoTermAmongNearWords) {
  EXPECT_EQ(table().near(Key::Sound, hash_of(sound_skeleton(U"fuk"))), kNever);
}

TEST(WordTable, KnowsNamesInManyScripts) {
  // Surnames, given names, places, a language.
  for (const std::u32string_view name :
       {U"wimberly", U"ibarra", U"cumming", U"corrinne", U"bonga", U"maricá", U"marica", U"obbicht",
        U"волочиськ", U"νικόδημοσ", U"あいまら語", U"सोमालिया"})
    EXPECT_LT(table().name(name), 18.0f);
  EXPECT_LT(table().name(U"smith"), table().name(U"wimberly"));
  for (const std::u32string_view word : {U"xqzvwk", U"brantling", U"of", U"coffee", U""})
    EXPECT_EQ(table().name(word), kNever);
}

TEST(WordTable, StaysBelowTwelveMegabytes) { EXPECT_LT(table().image().size(), 12'000'000u); }

TEST(WordTable, RefusesOtherImages) {
  EXPECT_THROW(WordTable(""), ConfigError);
  EXPECT_THROW(WordTable("GWWORDS1 and no more"), ConfigError);
  const std::string_view image = table().image();
  EXPECT_THROW(WordTable(image.substr(0, image.size() / 2)), ConfigError);
}

TEST(WordTable, HashesOfPartsJoin) {
  EXPECT_EQ(hash_of(U"coffee"), hash_join(hash_of(U"cof"), hash_of(U"fee"), 3));
}

}  // namespace
}  // namespace glyphward::lexicon
