#include "lexicon/matching/innocence.h"

#include <gtest/gtest.h>

#include "lexicon/matching/matcher.h"

namespace glyphward::lexicon {
namespace {

class InnocenceTest : public ::testing::Test {
 protected:
  static Entry entry(std::string term, int severity, std::string language) {
    Entry result;
    result.term = {std::move(term), "insult", severity, std::move(language)};
    return result;
  }
  float cost(std::string_view text) const {
    const NormalizedText normalized = normalize(text);
    return matcher_.innocence(normalized).total();
  }

  Matcher matcher_{{entry("heck", 5, "en"), entry("con", 3, "fr")}, {"moby heck"}};
};

TEST_F(InnocenceTest, OrdinaryWordsAreCheapestAsTheyAre) {
  for (const char* disguised : {"c0ffee", "cooooffee", "cofee", "c*ffee", "c-o-f-f-e-e", "cof-fee",
                                "ｃｏｆｆｅｅ", "coffée"}) {
    EXPECT_LT(cost("coffee"), cost(disguised)) << disguised;
    EXPECT_LT(cost(disguised), cost("xqvzkwj") + 10) << disguised;
  }
  EXPECT_LT(cost("coffee shop"), cost("xqvzkw shop"));
}

TEST_F(InnocenceTest, TermsAreNoWords) {
  EXPECT_GT(cost("heck"), cost("neck") + 3);
  EXPECT_LT(cost("moby heck"), cost("mobs heck"));
}

TEST_F(InnocenceTest, ALightTermIsAWordInATextOfAnotherLanguage) {
  EXPECT_LT(cost("gelato con panna"), cost("gelato heck panna"));
  EXPECT_GT(cost("con"), 10);
}

TEST_F(InnocenceTest, CostsAddUpAcrossBoundaries) {
  const NormalizedText text = normalize("red coffee mug");
  const Innocence innocence = matcher_.innocence(text);
  for (std::uint32_t i = 0; i <= text.cells.size(); ++i) {
    if (innocence.before(i) == kNever) continue;
    EXPECT_GE(innocence.before(i) + innocence.from(i), innocence.total() - 0.001f) << i;
  }
  EXPECT_TRUE(innocence.quiet(0));
  EXPECT_EQ(innocence.word_end(4), 10u);
  EXPECT_NE(innocence.reading(4, 10).find("coffee"), std::string::npos);
}

TEST_F(InnocenceTest, ScriptsWithoutSpacesAreCutIntoWords) {
  EXPECT_LT(cost("服务中心"), cost("服心务中"));
}

}  // namespace
}  // namespace glyphward::lexicon
