#include "lexicon/text/glyphs.h"

#include <unicode/uchar.h>
#include <unicode/uspoof.h>

#include <algorithm>
#include <utility>

#include "base/table.h"
#include "lexicon/tables.h"
#include "lexicon/text/icu.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

using Kind = GlyphTable::Kind;

struct NamedKind {
  std::string_view name;  // in the table
  std::size_t letters_max;
};
// By Kind. A reading has at most three letters.
constexpr std::array<NamedKind, GlyphTable::kKindCount> kKinds = {{{"ornamented", 3},
                                                                   {"small_capital", 1},
                                                                   {"look_alike", 3},
                                                                   {"alphabet", 26},
                                                                   {"leet", 3},
                                                                   {"sound", 3},
                                                                   {"cyrillic", 3},
                                                                   {"turned", 1},
                                                                   {"turned_too", 1}}};

std::u32string to_letters(std::string_view utf8) {
  std::u32string letters;
  for (std::size_t offset = 0; offset < utf8.size();) letters.push_back(decode(utf8, offset));
  return letters;
}

char32_t to_lower(char32_t c) { return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))); }

const GlyphTable& table() {
  static const GlyphTable table("lexicon/text/glyphs.tsv", tables::lexicon_text_glyphs_tsv);
  return table;
}

// The first of the letters; 0 if there is none.
char32_t first(std::u32string_view letters) { return letters.empty() ? 0 : letters.front(); }

// Adds a letter that is not there yet.
void add_letter(std::u32string& letters, char32_t letter) {
  if (letter != 0 && letters.find(letter) == letters.npos) letters.push_back(letter);
}

// The Latin letters of each glyph that Unicode lists as confusable with one.
class Confusables {
 public:
  static const Confusables& instance() {
    static const Confusables table;
    return table;
  }

  const std::u32string& letters(char32_t c) const {
    static const std::u32string none;
    const auto it = map_.find(c);
    return it == map_.end() ? none : it->second;
  }

 private:
  // ICU's skeleton of a whole text loses the offsets, so the table is made once, code point by code
  // point.
  Confusables() {
    UErrorCode status = U_ZERO_ERROR;
    USpoofChecker* checker = uspoof_open(&status);
    check(status, "uspoof_open");
    const auto skeleton = [&](char32_t c) {
      icu::UnicodeString source(static_cast<UChar32>(c));
      icu::UnicodeString result;
      UErrorCode error = U_ZERO_ERROR;
      uspoof_getSkeletonUnicodeString(checker, 0, source, result, &error);
      check(error, "skeleton");
      return to_u32(result);
    };
    std::unordered_map<std::u32string, std::u32string> letters_of;
    for (char32_t c = U'a'; c <= U'z'; ++c) {
      for (const char32_t glyph : {c, static_cast<char32_t>(c - U'a' + U'A')}) {
        std::u32string& letters = letters_of[skeleton(glyph)];
        if (letters.find(c) == std::u32string::npos) letters.push_back(c);
      }
    }
    for (char32_t c = 0xA0; c < 0x1F200; ++c) {
      if (c == 0x3400) c = 0xA000;  // Han ideographs look like no letter
      if (c == 0xAC00) c = 0xF900;  // Hangul syllables, surrogates, private use
      if (c == 0x10000) c = 0x10100;
      if (c == 0x12000) c = 0x16E00;  // cuneiform and hieroglyphs
      if (!u_isdefined(static_cast<UChar32>(c))) continue;
      const auto it = letters_of.find(skeleton(c));
      if (it != letters_of.end()) map_.emplace(c, it->second);
    }
    // Letters that Unicode names after one: "LATIN SMALL LETTER R WITH FISHHOOK".
    for (const auto& [from, to] : {std::pair<char32_t, char32_t>{0xC0, 0x530},
                                   {0x1C80, 0x1C90},
                                   {0x1D00, 0x1DC0},
                                   {0x1E00, 0x1F00},
                                   {0x2C60, 0x2C80},
                                   {0xA640, 0xA6A0},
                                   {0xA720, 0xA800},
                                   {0xAB30, 0xAB70},
                                   {0x1DF00, 0x1E000}}) {
      for (char32_t c = from; c < to; ++c) {
        const char32_t base = named_base(c);
        if (base == 0 || base == c || base == to_lower(c)) continue;
        std::u32string letters = map_[c];
        if (base < 0x80) {
          add_letter(letters, base);
        } else if (const auto it = map_.find(base); it != map_.end()) {
          for (const char32_t letter : it->second) add_letter(letters, letter);
        }
        map_[c] = letters;
      }
    }
    uspoof_close(checker);
  }

  std::unordered_map<char32_t, std::u32string> map_;
};

}  // namespace

GlyphTable::GlyphTable(const std::filesystem::path& file, std::string_view content) {
  TableReader table(file, content);
  table.expect_header({"kind", "letters", "glyphs"});
  while (table.next()) {
    const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const NamedKind& named) {
      return named.name == table.fields()[0];
    });
    if (kind == kKinds.end()) table.fail("kind", "unknown: '" + table.fields()[0] + "'");
    const auto index = static_cast<std::size_t>(kind - kKinds.begin());
    const std::u32string letters = to_letters(table.fields()[1]);
    const std::u32string glyphs = to_letters(table.fields()[2]);
    if (letters.empty() || letters.size() > kind->letters_max)
      table.fail("letters", "expected 1 to " + std::to_string(kind->letters_max) + ", found " +
                                std::to_string(letters.size()));
    if (glyphs.empty()) table.fail("glyphs", "expected at least one, found none");
    if (static_cast<Kind>(index) == Kind::Alphabet) {
      if (glyphs.size() != letters.size())
        table.fail("glyphs", "expected one for each letter, " + std::to_string(letters.size()) +
                                 ", found " + std::to_string(glyphs.size()));
      add_alphabet(letters, glyphs);
      continue;
    }
    for (const char32_t glyph : glyphs) {
      if (!letters_[index].add(glyph, letters))
        table.fail("glyphs", std::string("'")
                                 .append(encode(std::u32string_view(&glyph, 1)))
                                 .append("' appears twice"));
    }
  }
}

// Glyph by glyph. Of a glyph of several alphabets the first counts; plain letters among them say
// nothing.
void GlyphTable::add_alphabet(std::u32string_view letters, std::u32string_view glyphs) {
  LetterMap& map = letters_[static_cast<std::size_t>(Kind::Alphabet)];
  for (std::size_t i = 0; i < glyphs.size(); ++i) {
    if (glyphs[i] < 0x80) continue;
    map.add(glyphs[i], letters.substr(i, 1));
    map.add(to_lower(glyphs[i]), letters.substr(i, 1));
  }
}

std::u32string_view undecomposed(char32_t c) { return table().letters(Kind::Ornamented, c); }

std::u32string confusable_letters(char32_t c, std::u32string* strict) {
  if (c < 0x80) return {};
  std::u32string letters = Confusables::instance().letters(c);
  add_letter(letters, first(table().letters(Kind::SmallCapital, c)));
  if (strict != nullptr) *strict = letters;
  for (const char32_t letter : table().letters(Kind::LookAlike, to_lower(c)))
    add_letter(letters, letter);
  add_letter(letters, first(table().letters(Kind::Alphabet, c)));
  return letters;
}

char32_t enclosed_letter(char32_t c) {
  for (const char32_t first : {0x1F1E6u, 0x1F130u, 0x1F150u, 0x1F170u, 0x1F110u}) {
    if (c >= first && c < first + 26) return U'a' + (c - first);
  }
  return 0;
}

std::u32string_view leet_letters(char32_t c) { return table().letters(Kind::Leet, c); }

std::u32string_view sound_letters(char32_t c) { return table().letters(Kind::Sound, c); }

std::u32string_view cyrillic_lookalike(char32_t c) { return table().letters(Kind::Cyrillic, c); }

char32_t turned_letter(char32_t c, bool* only) {
  const char32_t letter = first(table().letters(Kind::Turned, c));
  if (only != nullptr) *only = letter != 0;
  return letter != 0 ? letter : first(table().letters(Kind::TurnedToo, c));
}

}  // namespace glyphward::lexicon
