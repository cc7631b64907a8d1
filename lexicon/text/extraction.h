// Extraction: which parts of a prompt the picture would show as text.
//
//   a mug that says "hello", a cat called Tom  ->  hello
//   balloons spelling out F, U, N              ->  F, U, N
//   {"scene": "a kiosk", "text": "OPEN"}       ->  OPEN
//
// A grammar over the prompt's words and signs (extraction/cues.h): quotation marks of every script,
// verbs and nouns of writing, things that bear text, JSON. Its words are a table,
// extraction/phrases.tsv. Where it is unclear whether something is shown, it is taken as shown.
// Pure functions; any number of threads.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexicon/finding.h"

namespace glyphward::lexicon {

struct Extraction {
  // In order of position, not overlapping; those that are only described, too.
  std::vector<RenderedText> texts;
  // Bytes of the prompt, outside the texts or in described ones, where a word may be drawn all the
  // same: nothing around it proves that it is description. Ascending, not overlapping.
  std::vector<std::pair<std::size_t, std::size_t>> doubtful;
};

// Linear in prompt.size().
Extraction extract(std::string_view prompt, Syntax syntax = Syntax::Plain);

// A way to read a text, and where its bytes come from: as RenderedText::text and ::origins.
struct TextReading {
  std::string text;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> origins;
};
// The text once it is drawn, with its line breaks, tags and escapes resolved; empty if it is drawn
// as it stands.
std::vector<TextReading> other_readings(const RenderedText& text);

// What the prompt says of how its words are to be read.
struct Asked {
  bool acrostic = false;  // by first letters: "an acrostic", "the initials spell"
  bool ciphered = false;  // with their letters moved: "decoded from rot13"
};
Asked asked_of(std::string_view prompt);

}  // namespace glyphward::lexicon
