#include "policy/substitution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>

namespace glyphward::policy {
namespace {

const WordList& words() {
  static const WordList list("words.txt", "sun\nsky\nkite\nlamp\nmango\n", 3, 5);
  return list;
}

// A finding at the first place of `matched` in the prompt.
lexicon::Finding finding(std::string_view prompt, const std::string& term,
                         const std::string& matched) {
  lexicon::Finding result;
  result.term = term;
  result.category = "insult";
  result.start = prompt.find(matched);
  result.end = result.start + matched.size();
  result.matched = matched;
  return result;
}

SubstitutionRules fixed(const std::string& word) { return {Strategy::Fixed, word, {}, {}}; }

TEST(LikeCase, FollowsTheModel) {
  EXPECT_EQ(like_case("duck", "FUCK"), "DUCK");
  EXPECT_EQ(like_case("duck", "Fuck"), "Duck");
  EXPECT_EQ(like_case("duck", "fuck"), "duck");
  EXPECT_EQ(like_case("duck", "$H1T"), "DUCK");
  EXPECT_EQ(like_case("duck", "傻逼"), "duck");
  EXPECT_EQ(like_case("duck", "ШЛЮХА"), "DUCK");
  EXPECT_EQ(like_case("duck", "FuCK"), "DUCK") << "most of it";
  EXPECT_EQ(like_case("duck", "F"), "Duck") << "one letter shows no more than a beginning";
  EXPECT_EQ(like_case("duck", ""), "duck");
  EXPECT_EQ(like_case("duck", "\xC3SHIT\xF0"), "DUCK") << "broken UTF-8 is no letter";
  EXPECT_EQ(like_case("", "FUCK"), "");
}

TEST(CountLetters, CountsAsAReaderDoes) {
  EXPECT_EQ(count_letters(""), 0u);
  EXPECT_EQ(count_letters("sh1t!"), 4u);
  EXPECT_EQ(count_letters("s h - i t"), 4u);
  EXPECT_EQ(count_letters("co\u0301mo"), 4u) << "a mark is no letter";
  EXPECT_EQ(count_letters("f\u200Bu"), 2u);
  EXPECT_EQ(count_letters("傻逼"), 2u);
  EXPECT_EQ(count_letters("a\xF0\x9F"), 1u);
}

TEST(WordRuns, WidenToLettersDigitsAndWhatClingsToThem) {
  const struct {
    const char* prompt;
    const char* part;
    const char* whole;
  } cases[] = {{"an unfuckingbelievable day", "fucking", "unfuckingbelievable"},
               {"fuck", "uc", "fuck"},
               {"say \"fuck\" now", "fuck", "fuck"},
               {"a f\u200Bu\u200Bck\u0301s b", "u", "f\u200Bu\u200Bck\u0301s"},
               {"4fuck2 x", "fuck", "4fuck2"},
               {"un-fuck-ing", "fuck", "fuck"},
               {"\xC3"
                "fuck\xF0\x9F",
                "uc", "fuck"},
               {"你傻逼吗", "傻逼", "傻逼"},
               {"ばかやろう", "か", "か"}};
  for (const auto& c : cases) {
    const std::string_view prompt = c.prompt;
    const std::size_t start = prompt.find(c.part);
    const Range range = WordRuns(prompt).widened({start, start + std::string_view(c.part).size()});
    EXPECT_EQ(prompt.substr(range.start, range.end - range.start), c.whole);
  }
}

TEST(WordList, PicksByLengthAndSeed) {
  EXPECT_EQ(words().pick(5, "any"), "mango");
  EXPECT_EQ(words().pick(40, "any"), "mango") << "the longest there is";
  EXPECT_EQ(words().pick(1, "any").size(), 3u) << "the shortest there is";
  EXPECT_EQ(words().pick(4, "seed"), words().pick(4, "seed"));
  bool kite = false;
  bool lamp = false;
  for (int i = 0; i < 64; ++i) {
    kite = kite || words().pick(4, std::to_string(i)) == "kite";
    lamp = lamp || words().pick(4, std::to_string(i)) == "lamp";
  }
  EXPECT_TRUE(kite && lamp) << "seeds choose among all";
  const WordList limited("words.txt", "# shortest first\nsun\r\nkite\n\nlamps\n", 4, 4);
  EXPECT_EQ(limited.pick(3, "any"), "kite") << "only from the lengths asked for";
  ASSERT_EQ(limited.all().size(), 3u);
  EXPECT_EQ(limited.all()[0].word, "sun");
  EXPECT_EQ(limited.all()[2].line, 5);
}

TEST(WordList, PicksByForm) {
  const WordList list("words.txt",
                      "sun\nkite\nmango\nkites\tplural\nmangoes\tplural\nsinging\tparticiple\n", 3,
                      8, WordList::Lengths::Any);
  EXPECT_EQ(list.pick(5, "any", WordForm::Plural), "kites");
  EXPECT_EQ(list.pick(9, "any", WordForm::Plural), "mangoes");
  EXPECT_EQ(list.pick(3, "any", WordForm::Participle), "singing");
  EXPECT_EQ(list.pick(8, "any"), "mango") << "the nearest length without a form";
  EXPECT_EQ(words().pick(4, "seed", WordForm::Plural), words().pick(4, "seed")) << "it has none";
  EXPECT_THROW(WordList("w", "kites\tplural\n", 3, 8, WordList::Lengths::Any), std::exception);
  EXPECT_THROW(WordList("w", "kites\tdual\n", 3, 8, WordList::Lengths::Any), std::exception);
  EXPECT_EQ(WordList("w", "sun\nmango\n", 3, 8, WordList::Lengths::Any).pick(4, "any"), "sun")
      << "of two as near the shorter";
}

TEST(FormOf, IsTheEndingsOfTheTerm) {
  EXPECT_EQ(form_of("BITCHES", "bitch"), WordForm::Plural);
  EXPECT_EQ(form_of("fucking", "fuck"), WordForm::Participle);
  EXPECT_EQ(form_of("raping", "rape"), WordForm::Participle);
  EXPECT_EQ(form_of("pussies", "pussy"), WordForm::Plural);
  for (const char* word : {"bitch", "b1tches", "", "son of a bitch", "bitchy", "unfucking"})
    EXPECT_EQ(form_of(word, "bitch"), WordForm::Base) << word;
  EXPECT_EQ(form_of("asses", "ass"), WordForm::Base) << "it ends so itself";
}

TEST(WordList, SaysWhatIsWrong) {
  const struct {
    const char* content;
    const char* expected;
  } cases[] = {{"sun\nKite\n", "words.txt:2: expected a word of lower-case Latin letters"},
               {"sun moon\n", "words.txt:1: expected a word of lower-case Latin letters"},
               {"caf\u00e9\n", "words.txt:1: expected"},
               {"sun\nmango\n", "words.txt: expected a word of 4 letters, found none"},
               {"", "words.txt: expected a word of 3 letters"}};
  for (const auto& c : cases) {
    try {
      WordList("words.txt", c.content, 3, 5);
      ADD_FAILURE() << c.content;
    } catch (const std::exception& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(c.expected)) << error.what();
    }
  }
}

TEST(Substituter, ReplacesWordsAndSaysWhatTheyWere) {
  const std::string prompt = "a Shit sign, shit!";
  Substituter substituter(prompt, "revision", &words());
  lexicon::Finding second = finding(prompt, "shit", "shit");
  substituter.add_words(second, fixed("kite"));
  substituter.add_words(finding(prompt, "shit", "Shit"), fixed("kite"));
  const std::vector<Substitution> made = substituter.finish();
  ASSERT_EQ(made.size(), 2u) << "in order of position, whatever the order of adding";
  EXPECT_EQ(made[0].from, "Shit");
  EXPECT_EQ(made[0].to, "Kite");
  EXPECT_EQ(made[1].start, second.start);
  EXPECT_EQ(made[1].end, second.end);
  EXPECT_EQ(apply_substitutions(prompt, made), "a Kite sign, kite!");
  EXPECT_EQ(apply_substitutions(prompt, {}), prompt);
  EXPECT_TRUE(Substituter(prompt, "revision", nullptr).finish().empty());
}

TEST(Substituter, OneTermIsOneWordButHangsOnRevisionAndPrompt) {
  std::string list;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) list += std::string("li") + a + b + "\n";
  }
  const WordList many("words.txt", list, 4, 4);
  const auto words_of = [&](const std::string& prompt, const std::string& revision) {
    Substituter substituter(prompt, revision, &many);
    substituter.add_words(finding(prompt, "shit", "sh1t"), {});
    substituter.add_words(finding(prompt, "shit", "shit"), {});
    const std::vector<Substitution> made = substituter.finish();
    EXPECT_EQ(made.size(), 2u);
    EXPECT_EQ(made.at(0).to, made.at(1).to);
    return made.at(0).to;
  };
  EXPECT_EQ(words_of("sh1t shit", "r"), words_of("sh1t shit", "r"));
  EXPECT_NE(words_of("sh1t shit", "r"), words_of("sh1t shit", "s"));
  EXPECT_NE(words_of("sh1t shit", "r"), words_of("sh1t, shit", "r"));
}

TEST(Substituter, TheCategoryMayChooseTheWord) {
  const std::string prompt = "a bitch";
  SubstitutionRules rules{Strategy::Category, "lamp", {{"insult", "mango"}}, {}};
  lexicon::Finding found = finding(prompt, "bitch", "bitch");
  const auto word = [&] {
    Substituter substituter(prompt, "revision", &words());
    substituter.add_words(found, rules);
    return substituter.finish().at(0).to;
  };
  EXPECT_EQ(word(), "mango");
  found.category = "racial";
  EXPECT_EQ(word(), "lamp");
  rules.word.clear();
  EXPECT_EQ(word(), "mango") << "the list's only word of five letters";
}

TEST(Substituter, ReplacesEachPieceAndTheFirstWordOfAnAcrostic) {
  const std::string prompt = "\"wan\" and \"ker\"";
  lexicon::Finding split = finding(prompt, "wanker", "wan\" and \"ker");
  split.pieces = {{1, 4}, {11, 14}};
  Substituter pieces(prompt, "revision", &words());
  pieces.add_words(split, {});
  const std::vector<Substitution> made = pieces.finish();
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[0].from, "wan");
  EXPECT_EQ(made[1].from, "ker");

  const std::string lines = "Funny\nUncles\nCan\nKnit";
  lexicon::Finding acrostic = finding(lines, "fuck", "Funny\nUncles\nCan\nK");
  acrostic.steps = {"acrostic"};
  Substituter first(lines, "revision", &words());
  first.add_words(acrostic, fixed("sun"));
  EXPECT_EQ(apply_substitutions(lines, first.finish()), "Sun\nUncles\nCan\nKnit");
}

TEST(Substituter, OfTwoThatOverlapTheFirstReplacesBoth) {
  const std::string prompt = "abc def ghi";
  Substituter substituter(prompt, "revision", &words());
  lexicon::Finding later = finding(prompt, "y", "def ghi");
  substituter.add_words(later, fixed("later"));
  substituter.add_words(finding(prompt, "x", "abc def"), fixed("first"));
  const std::vector<Substitution> made = substituter.finish();
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].from, prompt);
  EXPECT_EQ(made[0].to, "first");
}

TEST(Substituter, ReplacesTheRenderedTextsThatAFindingTouches) {
  const std::string prompt = "a sign \"no fuck\" by \"Joe\", fuck";
  const std::vector<lexicon::RenderedText> rendered = {{"no fuck", 8, 15, true},
                                                       {"Joe", 21, 24, true}};
  Substituter substituter(prompt, "revision", &words());
  substituter.add_texts(rendered, finding(prompt, "fuck", "fuck"), fixed("sky"));
  lexicon::Finding outside = finding(prompt, "fuck", "fuck");
  outside.start = prompt.rfind("fuck");
  outside.end = prompt.size();
  substituter.add_texts(rendered, outside, fixed("sky"));
  EXPECT_EQ(apply_substitutions(prompt, substituter.finish()), "a sign \"sky\" by \"Joe\", sky");
}

// The obvious way: each range widened letter by letter, then merged until nothing overlaps.
std::string widened_one_by_one(const std::string& prompt,
                               const std::vector<lexicon::Finding>& findings) {
  std::vector<Range> ranges;
  for (const lexicon::Finding& finding : findings) {
    std::size_t start = finding.start;
    std::size_t end = finding.end;
    while (start > 0 && std::isalpha(prompt[start - 1])) --start;
    while (end < prompt.size() && std::isalpha(prompt[end])) ++end;
    if (finding.pieces.empty()) ranges.push_back({start, end});
    for (const auto& piece : finding.pieces) ranges.push_back({piece.first, piece.second});
  }
  for (bool merged = true; merged;) {
    merged = false;
    for (std::size_t a = 0; a < ranges.size() && !merged; ++a) {
      for (std::size_t b = a + 1; b < ranges.size() && !merged; ++b) {
        if (ranges[a].start >= ranges[b].end || ranges[b].start >= ranges[a].end) continue;
        ranges[a] = {std::min(ranges[a].start, ranges[b].start),
                     std::max(ranges[a].end, ranges[b].end)};
        ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(b));
        merged = true;
      }
    }
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.start < b.start; });
  std::string result;
  std::size_t at = 0;
  for (const Range& range : ranges) {
    result.append(prompt, at, range.start - at).append("#");
    at = range.end;
  }
  return result + prompt.substr(at);
}

TEST(Substituter, WidensAndMergesAsTheObviousWayDoes) {
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int round = 0; round < 20000; ++round) {
    std::string prompt;
    for (std::size_t i = 3 + below(14); i > 0; --i) prompt += "aaab -"[below(6)];
    std::vector<lexicon::Finding> findings(1 + below(4));
    for (lexicon::Finding& finding : findings) {
      finding.start = below(prompt.size());
      finding.end = finding.start + 1 + below(prompt.size() - finding.start);
      if (below(3) == 0) finding.pieces = {{finding.start, finding.end}};
    }
    const SubstitutionRules rules = fixed("#");
    Substituter substituter(prompt, "revision", nullptr);
    for (const lexicon::Finding& finding : findings) substituter.add_words(finding, rules);
    ASSERT_EQ(apply_substitutions(prompt, substituter.finish()),
              widened_one_by_one(prompt, findings))
        << prompt;
  }
}

// It was quadratic: this took minutes.
TEST(Substituter, TakesNoLongerWhereTenThousandFindingsShareAWord) {
  std::string prompt = "a sign \"";
  for (int i = 0; i < 100000; ++i) prompt += "fuck";
  prompt += "\"";
  Substituter in_words(prompt, "revision", &words());
  Substituter in_texts(prompt, "revision", &words());
  const std::vector<lexicon::RenderedText> rendered = {
      {prompt.substr(8, prompt.size() - 9), 8, prompt.size() - 1, true}};
  for (std::size_t at = 8; at + 4 < prompt.size(); at += 4) {
    lexicon::Finding found;
    found.term = "fuck";
    found.start = at;
    found.end = at + 4;
    in_words.add_words(found, {});
    in_texts.add_texts(rendered, found, {});
  }
  EXPECT_EQ(in_words.finish().size(), 1u);
  EXPECT_EQ(in_texts.finish().size(), 1u);
}

}  // namespace
}  // namespace glyphward::policy
