#include "guard/reading/confusions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/config_error.h"

namespace glyphward::guard {
namespace {

TEST(Confusions, FoldsLettersThatOcrConfuses) {
  EXPECT_EQ(folded_letters("Sh1T!"), "shiti");
  EXPECT_EQ(folded_letters("5H\xC3\x8DT"), "shit");
  EXPECT_EQ(folded_letters("F U\nC-K"), "fuck");
  EXPECT_EQ(folded_letters("\xE2\x82\xAC \xC2\xA9"), "ec");
  EXPECT_EQ(folded_letters(""), "");
  EXPECT_EQ(folded_letters("\xFF\xD0"), "");
}

TEST(Confusions, SimilarityCountsWrongLetters) {
  EXPECT_DOUBLE_EQ(similarity_within("fuck", "fuck"), 1);
  EXPECT_DOUBLE_EQ(similarity_within("fuck", "xxfuckyou"), 1);
  EXPECT_DOUBLE_EQ(similarity_within("fuck", "fukc"), 0.75);
  EXPECT_DOUBLE_EQ(similarity_within("fuck", "fuc"), 0.75);
  EXPECT_DOUBLE_EQ(similarity_within("bitch", "bltch"), 1);
  EXPECT_DOUBLE_EQ(similarity_within("bum", "burn"), 1);
  EXPECT_DOUBLE_EQ(similarity_within("burn", "bum"), 1);
  EXPECT_DOUBLE_EQ(similarity_within("fuck", "fucx"), 0.875);
  EXPECT_DOUBLE_EQ(similarity_within("fuck", ""), 0);
  EXPECT_DOUBLE_EQ(similarity_within("", "abc"), 1);
  EXPECT_LE(similarity_within("fuck", "kindness"), 0.5);
}

// Every alignment, tried one by one.
double least_cost(std::string_view word, std::string_view text) {
  if (word.empty()) return 0;
  double best = static_cast<double>(word.size()) + (text.empty() ? 0 : 0);
  if (text.empty()) return best;
  best = std::min(best, 1 + least_cost(word.substr(1), text));
  best = std::min(best, 1 + least_cost(word, text.substr(1)));
  best = std::min(best, (word[0] == text[0] ? 0 : 1) + least_cost(word.substr(1), text.substr(1)));
  if (word.size() > 1 && text.size() > 1 && word[0] == text[1] && word[1] == text[0])
    best = std::min(best, 1 + least_cost(word.substr(2), text.substr(2)));
  return best;
}

TEST(Confusions, SimilarityAgreesWithAnExhaustiveSearch) {
  // Letters that no confusion joins.
  const std::string letters = "agz";
  std::vector<std::string> words = {""};
  for (std::size_t i = 0; i < words.size() && words[i].size() < 4; ++i)
    for (char c : letters) words.push_back(words[i] + c);
  for (const std::string& word : words) {
    if (word.empty()) continue;
    for (const std::string& text : words) {
      double least = static_cast<double>(word.size());
      for (std::size_t start = 0; start <= text.size(); ++start) {
        // The text may end anywhere: what follows costs nothing.
        for (std::size_t length = 0; start + length <= text.size(); ++length)
          least = std::min(least, least_cost(word, std::string_view(text).substr(start, length)));
      }
      EXPECT_NEAR(similarity_within(word, text), 1 - least / static_cast<double>(word.size()),
                  1e-12)
          << word << " in " << text;
    }
  }
}

TEST(Confusions, VariantsAreWhatMayHaveBeenDrawn) {
  const auto holds = [](const std::string& word, const std::string& variant) {
    const std::vector<std::string> variants = confusion_variants(word);
    return std::find(variants.begin(), variants.end(), variant) != variants.end();
  };
  EXPECT_TRUE(holds("burn", "bum"));
  EXPECT_TRUE(holds("rnvv", "mw")) << "rows of the table combine";
  EXPECT_FALSE(holds("burn", "burn"));
  EXPECT_FALSE(holds("duck", "fuck")) << "no confusion, though one letter apart";
  EXPECT_TRUE(confusion_variants("ax").empty());
  EXPECT_LE(confusion_variants("Illi|vvVVclrnq({68II<l<").size(), 64u);
}

TEST(Confusions, WordsOfEverydayLanguageMeanThemselves) {
  EXPECT_TRUE(means_itself("burn"));
  EXPECT_TRUE(means_itself("Click"));
  EXPECT_FALSE(means_itself("c|ick"));
  EXPECT_FALSE(means_itself(""));
}

TEST(Confusions, TableIsCheckedLineByLine) {
  struct Fault {
    const char* table;
    const char* message;
  };
  const Fault faults[] = {
      {"# kinds\n\nmirror\ta\tb\n", "t.tsv:3: kind: expected letter,"},
      {"near\ta\n", "t.tsv:1: expected 3 fields"},
      {"near\ta\t\n", "t.tsv:1: expected no empty field"},
      {"letter\t01\to\n", "t.tsv:1: letter: expected one character, found '01'"},
      {"letter\t\xFF\to\n", "t.tsv:1: letter: expected one character"},
      {"letter\t0\tO\n", "t.tsv:1: letter: expected 1 of a to z, found 'O'"},
      {"letter\t0\to\nletter\t0\td\n", "t.tsv:2: letter: "},
      {"near\tab\tc\n", "t.tsv:1: near: expected 1 of a to z, found 'ab'"},
      {"near\ta\ta\n", "t.tsv:1: near: "},
      {"near\ta\tb\nsame\tb\ta\n", "t.tsv:2: same: "},
      {"split\tm\tr\n", "t.tsv:1: split: expected 2 of a to z, found 'r'"},
      {"split\tm\trn\nsplit\tm\trn\n", "t.tsv:2: split: "},
      {"variant\tl\tl\n", "t.tsv:1: variant: "},
      {"word\tBurn\tbum\n", "t.tsv:1: word: expected 4 of a to z, found 'Burn'"},
  };
  for (const Fault& fault : faults) {
    try {
      Confusions::parse(fault.table, "t.tsv");
      ADD_FAILURE() << fault.table;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()).rfind(fault.message, 0), 0u) << error.what();
    }
  }
}

TEST(Confusions, CostsGoBothWays) {
  const Confusions table = Confusions::parse("same\ti\tl\nnear\tc\tg\nsplit\tm\trn\n", "t.tsv");
  EXPECT_EQ(table.cost('i', 'l'), 0);
  EXPECT_EQ(table.cost('l', 'i'), 0);
  EXPECT_EQ(table.cost('g', 'c'), 0.5);
  EXPECT_EQ(table.cost('c', 'd'), 1);
  EXPECT_EQ(table.cost('d', 'd'), 0);
  EXPECT_TRUE(table.splits('m', 'r', 'n'));
  EXPECT_FALSE(table.splits('m', 'n', 'r'));
}

}  // namespace
}  // namespace glyphward::guard
