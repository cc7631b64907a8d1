// Texts that say something else once they are decoded: markup taken out, entities and escapes put
// in place, what stands between all letters left out, letters moved. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexicon/steps.h"

namespace glyphward::lexicon {

struct Decoded {
  enum class Kind { Markup, Code, LettersMoved };
  Kind kind = Kind::Code;
  std::string text;  // UTF-8
  // Where each byte of `text` comes from: [first, second) of the source.
  std::vector<std::pair<std::size_t, std::size_t>> from;
};

// What the whole text may be decoded to; empty for nearly all texts. Linear in text.size().
std::vector<Decoded> decode_all(std::string_view text);

// What a word may be with its letters moved: by thirteen places, or as pig latin has it. ASCII.
std::vector<Decoded> decode_word(std::string_view word);

}  // namespace glyphward::lexicon
