// What the oracle (oracle.h) found that the search had lost.
#include "lexicon/matching/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "lexicon/matching/matcher.h"

namespace glyphward::lexicon {
namespace {

Entry entry(const char* term, int severity, std::uint32_t flags = 0) {
  Entry result;
  result.term = {term, "insult", severity, "en"};
  result.flags = flags;
  return result;
}

class SearchTest : public ::testing::Test {
 protected:
  std::vector<Entry> entries_ = {entry("silly", 2), entry("moron", 3, kStem), entry("big oaf", 2),
                                 entry("pooh bah", 4)};
  Matcher matcher_{entries_};

  bool finds(std::string_view term, std::string_view text, std::uint32_t begin) const {
    std::vector<Hit> hits;
    matcher_.find(normalize(text), Scope::Words, hits);
    return std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) {
      return entries_[hit.entry].term.term == term && hit.begin == begin;
    });
  }
};

TEST_F(SearchTest, BeginsBehindWritingHoweverDear) {
  EXPECT_TRUE(finds("silly", "silly|=|silly", 0));
  EXPECT_TRUE(finds("silly", "silly|=|silly", 8));
}

TEST_F(SearchTest, BeginsWithinAWordWhereSignsHideOrPartTheNextLetters) {
  EXPECT_TRUE(finds("moron", "darnitm*ronbig", 6));
  EXPECT_TRUE(finds("moron", "darnitmo-ron", 6));
  EXPECT_TRUE(finds("moron", "darnitm-o-r-o-n", 6));
}

TEST_F(SearchTest, APhraseGoesOnBehindAMaskOrASlip) {
  EXPECT_TRUE(finds("big oaf", "bi*|oaf", 0)) << "signs part its words";
  EXPECT_TRUE(finds("pooh bah", "poohqbah", 0)) << "its words are joined";
}

}  // namespace
}  // namespace glyphward::lexicon
