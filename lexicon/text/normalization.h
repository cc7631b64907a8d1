// Normalization: what a reader sees, as letters. A text becomes cells, one for each thing that is
// drawn (a letter with its marks, a digit, a sign, a space), and each cell keeps the bytes it came
// from and every letter it may be read as.
//
//   "ŝh1t" -> [ŝ: ŝ s] [h: h] [1: 1 i l] [t: t]
//
// One cell has several readings because one glyph has: `1` is i or l. The matcher follows them all
// (matcher.h), so no choice is made here that an author of evasions could play against. The chain,
// each link a function below:
//   decode -> drop what is invisible -> compose and fold (NFKC, case) -> strip marks -> confusables
//   -> enclosed letters
//   -> leet -> sound-alikes
// Pure functions; any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::lexicon {

// What led from the prompt's bytes to a term. A set of bits; step_names() puts them into words, in
// this order.
using Steps = std::uint32_t;
enum Step : Steps {
  kInvisible = 1u << 0,      // zero-width, bidi and other default-ignorable code points dropped
  kCompatibility = 1u << 1,  // NFKC: full-width, mathematical, ligatures, superscripts
  kMarks = 1u << 2,          // combining marks stripped
  kConfusables = 1u << 3,    // a look-alike from another script, or l for i
  kEnclosed = 1u << 4,       // regional indicators, squared and circled letters
  kLeet = 1u << 5,           // digits and signs for letters
  kSound = 1u << 6,          // sound-alike spelling: ph for f, k for c
  kRepeats = 1u << 7,        // repeated letters squashed
  kSeparators = 1u << 8,     // what stood between the letters taken out
  kMask = 1u << 9,           // a masked letter filled in
  kTurned = 1u << 10,        // upside down
  kReversed = 1u << 11,      // right to left
  kSplit = 1u << 12,         // pieces in several quotes or lines put together
  kAcrostic = 1u << 13,      // first letters of lines or words
  kSpelling = 1u << 14,      // another spelling that the lexicon lists for the term
  kInflection = 1u << 15,    // plural, -ing, ...
  kCompound = 1u << 16,      // the term inside a longer word
};
std::vector<std::string> step_names(Steps steps);

struct Reading {
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
  bool shared = false;    // the readings lie in NormalizedText::ascii_readings()
  bool long_run = false;  // stands for more of the same: the letter was written three times or more
};

struct NormalizedText {
  std::vector<Cell> cells;
  std::vector<Reading> readings;  // of the cells that do not share those of plain ASCII

  const Reading* begin(const Cell& cell) const {
    return (cell.shared ? ascii : readings.data()) + cell.first;
  }
  const Reading* end(const Cell& cell) const { return begin(cell) + cell.count; }

  // Adds another text's cells, their offsets moved on by `offset`.
  void append(const NormalizedText& other, std::size_t offset);

  static const std::vector<Reading>& ascii_readings();
  const Reading* ascii = nullptr;  // ascii_readings(), where a cell shares them
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

// Links of the chain, by code point.
bool is_invisible(char32_t c);
bool is_mark(char32_t c);
// The Latin letters that the glyph looks like ('а' U+0430 -> "a", 'І' -> "il"); empty if none.
// `strict`, if given, gets those of them that Unicode lists; the others are taken for the letter
// only among Latin letters.
std::u32string confusable_letters(char32_t c, std::u32string* strict = nullptr);
// 'A'..'Z' behind a regional indicator, a squared or circled letter, as a lower-case letter; 0 if
// none.
char32_t enclosed_letter(char32_t c);
// The letters that a digit or a sign stands for in leetspeak: '1' -> "il"; empty if none.
std::u32string_view leet_letters(char32_t c);
// The lower-case letter that the glyph is when turned by 180 degrees; 0 if none. `only` tells that
// it is used for nothing else.
char32_t turned_letter(char32_t c, bool* only);

// Small helpers for UTF-8, shared with extraction and matcher.
// Decodes the code point at offset and moves on; U+FFFD, one byte on, for what is not UTF-8.
char32_t decode(std::string_view text, std::size_t& offset);
std::string encode(std::u32string_view letters);
bool is_letter(char32_t c);
bool is_space(char32_t c);
// Han, kana, Hangul, Thai: written without spaces between words, or with endings that stick to
// them.
bool is_unspaced_script(char32_t c);
inline bool is_unspaced(char32_t c) { return c >= 0xE00 && is_unspaced_script(c); }

}  // namespace glyphward::lexicon
