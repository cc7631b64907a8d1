#include "guard/reading/judge.h"

#include <gtest/gtest.h>

#include "tests/guard/fakes.h"

namespace glyphward::guard {
namespace {

const FakeLexicon& lexicon() {
  static const FakeLexicon lexicon({{"fuck", 5},
                                    {"shit", 4},
                                    {"cunt", 6},
                                    {"dick", 4},
                                    {"ass", 3},
                                    {"bitch", 4},
                                    {"bum", 2},
                                    {"damn", 2},
                                    {"moron", 1},
                                    {"dyke", 5},
                                    {"slut", 5},
                                    {"asshole", 5}});
  return lexicon;
}

Expectation allowing(std::vector<std::string> texts) { return {std::move(texts), {}, 2}; }

Expectation replacing(const std::string& from, const std::string& to) {
  return {{to}, {{{from, from}, to}}, 2};
}

Verdict verdict(const std::vector<std::string>& passes, const Expectation& expectation,
                double confidence = 90) {
  return compare(reading_of(passes, confidence), expectation, lexicon()).verdict;
}

TEST(Judge, WordThatWasAskedForIsClean) {
  for (const std::string word :
       {"duck", "shirt", "class", "assassin", "Scunthorpe", "click", "burn", "flag"}) {
    std::string upper = word;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(verdict({upper}, allowing({word})), Verdict::Clean) << word;
    EXPECT_EQ(verdict({word}, allowing({word})), Verdict::Clean) << word;
    EXPECT_EQ(verdict({word}, allowing({})), Verdict::Clean) << word << ", unasked";
  }
}

TEST(Judge, DictionaryWordIsNoSlurWhateverTheConfusions) {
  for (const std::string word :
       {"duck", "click", "burn", "darn", "shift", "bunch", "truck", "clock", "slit", "suck",
        "beach", "pitch", "shot", "count", "grass", "ship", "DUCK", "BURN"})
    EXPECT_EQ(verdict({word, word}, allowing({})), Verdict::Clean) << word;
}

TEST(Judge, SplitWordIsStillTheAllowedOne) {
  EXPECT_EQ(verdict({"S CUNT HORPE"}, allowing({"Scunthorpe"})), Verdict::Clean);
  EXPECT_EQ(verdict({"CL ASS"}, allowing({"class"})), Verdict::Clean);
  EXPECT_EQ(verdict({"CUNT"}, allowing({"Scunthorpe"})), Verdict::Toxic);
  EXPECT_EQ(verdict({"ASS"}, allowing({"assassin"})), Verdict::Toxic);
}

TEST(Judge, TermThatThePolicyAllowsIsClean) {
  EXPECT_EQ(verdict({"DAMN"}, allowing({"damn"})), Verdict::Clean);
  EXPECT_EQ(verdict({"DAMN"}, allowing({"hello"})), Verdict::Toxic);
}

// What screening did not see, reading does not excuse.
TEST(Judge, TextThatHidesATermExcusesNothing) {
  for (const std::string hiding :
       {"fu'ck", "fu----ck", "f..........................uck", "f\u200Buck", "fu\u00D7ck"}) {
    EXPECT_EQ(verdict({"FUCK"}, allowing({hiding})), Verdict::Toxic) << hiding;
    EXPECT_EQ(verdict({"FUCK"}, allowing({"Open daily", hiding})), Verdict::Toxic) << hiding;
  }
  EXPECT_EQ(verdict({"S CUNT HORPE"}, allowing({"fu'ck", "Scunthorpe"})), Verdict::Clean)
      << "the other texts are allowed as before";
}

TEST(Judge, TermNobodyAskedForIsToxic) {
  EXPECT_EQ(verdict({"HELLO", "FUCK"}, allowing({})), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUCK"}, allowing({"duck"})), Verdict::Toxic);
  EXPECT_EQ(verdict({"SHIT"}, allowing({"shirt"})), Verdict::Toxic);
  EXPECT_EQ(verdict({"MORON"}, allowing({})), Verdict::Clean) << "below the policy's severity";
}

TEST(Judge, MisreadingOfTheAllowedWordIsOutvoted) {
  EXPECT_EQ(verdict({"SHIRT", "SHIT"}, allowing({"shirt"})), Verdict::Clean);
  EXPECT_EQ(verdict({"SHIRTS", "SHIT"}, allowing({"hello"})), Verdict::Toxic);
  // Not by a pass that was less sure.
  Reading reading = reading_of({"SHIRT", "SHIT"});
  reading.passes[0].words[0].confidence = 40;
  EXPECT_EQ(compare(reading, allowing({"shirt"}), lexicon()).verdict, Verdict::Toxic);
  // Nor by a text that stands elsewhere.
  reading = reading_of({"SHIRT", "SHIT"});
  reading.passes[0].words[0].box = {0, 0, 5, 5};
  EXPECT_EQ(compare(reading, allowing({"shirt"}), lexicon()).verdict, Verdict::Toxic);
}

TEST(Judge, TermIsFoundThroughOcrsConfusions) {
  for (const std::string text : {"FVCK", "fuc|<", "dlck", "b|tch", "siut"})
    EXPECT_EQ(verdict({text}, allowing({})), Verdict::Toxic) << text;
}

TEST(Judge, ReplacedWordMustBeGone) {
  const Expectation expectation = replacing("fuck", "love");
  EXPECT_EQ(verdict({"LOVE"}, expectation), Verdict::Clean);
  EXPECT_EQ(verdict({"FUCK"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUKC"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUCX"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUC"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"LOVE", "FUCK"}, expectation), Verdict::Toxic) << "by any pass";
  EXPECT_EQ(verdict({"L0VE"}, expectation), Verdict::Clean);
}

TEST(Judge, PictureThatShowsNeitherIsUnconfirmed) {
  EXPECT_EQ(verdict({"QXWZ"}, replacing("fuck", "love")), Verdict::Unconfirmed);
  EXPECT_EQ(verdict({""}, replacing("fuck", "love")), Verdict::Unconfirmed);
  EXPECT_EQ(verdict({}, replacing("fuck", "love")), Verdict::Unconfirmed);
  EXPECT_EQ(verdict({""}, replacing("fuck", "")), Verdict::Clean)
      << "nothing was to be drawn instead";
}

TEST(Judge, NearMissOfTheReplacedWordIsNoiseOnceTheReplacementIsRead) {
  EXPECT_EQ(verdict({"KINDNESS", "ICK"}, replacing("dick", "kindness")), Verdict::Clean);
  EXPECT_EQ(verdict({"LOVE THE DUCK"}, {{"love the duck"}, {{{"fuck"}, "love"}}, 2}),
            Verdict::Clean);
  EXPECT_EQ(verdict({"FUCK THE DUCK"}, {{"love the duck"}, {{{"fuck"}, "love"}}, 2}),
            Verdict::Toxic);
}

TEST(Judge, ShortNoiseNeedsASecondPass) {
  EXPECT_EQ(verdict({"ASS"}, allowing({}), 20), Verdict::Clean);
  EXPECT_EQ(verdict({"ASS", "ASS"}, allowing({}), 20), Verdict::Toxic);
  EXPECT_EQ(verdict({"ASS"}, allowing({}), 80), Verdict::Toxic);
  EXPECT_EQ(verdict({"SHIT"}, allowing({}), 20), Verdict::Toxic);
}

// What is redacted: the word, and what other passes saw of it, but no line of another size.
TEST(Judge, ToxicAreaIsWhatAllPassesSawOfTheWord) {
  Reading reading = reading_of({"FUCK", "UCKX ELSE", "NOISE"});
  reading.passes[0].words[0].box = {10, 10, 30, 20};
  reading.passes[1].words[0].box = {15, 8, 36, 21};
  reading.passes[1].words[1].box = {40, 8, 60, 21};
  reading.passes[2].words[0].box = {0, 0, 100, 60};
  const Comparison comparison = compare(reading, allowing({}), lexicon());
  ASSERT_EQ(comparison.boxes.size(), 1u);
  EXPECT_EQ(comparison.boxes[0].x0, 10);
  EXPECT_EQ(comparison.boxes[0].y0, 8);
  EXPECT_EQ(comparison.boxes[0].x1, 36);
  EXPECT_EQ(comparison.boxes[0].y1, 21);
  EXPECT_NE(comparison.reason.find("fuck"), std::string::npos);
}

TEST(Judge, ExpectationNamesTheTermAndItsSpelling) {
  const std::string prompt = "a sign \"sh1t here\"";
  lexicon::Analysis analysis;
  analysis.findings.push_back({"shit", "profanity", 4, "en", 8, 12, "sh1t", true, {"leet"}, {}});
  policy::Decision decision;
  decision.action = policy::Action::Substitute;
  decision.substitutions.push_back({8, 12, "sh1t", "hope"});
  decision.allowed_texts = {"hope here"};
  policy::VerificationRules verification;
  verification.severity_min = 4;
  const Expectation expected = expectation(analysis, decision, verification);
  ASSERT_EQ(expected.substituted.size(), 1u);
  EXPECT_EQ(expected.substituted[0].from, (std::vector<std::string>{"shit", "sh1t"}));
  EXPECT_EQ(expected.substituted[0].substitute, "hope");
  EXPECT_EQ(expected.severity_min, 4);
  decision.action = policy::Action::Allow;
  EXPECT_TRUE(expectation(analysis, decision, verification).substituted.empty());
}

}  // namespace
}  // namespace glyphward::guard
