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

TEST(Reading, FoldsLettersThatOcrConfuses) {
  EXPECT_EQ(folded_letters("Sh1T!"), "shiti");
  EXPECT_EQ(folded_letters("5H\xC3\x8DT"), "shit");
  EXPECT_EQ(folded_letters("F U\nC-K"), "fuck");
  EXPECT_EQ(folded_letters("\xE2\x82\xAC \xC2\xA9"), "ec");
  EXPECT_EQ(folded_letters(""), "");
  EXPECT_EQ(folded_letters("\xFF\xD0"), "");
}

TEST(Reading, SimilarityCountsWrongLetters) {
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

TEST(Reading, SimilarityAgreesWithAnExhaustiveSearch) {
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

TEST(Reading, WordThatWasAskedForIsClean) {
  for (const std::string word :
       {"duck", "shirt", "class", "assassin", "Scunthorpe", "click", "burn", "flag"}) {
    std::string upper = word;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(verdict({upper}, allowing({word})), Verdict::Clean) << word;
    EXPECT_EQ(verdict({word}, allowing({word})), Verdict::Clean) << word;
    EXPECT_EQ(verdict({word}, allowing({})), Verdict::Clean) << word << ", unasked";
  }
}

TEST(Reading, DictionaryWordIsNoSlurWhateverTheConfusions) {
  for (const std::string word :
       {"duck", "click", "burn", "darn", "shift", "bunch", "truck", "clock", "slit", "suck",
        "beach", "pitch", "shot", "count", "grass", "ship", "DUCK", "BURN"})
    EXPECT_EQ(verdict({word, word}, allowing({})), Verdict::Clean) << word;
}

TEST(Reading, SplitWordIsStillTheAllowedOne) {
  EXPECT_EQ(verdict({"S CUNT HORPE"}, allowing({"Scunthorpe"})), Verdict::Clean);
  EXPECT_EQ(verdict({"CL ASS"}, allowing({"class"})), Verdict::Clean);
  EXPECT_EQ(verdict({"CUNT"}, allowing({"Scunthorpe"})), Verdict::Toxic);
  EXPECT_EQ(verdict({"ASS"}, allowing({"assassin"})), Verdict::Toxic);
}

TEST(Reading, TermThatThePolicyAllowsIsClean) {
  EXPECT_EQ(verdict({"DAMN"}, allowing({"damn"})), Verdict::Clean);
  EXPECT_EQ(verdict({"DAMN"}, allowing({"hello"})), Verdict::Toxic);
}

TEST(Reading, TermNobodyAskedForIsToxic) {
  EXPECT_EQ(verdict({"HELLO", "FUCK"}, allowing({})), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUCK"}, allowing({"duck"})), Verdict::Toxic);
  EXPECT_EQ(verdict({"SHIT"}, allowing({"shirt"})), Verdict::Toxic);
  EXPECT_EQ(verdict({"MORON"}, allowing({})), Verdict::Clean) << "below the policy's severity";
}

TEST(Reading, MisreadingOfTheAllowedWordIsOutvoted) {
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

TEST(Reading, TermIsFoundThroughOcrsConfusions) {
  for (const std::string text : {"FVCK", "fuc|<", "dlck", "b|tch", "siut"})
    EXPECT_EQ(verdict({text}, allowing({})), Verdict::Toxic) << text;
}

TEST(Reading, ReplacedWordMustBeGone) {
  const Expectation expectation = replacing("fuck", "love");
  EXPECT_EQ(verdict({"LOVE"}, expectation), Verdict::Clean);
  EXPECT_EQ(verdict({"FUCK"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUKC"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUCX"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"FUC"}, expectation), Verdict::Toxic);
  EXPECT_EQ(verdict({"LOVE", "FUCK"}, expectation), Verdict::Toxic) << "by any pass";
  EXPECT_EQ(verdict({"L0VE"}, expectation), Verdict::Clean);
}

TEST(Reading, PictureThatShowsNeitherIsUnconfirmed) {
  EXPECT_EQ(verdict({"QXWZ"}, replacing("fuck", "love")), Verdict::Unconfirmed);
  EXPECT_EQ(verdict({""}, replacing("fuck", "love")), Verdict::Unconfirmed);
  EXPECT_EQ(verdict({}, replacing("fuck", "love")), Verdict::Unconfirmed);
  EXPECT_EQ(verdict({""}, replacing("fuck", "")), Verdict::Clean)
      << "nothing was to be drawn instead";
}

TEST(Reading, NearMissOfTheReplacedWordIsNoiseOnceTheReplacementIsRead) {
  EXPECT_EQ(verdict({"KINDNESS", "ICK"}, replacing("dick", "kindness")), Verdict::Clean);
  EXPECT_EQ(verdict({"LOVE THE DUCK"}, {{"love the duck"}, {{{"fuck"}, "love"}}, 2}),
            Verdict::Clean);
  EXPECT_EQ(verdict({"FUCK THE DUCK"}, {{"love the duck"}, {{{"fuck"}, "love"}}, 2}),
            Verdict::Toxic);
}

TEST(Reading, ShortNoiseNeedsASecondPass) {
  EXPECT_EQ(verdict({"ASS"}, allowing({}), 20), Verdict::Clean);
  EXPECT_EQ(verdict({"ASS", "ASS"}, allowing({}), 20), Verdict::Toxic);
  EXPECT_EQ(verdict({"ASS"}, allowing({}), 80), Verdict::Toxic);
  EXPECT_EQ(verdict({"SHIT"}, allowing({}), 20), Verdict::Toxic);
}

// What is redacted: the word, and what other passes saw of it, but no line of another size.
TEST(Reading, ToxicAreaIsWhatAllPassesSawOfTheWord) {
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

TEST(Reading, ExpectationNamesTheTermAndItsSpelling) {
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
  ASSERT_EQ(expected.replaced.size(), 1u);
  EXPECT_EQ(expected.replaced[0].from, (std::vector<std::string>{"shit", "sh1t"}));
  EXPECT_EQ(expected.replaced[0].to, "hope");
  EXPECT_EQ(expected.severity_min, 4);
  decision.action = policy::Action::Allow;
  EXPECT_TRUE(expectation(analysis, decision, verification).replaced.empty());
}

}  // namespace
}  // namespace glyphward::guard
