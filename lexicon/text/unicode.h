// What Unicode says of characters and of strings of them, and what scripts make of words. Pure
// functions; any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace glyphward::lexicon {

// ----- UTF-8 -----

// Decodes the code point at `offset`, which must be below text.size(), and moves on; U+FFFD, one
// byte on, for what is not UTF-8.
inline char32_t decode(std::string_view text, std::size_t& offset) {
  const auto byte = static_cast<unsigned char>(text[offset]);
  if (byte < 0x80) {
    ++offset;
    return byte;
  }
  const std::size_t start = offset;
  const std::optional<char32_t> c = next_character(text, offset);
  if (c) return *c;
  offset = start + 1;
  return kReplacementCharacter;
}
std::string encode(std::u32string_view letters);

// ----- forms -----

std::u32string nfc(std::u32string_view text);
std::u32string nfd(std::u32string_view text);
std::u32string nfkc_casefold(std::u32string_view text);
// Composed and case folded, without the compatibility foldings of NFKC.
std::u32string nfc_casefold(std::u32string_view text);
// Kana are one alphabet in two shapes; ё is written е as often as not.
inline char32_t fold_script(char32_t c) {
  if (c >= U'ァ' && c <= U'ヶ') return c - 0x60;
  return c == U'ё' ? U'е' : c;
}

// ----- characters -----

// Characters, of which those of ASCII are found in one look.
class CharacterSet {
 public:
  explicit constexpr CharacterSet(std::u32string_view characters) : all_(characters) {
    for (const char32_t c : characters) {
      if (c < 128) ascii_[c >> 6] |= std::uint64_t{1} << (c & 63);
    }
  }
  constexpr bool contains(char32_t c) const {
    if (c < 128) return (ascii_[c >> 6] >> (c & 63) & 1) != 0;
    return all_.find(c) != std::u32string_view::npos;
  }

 private:
  std::u32string_view all_;
  std::array<std::uint64_t, 2> ascii_{};
};

bool is_letter(char32_t c);
bool is_space(char32_t c);
// Default-ignorable code points, controls that are no space, the braille blank.
bool is_invisible(char32_t c);
bool is_mark(char32_t c);
inline bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline bool is_ascii_letter(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }
inline bool is_vowel(char32_t c) {
  static constexpr CharacterSet kVowels(U"aeiouyáéíóúàèìòùäëïöüâêîôûãõåøæœаеёиоуыэюя");
  return kVowels.contains(c);
}
inline bool is_apostrophe(char32_t c) { return c == U'\'' || c == U'’' || c == U'ʼ' || c == U'＇'; }
// A conjoining part of a Hangul syllable.
inline bool is_jamo(char32_t c) { return c >= 0x1100 && c <= 0x11FF; }
inline bool is_cyrillic(char32_t c) { return c >= 0x400 && c <= 0x52F; }
bool is_currency_sign(char32_t c);
// Whether one language has all of these letters (CLDR's exemplar characters).
bool are_of_one_cyrillic_alphabet(std::u32string_view letters);
inline bool is_katakana(char32_t c) { return (c >= U'ァ' && c <= U'ヺ') || c == U'ー'; }
inline bool is_hiragana(char32_t c) { return c >= U'ぁ' && c <= U'ゖ'; }
// Latin, Greek, Cyrillic, Arabic, Hebrew: a mark on a letter leaves it that letter; elsewhere it
// makes another.
bool marks_are_ornament(char32_t base);
// A combining mark of no script: an ornament on the letters of any.
bool is_common_mark(char32_t c);
// The small letter that Unicode's name of the character speaks of: r of LATIN SMALL LETTER R WITH
// FISHHOOK, к of CYRILLIC SMALL LETTER KA WITH DESCENDER, e of LATIN SMALL LETTER TURNED E. 0 for
// none.
char32_t named_base(char32_t c);
// Han, kana, Hangul, Thai: written without spaces between words, or with endings that stick to
// them.
bool is_unspaced_script(char32_t c);
inline bool is_unspaced(char32_t c) { return c >= 0xE00 && is_unspaced_script(c); }

// ----- words -----

bool has_vowel(std::u32string_view word);
// True for the empty word too.
bool all_digits(std::u32string_view word);
// Whether a short word of kana may begin behind `before`: katakana and hiragana part words, and so
// do the particles. Whether it may end before `after`.
bool kana_begins(char32_t before, char32_t first);
inline bool kana_ends(char32_t last, char32_t after) {
  return !(is_katakana(last) && is_katakana(after));
}

}  // namespace glyphward::lexicon
