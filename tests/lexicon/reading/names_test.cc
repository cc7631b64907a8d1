#include "lexicon/reading/names.h"

#include <gtest/gtest.h>

#include "base/config_error.h"

namespace glyphward::lexicon {
namespace {

// The first cells of a text as a hit.
bool name(std::string_view text, std::uint32_t begin, std::uint32_t end) {
  Hit hit;
  hit.begin = begin;
  hit.end = end;
  return is_name(normalize(text), hit);
}

TEST(Names, StandBesideTitlesAndPlacesOrOwnThings) {
  EXPECT_TRUE(name("Mr Heck", 3, 7));
  EXPECT_TRUE(name("Avvocato Heck", 9, 13));
  EXPECT_TRUE(name("Нотариус Хек", 9, 12));
  EXPECT_TRUE(name("Heck Road", 0, 4));
  EXPECT_TRUE(name("heck's bakery", 0, 4));
  EXPECT_FALSE(name("mr heck", 3, 7)) << "no capital";
  EXPECT_FALSE(name("Heck no", 0, 4));
}

TEST(Names, KnowTheSpellingAlphabet) {
  EXPECT_TRUE(is_spelling_word("foxtrot"));
  EXPECT_FALSE(is_spelling_word("waltz"));
}

TEST(NameTable, SaysWhatIsWrong) {
  const struct {
    const char* content;
    const char* expected;
  } cases[] = {
      {"words\n", "t.tsv:1: header: expected the fields 'kind words', parted by tabs"},
      {"kind\twords\nbehind\troad\n",
       "t.tsv:2: kind: expected before, after or spelling, found 'behind'"},
      {"kind\twords\nafter\troad  lane\n",
       "t.tsv:2: words: expected words parted by single spaces"},
      {"kind\twords\nafter\troad\nafter\tlane road\n", "t.tsv:3: words: 'road' appears twice"},
  };
  for (const auto& c : cases) {
    try {
      const NameTable table("t.tsv", c.content);
      ADD_FAILURE() << c.content;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()), c.expected);
    }
  }
}

}  // namespace
}  // namespace glyphward::lexicon
