#include "daemon/cli/models/localize_pairs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "base/config_error.h"

namespace glyphward::daemon {
namespace {

guard::Reading reading(std::initializer_list<const char*> texts) {
  guard::Reading reading;
  int x = 0;
  for (const char* text : texts) {
    guard::Pass pass;
    ++x;
    pass.words.push_back({.text = text, .confidence = 90, .box = {x, 2, 30, 14}});
    reading.passes.push_back(pass);
  }
  reading.boxes = {{0, 0, 192, 64}};
  return reading;
}

const model::PromptPair kPair = {"a \"hello\"", "a \"world\"", "hello", "world", 0, ""};

TEST(LocalizePairs, DifferInTheWordOnly) {
  const auto pairs = built_in_pairs(40, 3);
  ASSERT_EQ(pairs.size(), 40u);
  int open = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const model::PromptPair& pair = pairs[i];
    EXPECT_NE(pair.source_word, pair.target_word);
    EXPECT_EQ(pair.seed, 3 + i);
    std::string swapped = pair.source;
    swapped.replace(swapped.rfind(pair.source_word), pair.source_word.size(), pair.target_word);
    EXPECT_EQ(swapped, pair.target);
    open += pair.form == "open" ? 1 : 0;
    EXPECT_EQ(pair.form == "open", pair.source.starts_with("a thing that says \"")) << pair.source;
  }
  EXPECT_EQ(open, 20);
}

TEST(LocalizePairs, AreTheSameForTheSameSeed) {
  const auto sources = [](std::uint64_t seed) {
    std::string text;
    for (const auto& pair : built_in_pairs(10, seed)) text += pair.source + pair.target_word;
    return text;
  };
  EXPECT_EQ(sources(5), sources(5));
  EXPECT_NE(sources(5), sources(6));
}

TEST(LocalizePairs, ComeFromAFile) {
  const auto file = std::filesystem::temp_directory_path() / "glyphward_pairs.jsonl";
  std::ofstream(file)
      << R"({"source": "a \"cat\"", "target": "a \"dog\"", "source_word": "cat", "target_word": "dog"})"
      << "\n\n"
      << R"({"source": "s", "target": "t", "source_word": "a", "target_word": "b", "form": "open"})"
      << "\n";
  const auto pairs = read_pairs(file, 0, 7);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].target, "a \"dog\"");
  EXPECT_EQ(pairs[1].form, "open");
  EXPECT_EQ(pairs[1].seed, 8u);
  EXPECT_EQ(read_pairs(file, 1, 7).size(), 1u);

  const std::pair<const char*, const char*> wrong[] = {
      {"[]", ":1: expected a JSON object"},
      {"{\"source\": \"s\"", "expected a JSON object"},
      {R"({"source": "s", "target": "t", "source_word": "a"})",
       "target_word: expected a text, found none"},
      {R"({"source": "s", "target": "t", "source_word": "a", "target_word": 3})", "found 3"},
      {R"({"source": "s", "target": "t", "source_word": "A", "target_word": "a"})", "another word"},
      {R"({"source": "s", "target": "t", "source_word": "a", "target_word": "b", "seed": 1})",
       "seed: expected source"},
      {"\n", "at least one pair"}};
  for (const auto& [text, expected] : wrong) {
    std::ofstream(file) << text << "\n";
    try {
      read_pairs(file, 0, 0);
      ADD_FAILURE() << "accepted " << text;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  }
  std::filesystem::remove(file);
  EXPECT_THROW(read_pairs(file, 0, 0), ConfigError);
}

TEST(LocalizeScore, TakesTheWayThatReadsTheWord) {
  const model::PairScore read = score(reading({"WORT", "World", "W0RL D", "x"}), kPair);
  EXPECT_TRUE(read.target_exact);
  EXPECT_FALSE(read.source_exact);
  EXPECT_EQ(read.target_letters, 1);
  EXPECT_NEAR(read.source_letters, 0.2, 1e-9);  // h-e-l-l-o and w-o-r-l-d share the l
  ASSERT_EQ(read.boxes.size(), 1u);
  EXPECT_EQ(read.boxes[0], (std::array<int, 4>{3, 2, 30, 14}));
}

TEST(LocalizeScore, WantsTheWordAndNothingElse) {
  EXPECT_FALSE(score(reading({"world hello"}), kPair).target_exact);
  EXPECT_FALSE(score(reading({"worlds"}), kPair).target_exact);
  EXPECT_FALSE(score(reading({}), kPair).target_exact);
  const model::PairScore both = score(reading({"world", "hello"}), kPair);
  EXPECT_FALSE(both.target_exact);
  EXPECT_TRUE(both.source_exact);
}

TEST(LocalizeScore, CountsLettersInCommon) {
  EXPECT_EQ(letters_in_common("abc", "abc"), 1);
  EXPECT_EQ(letters_in_common("", "abc"), 0);
  EXPECT_NEAR(letters_in_common("abcd", "abxd"), 0.75, 1e-9);
  EXPECT_NEAR(letters_in_common("abcd", "bcd"), 0.75, 1e-9);
  EXPECT_EQ(letters_in_common("abc", "xyzxyz"), 0);
}

}  // namespace
}  // namespace glyphward::daemon
