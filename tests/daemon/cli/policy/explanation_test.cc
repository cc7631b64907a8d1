#include "daemon/cli/policy/explanation.h"

#include <gtest/gtest.h>

#include "lexicon/channel/channel.h"

namespace glyphward::daemon {
namespace {

TEST(Explanation, ReadsDisguises) {
  EXPECT_TRUE(disguises_of("").empty());
  const auto disguises = disguises_of("leet(i)@1 joined( )@3 gap@12 leet(@)@4 mask())@5 slip(é)@6");
  ASSERT_EQ(disguises.size(), 6u);
  const struct {
    const char* rule;
    const char* letter;
    std::uint32_t cell;
  } expected[] = {{"leet", "i", 1}, {"joined", " ", 3}, {"gap", "", 12},
                  {"leet", "@", 4}, {"mask", ")", 5},   {"slip", "é", 6}};
  for (std::size_t i = 0; i < disguises.size(); ++i) {
    EXPECT_EQ(disguises[i].rule, expected[i].rule);
    EXPECT_EQ(disguises[i].letter, expected[i].letter);
    EXPECT_EQ(disguises[i].cell, expected[i].cell);
  }
  // Whatever it is given.
  for (const char* broken :
       {"@", "a@", "@@1", "leet(", "leet(i", "(", "()@", "@99999999999999999999"})
    disguises_of(broken);
}

TEST(Explanation, ReadsOrdinaryWords) {
  EXPECT_TRUE(ordinary_words("").empty());
  const auto words = ordinary_words(
      "the 3.1, ?d!ckhead 28.2, spelled f, u, c, k 12.3, ~teh 0.4, masked a*b -0.4, phrase moby "
      "dick 9.0");
  const struct {
    const char* word;
    const char* cost;
    const char* what;
  } expected[] = {{"the", "3.1", "an ordinary word"},
                  {"d!ckhead", "28.2", "no ordinary word"},
                  {"f, u, c, k", "12.3", "spelled letter by letter"},
                  {"teh", "0.4", "nearly an ordinary word"},
                  {"a*b", "-0.4", "a word with hidden letters"},
                  {"moby dick", "9.0", "a harmless phrase"}};
  ASSERT_EQ(words.size(), std::size(expected));
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(words[i].word, expected[i].word);
    EXPECT_EQ(words[i].cost, expected[i].cost);
    EXPECT_EQ(words[i].what, expected[i].what);
  }
  for (const char* broken : {",", ", ", "1.0", " 1.0", "a 1.", "a .1", "a, ", "? 1.0", ", , ,"})
    ordinary_words(broken);
}

TEST(Explanation, EveryStepIsTold) {
  for (const lexicon::NamedStep& named : lexicon::kSteps) {
    lexicon::Finding finding;
    finding.steps = {std::string(named.name)};
    EXPECT_NE(explanation(finding, {}, 4, "").find(named.name), std::string::npos);
  }
}

TEST(Explanation, EveryRuleHasWords) {
  for (std::size_t i = 0; i < lexicon::kRuleCount; ++i) {
    lexicon::Finding finding;
    finding.reading = std::string(lexicon::rule_name(static_cast<lexicon::Rule>(i))) + "(a)@0";
    EXPECT_EQ(explanation(finding, {}, 4, "").find("a:  ("), std::string::npos) << finding.reading;
  }
}

lexicon::Finding sh1t(std::size_t start) {
  lexicon::Finding finding;
  finding.term = "shit";
  finding.start = start;
  finding.end = start + 4;
  finding.matched = "sh1t";
  finding.steps = {"leet"};
  finding.evidence = 12.38;
  finding.reading = "leet(i)@6";
  finding.ordinary = "?sh1t 28.2";
  return finding;
}

TEST(Explanation, IsInAlignedLines) {
  const lexicon::Finding finding = sh1t(4);
  EXPECT_EQ(explanation(finding, glyphs_of(finding, "you sh1t", nullptr), 4, "  "),
            "  read as   \"1\" for i: a digit or a sign for a letter (leet)\n"
            "  ordinary   28.2  \"sh1t\", no ordinary word\n"
            "  evidence  12.3 nats: the margin is 4.0\n");
}

TEST(Explanation, SaysWhatIsPlainAndWhatIsTooLittle) {
  lexicon::Finding finding;
  finding.evidence = 3.96;
  EXPECT_EQ(explanation(finding, {}, 4, ""),
            "read as   the term as it stands\n"
            "ordinary  no word is compared\n"
            "evidence  3.9 nats, too little: the margin is 4.0\n");
  finding.steps = {"inflection", "code"};
  finding.ordinary = "fuck 12.0";
  EXPECT_TRUE(explanation(finding, {}, 4, "")
                  .starts_with("read as   with an ending (inflection)\n"
                               "          decoded (code)\n"
                               "ordinary   12.0  \"fuck\", an ordinary word\n"
                               "          of the text that is read so\n"));
  finding.steps = {"leet"};
  EXPECT_TRUE(explanation(finding, {}, 4, "").starts_with("read as   leet\n"))
      << "of a later finding";
}

TEST(Explanation, GlyphsAreThoseOfTheTextThatWasSearched) {
  const std::string prompt = "a sign \"my sh1t\" and sh1t";
  const std::vector<lexicon::RenderedText> texts = {{"my sh1t", 8, 15, true}};
  EXPECT_EQ(glyphs_of(sh1t(11), prompt, &texts)[5], "1") << "in the text";
  EXPECT_EQ(glyphs_of(sh1t(11), prompt, &texts)[0], "") << "not of the finding";
  EXPECT_EQ(glyphs_of(sh1t(21), prompt, &texts)[8], "1") << "behind it";
  EXPECT_EQ(glyphs_of(sh1t(21), prompt, nullptr)[23], "1");
  lexicon::Finding decoded = sh1t(11);
  decoded.steps.emplace_back("code");
  EXPECT_TRUE(glyphs_of(decoded, prompt, &texts).empty()) << "the cells are others";
}

}  // namespace
}  // namespace glyphward::daemon
