// Glyphs and the letters that readers take them for: look-alikes, leetspeak, letters upside down. A
// look-alike is added in glyphs.tsv, which is compiled in and read once. Any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

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

// The table of glyphs. Immutable once built.
class GlyphTable {
 public:
  enum class Kind {
    Ornamented,    // undecomposed()
    SmallCapital,  // among confusable_letters(), taken for the letter everywhere
    LookAlike,     // among confusable_letters(), by the glyph in lower case
    Alphabet,      // among confusable_letters(); a row has a glyph for each of its letters
    Leet,          // leet_letters()
    Sound,         // sound_letters()
    Cyrillic,      // cyrillic_lookalike()
    Turned,        // turned_letter(), used for nothing else
    TurnedToo      // turned_letter(), an ordinary character too
  };
  static constexpr std::size_t kKindCount = 9;

  // Throws ConfigError naming file, line and field.
  GlyphTable(const std::filesystem::path& file, std::string_view content);

  // Empty if the table has none.
  std::u32string_view letters(Kind kind, char32_t glyph) const {
    return letters_[static_cast<std::size_t>(kind)].find(glyph);
  }

 private:
  // Letters by glyph; those of ASCII are found in one look.
  class LetterMap {
   public:
    // False if the glyph has letters already.
    bool add(char32_t glyph, std::u32string_view letters) {
      if (!find(glyph).empty()) return false;
      (glyph < ascii_.size() ? ascii_[glyph] : others_[glyph]) = letters;
      return true;
    }
    std::u32string_view find(char32_t glyph) const {
      if (glyph < ascii_.size()) return ascii_[glyph];
      const auto it = others_.find(glyph);
      return it == others_.end() ? std::u32string_view() : it->second;
    }

   private:
    std::array<std::u32string, 128> ascii_;
    std::unordered_map<char32_t, std::u32string> others_;
  };
  void add_alphabet(std::u32string_view letters, std::u32string_view glyphs);

  std::array<LetterMap, kKindCount> letters_;
};

}  // namespace glyphward::lexicon
