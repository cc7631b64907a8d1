#include "lexicon/reading/reader.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace glyphward::lexicon {
namespace {

// Mild words stand for the real ones.
class ReaderTest : public ::testing::Test {
 protected:
  static std::vector<Entry> entries() {
    std::vector<Entry> result(1);
    result[0].term = {"zounds", "profanity", 5, "en"};
    return result;
  }
  std::vector<PlacedHit> read(std::string_view text, Reader::Hints hints = {}) const {
    std::vector<PlacedHit> hits;
    std::vector<NormalizedPart> parts;
    parts.push_back({reader_.read_shown({std::string(text), {}}, 0, hints, hits), 0});
    reader_.read_joined(parts, {}, hits);
    reader_.resolve(hits);
    return hits;
  }
  // The bytes of the one hit, and a step that led there.
  void expect(std::string_view text, std::string_view matched, Steps step) const {
    const std::vector<PlacedHit> hits = read(text);
    ASSERT_EQ(hits.size(), 1u) << text;
    EXPECT_EQ(text.substr(hits[0].start, hits[0].end - hits[0].start), matched) << text;
    EXPECT_EQ(hits[0].steps & step, step) << text;
    EXPECT_GE(hits[0].evidence, kEvidenceMin) << text;
  }

  std::vector<Entry> entries_ = entries();
  Reader reader_{entries_, {}};
};

TEST_F(ReaderTest, PlacesWhatItFindsInTheBytes) {
  expect("oh zounds!", "zounds", 0);
  expect("oh z0und5!", "z0und5", kLeet);
  expect("oh sdnuoz!", "sdnuoz", kReversed);
  expect("a z&#111;unds b", "z&#111;unds", kCode);
  expect("a zo<b>un</b>ds b", "zo<b>un</b>ds", kMarkup);
  expect("oh mbhaqf", "mbhaqf", kCode);
  expect("zou\nnds", "zou\nnds", kSplit);
}

TEST_F(ReaderTest, AcceptsWhatIsOrdinary) {
  for (const char* text : {"sounds good", "wounds", "rounds & mounds", "s o u n d s", "s0unds",
                           "so unds", "sou\nnds", "z"})
    EXPECT_TRUE(read(text).empty()) << text;
}

TEST(AsksForMirror, KnowsTheWordsForIt) {
  EXPECT_TRUE(asks_for_mirror("in Mirrored letters"));
  EXPECT_FALSE(asks_for_mirror("in red letters"));
}

}  // namespace
}  // namespace glyphward::lexicon
