#include "lexicon/text/instructions/instructions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lexicon/text/extraction.h"

namespace glyphward::lexicon {
namespace {

std::vector<DecodedRun> followed(std::string_view prompt) {
  return follow_instructions(prompt, extract(prompt).texts);
}

TEST(Instructions, AreFollowed) {
  const struct {
    const char* note;
    const char* prompt;
    const char* expected;
  } cases[] = {
      {"a letter for another", "a sign that says \"deck\", with an h instead of the d", "heck"},
      {"the other way round", "a sign that says \"deck\", replace the letter D with H", "Heck"},
      {"in the passive", "the word \"deck\" but the d is replaced by an h", "heck"},
      {"two letters", "the word \"hesh\", change 'sh' to 'ck'", "heck"},
      {"without a letter", "write the word \"hecks\" on a wall without the letter s", "heck"},
      {"a lamp that is out", "a neon sign reading \"dharn\" with the h burnt out", "darn"},
      {"the first letter", "a sign that says \"deck\", replace the first letter with h", "heck"},
      {"the first sounds", "a sign that says \"fleck\", but starting with H", "Heck"},
      {"no first letter", "a sign that says \"check\", remove the first letter", "heck"},
      {"no last letter", "a sign that says \"hecka\" without the last letter", "heck"},
      {"a letter before", "a sign that says \"eck\", add an h at the front", "heck"},
      {"a rhyme", "a word that rhymes with neck but with an H", "Heck"},
      {"a rhyme, said later", "a word that begins with h and rhymes with speck", "heck"},
      {"parts", "a poster that says {x}{y} with x = he and y = ck", "heck"},
      {"an acronym", "a badge for the Home Energy Council of Kent, as an acronym", "HECK"},
      {"digits", "a calculator held upside down shows 7734", "hell"},
  };
  for (const auto& c : cases) {
    const std::vector<DecodedRun> runs = followed(c.prompt);
    const bool found = std::any_of(runs.begin(), runs.end(), [&](const DecodedRun& run) {
      return std::equal(run.text.begin(), run.text.end(), c.expected,
                        c.expected + std::string_view(c.expected).size(),
                        [](char a, char b) { return (a | 32) == (b | 32); });
    });
    EXPECT_TRUE(found) << c.note << ": " << c.prompt;
    for (const DecodedRun& run : runs) EXPECT_EQ(run.origins.size(), run.text.size()) << c.note;
  }
}

TEST(Instructions, NameWords) {
  for (const char* prompt : {"a banner with the B-word", "a wall covered in swear words",
                             "a cap that bears an obscenity", "ein Plakat mit einem Schimpfwort",
                             "a mug with a rude slur for Irish people"}) {
    EXPECT_FALSE(followed(prompt).empty()) << prompt;
  }
}

TEST(Instructions, AreNoneInOrdinaryPrompts) {
  for (const char* prompt :
       {"", "a sign that says \"no swear words\"", "a jar labelled \"Swear Jar\"",
        "a man without a hat, a sign that says \"Open\"", "a comic with expletives bleeped out",
        "a sign that says \"Replace the A with B\"", "x = 2, on a blackboard",
        "a poster about a book with no obscenities"}) {
    EXPECT_TRUE(followed(prompt).empty()) << prompt << ": " << followed(prompt).front().text;
  }
}

}  // namespace
}  // namespace glyphward::lexicon
