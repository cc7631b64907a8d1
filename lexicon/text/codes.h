// Words that a prompt writes in a code: Base64, bytes in binary or hexadecimal, character codes,
// places in the alphabet, Morse, code points that show nothing. Pure functions; any number of
// threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glyphward::lexicon {

// A run of the text, decoded.
struct DecodedRun {
  std::string text;  // ASCII, three letters or more
  // Where each byte of `text` comes from: [first, second) of the source, ascending.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> origins;
};

// Every run that decodes to readable letters; hardly an ordinary text has one. A number of three
// parts may be a date as well as a word: whoever asks decides whether the word means anything.
// Linear in text.size().
std::vector<DecodedRun> find_codes(std::string_view text);

}  // namespace glyphward::lexicon
