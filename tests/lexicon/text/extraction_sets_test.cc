// Extraction over sets of prompts that are made here, always the same: short ones as in
// GlyphControl's benchmarks, long ones as in LongText's, and hostile ones for the time they take.
#include <gtest/gtest.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "lexicon/text/extraction.h"

namespace glyphward::lexicon {
namespace {

using Texts = std::vector<std::string>;

// What is to be drawn: words that a sign may have, some with signs in them.
const Texts kTexts = {"Open",           "Fresh Bread",       "Mind the gap", "Don't panic",
                      "Soup & Salad",   "50% off",           "Est. 1952",    "HAPPY BIRTHDAY",
                      "Rock 'n' Roll",  "Room 12, floor 3",  "Coffee first", "Joe's Garage",
                      "Why not?",       "Go, go, go!",       "No. 7",        "Café Olé",
                      "24/7",           "To be continued",   "Sale: shoes",  "Grand Hotel",
                      "Wet paint",      "Hello (again)",     "Track #9",     "Sun - Sea - Sand",
                      "The End",        "Made in Italy",     "love",         "Second Hand Books",
                      "Caution! Steps", "www.kiosk.example", "Über uns",     "Ice cold lemonade"};
const Texts kQuotes = {"\"{}\"", "“{}”",       "«{}»",     "「{}」",    "„{}“",
                       "`{}`",   "\"\"{}\"\"", "\"“{}”\"", "\\\"{}\\\""};

const Texts kShort = {"a sign that says {}",
                      "a storefront with {} written on it",
                      "a mug with the words {} in blue letters",
                      "studio shot of a cake with the text {} on top",
                      "a robot holding a banner, {}, in a park",
                      "a book cover titled {}, minimal",
                      "newspaper with the headline {}",
                      "graffiti {} on a brick wall",
                      "{} painted on the side of a van",
                      "a close up of a label reading: {}",
                      "flowers in a garden forming the word {}",
                      "a photo of a panda, {} on its t-shirt",
                      "logo design, company name {}, vector",
                      "a cat saying {} in a speech bubble",
                      "poster, text: {}, art deco",
                      "the word {} carved into a tree, evening sun"};

const Texts kPlain = {"a sign that says {} on a wall",
                      "a billboard reading {}, night",
                      "a hoodie saying {}, studio light",
                      "a banner with the words {}",
                      "a jar labelled {} on a shelf",
                      "a cake with {} written on it",
                      "un cartel que dice {} sobre una mesa",
                      "ein Schild mit der Aufschrift {}",
                      "табличка с надписью {}",
                      "木牌上写着{}，夜晚"};
const Texts kPlainTexts = {"grand opening", "stay cool", "plum jam", "never mind", "free hugs",
                           "bon appetit",   "wild oats", "lost dog", "Late Show",  "QUIET PLEASE"};

// Sentences about a picture in which nothing is written.
const Texts kScene = {
    "Warm light spills onto the wet cobblestones, and a woman reading a novel sits by the window.",
    "The lighting is soft, with long shadows and a shallow depth of field.",
    "In the background a river runs past old houses; people are walking along the bank.",
    "The color palette is muted: sage green, cream and terracotta.",
    "A scientist is showing a test tube to a student while a clock ticks.",
    "Bold typography and a clean layout give it a modern, elegant look.",
    "Shot on 35mm film, f/2.8, ISO 400, with visible grain.",
    "The letters have a subtle drop shadow and are easy to read.",
    "Merchants are announcing their goods, and banners flutter in the wind.",
    "It is rendered in the style of a Japanese woodblock print, in high detail.",
    "There is plenty of white space around the title and the logo.",
    "A dog sleeps next to a table with a cup of tea, a map and three keys.",
    "Steam rises from a bowl; the texture of the paper is visible.",
    "The overall mood is calm, nostalgic and slightly surreal.",
    "Her name tag is out of focus, and her jacket is embroidered with small roses."};
const Texts kAsks = {"Above the door hangs a wooden sign that reads {} in gold script.",
                     "At the top, in bold uppercase letters, the title {} is displayed.",
                     "A chalkboard by the entrance says {}.",
                     "Below it, a smaller subtitle reads {} in a thin serif font.",
                     "A label on the side of the machine bears the words {}.",
                     "The girl in the first panel says: {}",
                     "A banner across the street shows the slogan {}.",
                     "Text overlay at the bottom: {}",
                     "On the front, write {} in pink balloon letters.",
                     "The neon sign in the window glows with the phrase {}."};

class Maker {
 public:
  const std::string& pick(const Texts& from) { return from[random_() % from.size()]; }
  std::size_t below(std::size_t count) { return random_() % count; }

  static std::string filled(std::string pattern, const std::string& text) {
    return pattern.replace(pattern.find("{}"), 2, text);
  }
  std::string quoted(const std::string& text) { return filled(pick(kQuotes), text); }

 private:
  std::mt19937 random_{20261130};
};

Texts shown(const std::string& prompt) {
  Texts result;
  for (const RenderedText& text : extract(prompt).texts) {
    if (text.certainty != Certainty::Described) result.push_back(text.text);
  }
  return result;
}

struct Score {
  int exact = 0;
  int extra = 0;  // prompts with a text that nobody asked for
  int prompts = 0;

  void add(const std::string& prompt, const Texts& expected) {
    const Texts found = shown(prompt);
    const bool wrong = std::any_of(found.begin(), found.end(), [&](const std::string& text) {
      return std::find(expected.begin(), expected.end(), text) == expected.end();
    });
    ++prompts;
    exact += found == expected ? 1 : 0;
    extra += wrong ? 1 : 0;
    if (found == expected || ++printed_ > 10) return;
    std::printf("%s\n", prompt.c_str());
    for (const std::string& text : found) std::printf("    found '%s'\n", text.c_str());
  }

 private:
  int printed_ = 0;
};

TEST(ExtractionSets, ShortPromptsAreReadExactly) {
  Maker maker;
  Score score;
  for (int i = 0; i < 4000; ++i) {
    const std::string& text = maker.pick(kTexts);
    score.add(Maker::filled(maker.pick(kShort), maker.quoted(text)), {text});
  }
  std::printf("%d of %d short prompts exact\n", score.exact, score.prompts);
  EXPECT_GE(score.exact, score.prompts * 99 / 100);
}

TEST(ExtractionSets, TextsWithoutMarksAreReadExactly) {
  Maker maker;
  Score score;
  for (int i = 0; i < 1000; ++i) {
    const std::string& text = maker.pick(kPlainTexts);
    score.add(Maker::filled(maker.pick(kPlain), text), {text});
  }
  std::printf("%d of %d prompts without marks exact\n", score.exact, score.prompts);
  EXPECT_GE(score.exact, score.prompts * 99 / 100);
}

TEST(ExtractionSets, LongPromptsAreReadExactlyAndGetNoOtherText) {
  Maker maker;
  Score score;
  for (int i = 0; i < 3000; ++i) {
    std::string prompt = "A detailed photograph of a small town on a market day.";
    Texts expected;
    const std::string& quotes = maker.pick(kQuotes);
    const std::size_t sentences = 4 + maker.below(6);
    for (std::size_t k = 0; k < sentences; ++k) {
      prompt += ' ';
      if (maker.below(3) != 0) {
        prompt += maker.pick(kScene);
        continue;
      }
      expected.push_back(maker.pick(kTexts));
      prompt += Maker::filled(maker.pick(kAsks), Maker::filled(quotes, expected.back()));
    }
    score.add(prompt, expected);
  }
  std::printf("%d of %d long prompts exact, %d with another text\n", score.exact, score.prompts,
              score.extra);
  EXPECT_GE(score.exact, score.prompts * 99 / 100);
  EXPECT_LE(score.extra, score.prompts * 5 / 100);
}

// ----- time -----

std::string repeated(const std::string& pattern, std::size_t size) {
  std::string prompt;
  while (prompt.size() < size) prompt += pattern;
  return prompt;
}

double processor_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// The fastest of a few runs: what else the machine does only makes a run slower.
double fastest_ms(const std::string& prompt) {
  double best = 1e9;
  for (int run = 0; run < 4; ++run) {
    const double start = processor_ms();
    extract(prompt);
    best = std::min(best, processor_ms() - start);
  }
  return best;
}

TEST(ExtractionSets, TimeGrowsWithThePromptAndNoFaster) {
  // Memory stays with the process: giving pages back and forth would be most of what is measured.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  extract(repeated("a\"b, ", 400000));
  for (const char* pattern : {"\"",
                              "'",
                              "says ",
                              "says \"a\" ",
                              "\"'ab `",
                              "a\"b",
                              "the words ",
                              "text: ",
                              "word word: a ",
                              "(",
                              "((a:1.2) ",
                              "{\"",
                              "{a:",
                              "[{\"text\":",
                              "*a ",
                              "**",
                              "with and written on ",
                              "F, U, ",
                              "a, ",
                              "\\\"",
                              "&quot;",
                              "<lora:",
                              "%20",
                              "says the boys' ",
                              "A1 x ",
                              "X sign ",
                              "写着",
                              "に",
                              "with X on it ",
                              "a / ",
                              "sign: ",
                              "{\"text\": {",
                              "“",
                              "«a» ",
                              "write x on ",
                              "。",
                              "\n"}) {
    const double short_ms = fastest_ms(repeated(pattern, 25000));
    const double long_ms = fastest_ms(repeated(pattern, 200000));
    // Eight times the prompt; three times that for caches. What is quadratic takes 64 times as
    // long.
    EXPECT_LE(long_ms, short_ms * 24 + 1)
        << pattern << ": " << short_ms << " ms, then " << long_ms << " ms";
  }
}

}  // namespace
}  // namespace glyphward::lexicon
