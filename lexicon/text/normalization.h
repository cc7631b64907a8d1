// Normalization: what a reader sees, as letters. A text becomes cells, one for each thing that is
// drawn (a letter with its marks, a digit, a sign, a space), and each cell keeps the bytes it came
// from and every letter it may be read as.
//
//   "ŝh1t" -> [ŝ: ŝ s] [h: h] [1: 1 i l] [t: t]
//
// One cell has several readings because one glyph has: `1` is i or l. The matcher follows them all
// (matcher.h), so no choice is made here that an author of evasions could play against. The chain,
// each link a function of unicode.h or glyphs.h:
//   decode -> drop what is invisible -> compose and fold (NFKC, case) -> strip marks -> confusables
//   -> enclosed letters -> leet -> sound-alikes
// Pure functions; any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/steps.h"

namespace glyphward::lexicon {

struct CellReading {
  std::array<char32_t, 3> letters{};
  std::uint8_t size = 0;
  Steps steps = 0;
  bool digit = false;   // read from a digit: too many of those make a number, not a word
  bool ornate = false;  // marks stripped that no alphabet puts on the letter, or several
  bool loose = false;   // a likeness that only counts in a word of several scripts
};

enum class CellKind : std::uint8_t { Letter, Digit, Sign, Space };

struct Cell {
  std::uint32_t start = 0;  // bytes of the text: [start, end)
  std::uint32_t end = 0;
  char32_t source = 0;      // the code point as it stands; U+FFFD for what is not UTF-8
  char32_t plain = 0;       // case-folded and composed, nothing else done: what the allow list sees
  std::uint32_t first = 0;  // readings: NormalizedText::readings[first, first + count)
  std::uint16_t count = 0;
  CellKind kind = CellKind::Sign;
  bool upper = false;
  bool shared = false;    // the readings lie in NormalizedText::ascii
  bool long_run = false;  // stands for more of the same: the letter was written three times or more
};

// Part of a word: a letter or a digit.
inline bool is_word(const Cell& cell) {
  return cell.kind == CellKind::Letter || cell.kind == CellKind::Digit;
}

struct NormalizedText {
  std::vector<Cell> cells;
  std::vector<CellReading> readings;  // of the cells that do not share those of plain ASCII

  const CellReading* begin(const Cell& cell) const {
    return (cell.shared ? ascii : readings.data()) + cell.first;
  }
  const CellReading* end(const Cell& cell) const { return begin(cell) + cell.count; }

  const CellReading* ascii =
      nullptr;  // those of plain ASCII, where a cell shares them; they live on
};

// The whole chain. Linear in text.size().
NormalizedText normalize(std::string_view text);

// The cells from last to first. With turned, only upside-down readings are kept; `any_turned` tells
// whether a glyph was there that is only used upside down.
NormalizedText reverse(const NormalizedText& text);
NormalizedText turn(const NormalizedText& text, bool* any_turned);

// A term's letters in the form that readings have: NFKC, case folded, kana as hiragana; words
// parted by one space.
std::u32string fold_term(std::string_view term);
// The same with the marks of Latin, Greek and Cyrillic letters stripped.
std::u32string strip_marks(std::u32string_view folded);

}  // namespace glyphward::lexicon
