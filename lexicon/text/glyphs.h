// Glyphs and the letters that readers take them for: look-alikes, leetspeak, letters upside down.
// Pure functions; any number of threads.
#pragma once

#include <string>
#include <string_view>

namespace glyphward::lexicon {

// The base letters of one that NFD leaves whole although readers see an ornament on it ('ø' -> "o",
// 'æ' -> "ae"); empty if none.
std::u32string_view undecomposed(char32_t c);
// The Latin letters that the glyph looks like ('а' U+0430 -> "a", 'І' -> "il"); empty if none.
// `strict`, if given, gets those of them that Unicode lists; the others are taken for the letter
// only among Latin letters.
std::u32string confusable_letters(char32_t c, std::u32string* strict = nullptr);
// 'A'..'Z' behind a regional indicator, a squared or circled letter, as a lower-case letter; 0 if
// none.
char32_t enclosed_letter(char32_t c);
// The letters that a digit or a sign stands for in leetspeak: '1' -> "il"; empty if none.
std::u32string_view leet_letters(char32_t c);
// Letters for which the letter is written because it looks or sounds nearly alike; empty if none.
std::u32string_view sound_letters(char32_t c);
// The Cyrillic letters for which a Latin letter or a digit is written in a Cyrillic word: "xyй".
std::u32string_view cyrillic_lookalike(char32_t c);
// The lower-case letter that the glyph is when turned by 180 degrees; 0 if none. `only`, if given,
// tells that it is used for nothing else.
char32_t turned_letter(char32_t c, bool* only);

}  // namespace glyphward::lexicon
