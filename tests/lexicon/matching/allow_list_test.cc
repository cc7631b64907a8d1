#include "lexicon/matching/allow_list.h"

#include <gtest/gtest.h>

namespace glyphward::lexicon {
namespace {

TEST(AllowList, MatchesThePlainTextOnly) {
  const AllowList allowed({"check", "moby dick", "class*", "操作*"});
  const auto covers = [&](std::string_view text) {
    const NormalizedText normalized = normalize(text);
    for (const AllowList::Range& range : allowed.find(normalized)) {
      if (range.begin == 0 && range.end == normalized.cells.size()) return true;
    }
    return false;
  };
  EXPECT_TRUE(covers("Check"));
  EXPECT_TRUE(covers("Moby-Dick"));
  EXPECT_TRUE(covers("classical"));
  EXPECT_TRUE(covers("操作"));
  EXPECT_FALSE(covers("ch3ck"));
  EXPECT_FALSE(covers("checks"));
  EXPECT_FALSE(covers("сheck")) << "the first letter is Cyrillic";
}

TEST(AllowList, AStarBehindASpaceIsAnyWord) {
  const AllowList allowed({"never say *"});
  const auto ranges = allowed.find(normalize("Never say heck again"));
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].end, 14u);
  EXPECT_TRUE(ranges[0].any_word);
  EXPECT_TRUE(allowed.find(normalize("Never say")).empty());
}

TEST(AllowList, WordsBeginAndEndAtSeams) {
  const AllowList allowed({"check"});
  const NormalizedText text = normalize("acheckb");
  EXPECT_TRUE(allowed.find(text).empty());
  const std::vector<AllowList::Range> ranges = allowed.find(text, {0, 1, 6, 7});
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].begin, 1u);
  EXPECT_EQ(ranges[0].end, 6u);
}

}  // namespace
}  // namespace glyphward::lexicon
