#include "lexicon/matching/matcher.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "tests/lexicon/matching/slow_matcher.h"

namespace glyphward::lexicon {
namespace {

Entry entry(std::string term, std::uint32_t flags = 0, std::string language = "en") {
  Entry result;
  result.term = {std::move(term), "profanity", 5, std::move(language)};
  result.flags = flags;
  return result;
}

using Seams = std::vector<std::uint32_t>;

class MatcherTest : public ::testing::Test {
 protected:
  // Mild words stand for the real ones.
  std::vector<Entry> entries_ = {entry("darn", kStem),   entry("heck"),
                                 entry("pooh bah"),      entry("fie", kPlural),
                                 entry("blast", kExact), entry("爆発", 0, "ja")};
  Matcher matcher_{entries_};

  std::set<std::string> terms(std::string_view text, Scope scope = Scope::Words) const {
    std::vector<Hit> hits;
    const NormalizedText normalized = normalize(text);
    const auto size = static_cast<std::uint32_t>(normalized.cells.size());
    matcher_.find(normalized, scope, hits, scope == Scope::Joined ? Seams{0, size} : Seams{});
    std::set<std::string> result;
    for (const Hit& hit : hits) result.insert(entries_[hit.entry].term.term);
    return result;
  }
};

using Terms = std::set<std::string>;

TEST(Matcher, AnApostropheHidesNoGraveTerm) {
  std::vector<Entry> entries = {entry("zounds"), entry("dumbas")};
  entries[1].term.severity = 4;
  const Matcher matcher(entries);
  const auto found = [&](std::string_view text) {
    std::vector<Hit> hits;
    matcher.find(normalize(text), Scope::Words, hits);
    return !hits.empty();
  };
  EXPECT_TRUE(found("zou'nds"));
  EXPECT_TRUE(found("z’ounds"));
  EXPECT_FALSE(found("dumba's")) << "it shortens a word";
  std::vector<Entry> plural = {entry("hecks")};
  std::vector<Hit> hits;
  Matcher(plural).find(normalize("Heck's"), Scope::Words, hits);
  EXPECT_TRUE(hits.empty()) << "so it does behind a grave one";
  EXPECT_FALSE(found("foxzo'unds")) << "the whole stretch must be the term";
}

TEST_F(MatcherTest, JudgesWordsByTheirContext) {
  const struct {
    const char* note;
    const char* text;
    Terms expected;
  } cases[] = {
      {"whole word", "oh heck!", {"heck"}},
      {"inside a word", "checker", {}},
      {"stem inside a word", "abdarnly", {"darn"}},
      {"compound with a known word", "heckhead", {"heck"}},
      {"no other ending", "fieing", {}},
      {"exact", "blasts", {}},
      {"several words", "Pooh-Bah", {"pooh bah"}},
      {"several words as one", "poohbah", {"pooh bah"}},
      {"spelled", "h e c k", {"heck"}},
      {"spelled wide", "h  e  c  k", {"heck"}},
      {"spelled with commas", "H, E, C, K", {"heck"}},
      {"spelled down", "h\ne\nc\nk", {"heck"}},
      {"spelled longer word", "c h e c k", {}},
      {"punctuated", "he.ck", {"heck"}},
      {"punctuated, another word", "che.ck", {}},
      {"broken by a space", "he ck", {"heck"}},
      {"words that meet", "she ckecks the cks", {}},
      {"repeats", "heeeeck", {"heck"}},
      {"leet", "h3ck", {"heck"}},
      {"masked vowel", "h*ck", {"heck"}},
      {"masked consonant", "he*k", {"heck"}},
      {"slip that is a word", "deck", {}},
      {"two letters masked", "h**k", {"heck"}},
      {"digits alone", "43(k", {}},
      {"digit after", "heck24", {"heck"}},
      {"no spaces between words", "大爆発だ", {"爆発"}},
  };
  for (const auto& c : cases) EXPECT_EQ(terms(c.text), c.expected) << c.note << ": " << c.text;
}

TEST_F(MatcherTest, TheWholeTextIsOneTermWhenJoined) {
  EXPECT_EQ(terms("heck", Scope::Joined), Terms{"heck"});
  EXPECT_EQ(terms("hecks", Scope::Joined), Terms{"heck"});
  EXPECT_EQ(terms("oh heck", Scope::Joined), Terms{});
}

TEST_F(MatcherTest, HostileTextCostsNoMoreThanItsLength) {
  for (const std::string& unit :
       {std::string("h"), std::string("h."), std::string("h3"), std::string("*"), std::string("h*"),
        std::string("he "), std::string("1l"), std::string("d a r "), std::string("heeck")}) {
    std::string text;
    while (text.size() < 32000) text += unit;
    terms(text);
  }
}

TEST_F(MatcherTest, FindsWhatTheSlowMatcherFindsInAllShortTexts) {
  const std::vector<Entry> entries = {entry("abba", kExact), entry("bab", kExact),
                                      entry("aab", kExact)};
  const Matcher matcher(entries);
  const std::string alphabet = "abA.@8";
  std::size_t compared = 0;
  std::function<void(std::string)> all = [&](const std::string& text) {
    if (!text.empty()) {
      std::vector<Hit> hits;
      matcher.find(normalize(text), Scope::Words, hits);
      const std::set<std::string> expected = slow(entries, text);
      for (const Hit& hit : hits) {
        // What is mistyped or hidden is not spelled there.
        if (hit.steps & (kSlip | kSound | kMask)) continue;
        const NormalizedText normalized = normalize(text);
        const Cell& first = normalized.cells[hit.begin];
        const Cell& last = normalized.cells[hit.end - 1];
        const std::string part = text.substr(first.start, last.end - first.start);
        EXPECT_TRUE(slow(entries, part).contains(entries[hit.entry].term.term))
            << text << " -> " << part;
      }
      // The limits on digits, doubled letters and single letters are judgements; without those all
      // must be found.
      const bool judged = text.find_first_of("@8.") != std::string::npos || text.size() > 4;
      if (!judged) {
        for (const std::string& term : expected) {
          if (text.size() != term.size()) continue;
          const bool found = std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) {
            return entries[hit.entry].term.term == term;
          });
          EXPECT_TRUE(found) << text << " is " << term;
          ++compared;
        }
      }
    }
    if (text.size() < 6) {
      for (const char c : alphabet) all(text + c);
    }
  };
  all("");
  EXPECT_GE(compared, 10u);
}

}  // namespace
}  // namespace glyphward::lexicon
