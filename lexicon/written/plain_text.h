// A text as its letters stand there, for what is searched for as it is written: nothing is read as
// something else, but what a reader does not see is left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::lexicon {

// Invisible code points are dropped, marks composed with their letter, full-width, circled and
// mathematical letters made plain, hyphens and apostrophes made ASCII's, and runs of spaces that
// hold no line break made one space. Linear in the text.
struct PlainText {
  explicit PlainText(std::string_view text);

  std::u32string letters;
  std::vector<std::uint32_t> starts;  // of each letter, in the text's bytes; at the end, its size
  std::string utf8;                   // the letters, as a regular expression reads them
  std::vector<std::uint32_t> places;  // of each byte of utf8, and of its end: its letter's number
};

// Simple case folding.
char32_t fold_case(char32_t c);

}  // namespace glyphward::lexicon
