#include "lexicon/text/glyphs.h"

#include <unicode/uchar.h>
#include <unicode/uspoof.h>

#include <array>
#include <unordered_map>

#include "lexicon/text/icu.h"

namespace glyphward::lexicon {
namespace {

// Small capitals and turned phonetic letters are letters of their own to Unicode.
char32_t small_capital(char32_t c) {
  static const std::unordered_map<char32_t, char32_t> map = {
      {U'ᴀ', U'a'}, {U'ʙ', U'b'},   {U'ᴄ', U'c'}, {U'ᴅ', U'd'}, {U'ᴇ', U'e'},
      {U'ꜰ', U'f'}, {U'ɢ', U'g'},   {U'ʜ', U'h'}, {U'ɪ', U'i'}, {U'ᴊ', U'j'},
      {U'ᴋ', U'k'}, {U'ʟ', U'l'},   {U'ᴍ', U'm'}, {U'ɴ', U'n'}, {U'ᴏ', U'o'},
      {U'ᴘ', U'p'}, {U'ꞯ', U'q'}, {U'ʀ', U'r'}, {U'ꜱ', U's'}, {U'ᴛ', U't'},
      {U'ᴜ', U'u'}, {U'ᴠ', U'v'},   {U'ᴡ', U'w'}, {U'ʏ', U'y'}, {U'ᴢ', U'z'}};
  const auto it = map.find(c);
  return it == map.end() ? 0 : it->second;
}

// Look-alikes that Unicode's list does not count as confusable, yet readers take for the letter.
std::u32string_view loose_confusable(char32_t c) {
  switch (c) {
    case U'к':
    case U'κ':
      return U"k";
    case U'т':
    case U'τ':
      return U"t";
    case U'п':
    case U'η':
    case U'ո':
    case U'ռ':
      return U"n";
    case U'г':
      return U"r";
    case U'и':
    case U'й':
      return U"nu";
    case U'я':
      return U"r";
    case U'м':
      return U"m";
    case U'н':
      return U"h";
    case U'в':
    case U'β':
    case U'ь':
    case U'ъ':
    case U'б':
      return U"b";
    case U'з':
    case U'є':
    case U'ε':
    case U'э':
    case U'ҽ':
      return U"e";
    case U'ш':
    case U'щ':
    case U'ω':
    case U'ѡ':
      return U"w";
    case U'ц':
    case U'υ':
    case U'μ':
    case U'µ':
    case U'ս':
      return U"u";
    case U'ч':
      return U"y";
    case U'ж':
    case U'χ':
      return U"x";
    case U'λ':
      return U"l";
    case U'ν':
      return U"v";
    case U'γ':
      return U"y";
    case U'ρ':
    case U'φ':
      return U"p";
    case U'σ':
    case U'ѳ':
    case U'θ':
      return U"o";
    case U'δ':
      return U"d";
    case U'α':
      return U"a";
    case U'ι':
      return U"i";
    case U'ѕ':
    case U'ς':
      return U"s";
    case U'ɩ':
      return U"il";
    case U'ӏ':
      return U"li";
    case U'℮':
      return U"e";
    case U'ԍ':
    case U'ց':
      return U"g";
    case U'հ':
    case U'ћ':
    case U'ђ':
      return U"h";
    case U'ä':
    case U'∀':
      return U"a";
    default:
      return {};
  }
}

// Alphabets that text fonts for social media put together from other scripts; each in order, a to
// z.
char32_t fancy_letter(char32_t c) {
  static const std::unordered_map<char32_t, char32_t> map = [] {
    std::unordered_map<char32_t, char32_t> result;
    for (const std::u32string_view alphabet :
         {U"卂乃匚ᗪ乇千Ꮆ卄丨ﾌҜㄥ爪几ㄖ卩Ɋ尺丂ㄒㄩᐯ山乂ㄚ乙", U"ค๒ς๔єŦﻮђเןкl๓ภ๏קợгรtยשฬאץz",
          U"ꍏꌃꉓꀸꍟꎇꁅꃅꀤꀭꀘ꒒ꂵꈤꂦꉣꆰꋪꌗ꓄ꀎꃴꅏꊼꌩꁴ", U"ᗩᗷᑕᗪEᖴGᕼIᒍKᒪᗰᑎOᑭᑫᖇSTᑌᐯᗯ᙭Yᘔ",
          U"ልጌርዕቿቻኗዘጎጋጕረጠክዐየዒዪነፕሁሀሠሸሃጊ", U"ᎪᏴᏟᎠᎬƒᏀᎻᏆᎫᏦᏞᎷΝᎾᏢϘᏒᏚᎢᏬᏙᏔХᎩᏃ"}) {
      char32_t letter = U'a';
      for (const char32_t glyph : alphabet) {
        if (glyph >= 0x80) {
          result.emplace(glyph, letter);
          result.emplace(static_cast<char32_t>(u_tolower(static_cast<UChar32>(glyph))), letter);
        }
        ++letter;
      }
    }
    return result;
  }();
  const auto it = map.find(c);
  return it == map.end() ? 0 : it->second;
}

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
    uspoof_close(checker);
  }

  std::unordered_map<char32_t, std::u32string> map_;
};

}  // namespace

// Letters that NFD leaves whole although readers see a base letter with an ornament.
std::u32string_view undecomposed(char32_t c) {
  switch (c) {
    case U'ø':
    case U'ɵ':
    case U'ǿ':
      return U"o";
    case U'ł':
    case U'ƚ':
    case U'ɫ':
    case U'ⱡ':
      return U"l";
    case U'đ':
    case U'ð':
    case U'ɖ':
      return U"d";
    case U'ħ':
    case U'ɦ':
      return U"h";
    case U'ŧ':
    case U'ƭ':
    case U'ⱦ':
      return U"t";
    case U'ı':
    case U'ɨ':
    case U'ɩ':
      return U"i";
    case U'ƀ':
    case U'ɓ':
      return U"b";
    case U'ƈ':
    case U'ȼ':
      return U"c";
    case U'ɇ':
      return U"e";
    case U'ƒ':
      return U"f";
    case U'ǥ':
    case U'ɠ':
      return U"g";
    case U'ƙ':
    case U'ĸ':
      return U"k";
    case U'ŋ':
    case U'ɲ':
    case U'ƞ':
      return U"n";
    case U'ƥ':
      return U"p";
    case U'ʀ':
    case U'ɍ':
      return U"r";
    case U'ƴ':
    case U'ɏ':
      return U"y";
    case U'ƶ':
    case U'ȥ':
      return U"z";
    case U'ʋ':
    case U'ʊ':
    case U'ʉ':
      return U"u";
    case U'ȶ':
    case U'ʈ':
      return U"t";
    case U'ʂ':
    case U'ȿ':
      return U"s";
    case U'ʐ':
    case U'ʑ':
      return U"z";
    case U'ɕ':
      return U"c";
    case U'ɛ':
      return U"e";
    case U'ɱ':
      return U"m";
    case U'ɭ':
    case U'ɬ':
      return U"l";
    case U'ɽ':
      return U"r";
    case U'ʝ':
      return U"j";
    case U'ʛ':
      return U"g";
    case U'ʠ':
      return U"q";
    case U'ⱱ':
      return U"v";
    case U'þ':
    case U'ƿ':
      return U"p";
    case U'ɑ':
      return U"a";
    case U'ɗ':
      return U"d";
    case U'ɡ':
      return U"g";
    case U'æ':
      return U"ae";
    case U'œ':
      return U"oe";
    case U'ẞ':
    case U'ß':
      return U"ss";
    default:
      return {};
  }
}

std::u32string confusable_letters(char32_t c, std::u32string* strict) {
  if (c < 0x80) return {};
  std::u32string letters = Confusables::instance().letters(c);
  if (const char32_t letter = small_capital(c);
      letter != 0 && letters.find(letter) == letters.npos) {
    letters.push_back(letter);
  }
  if (strict != nullptr) *strict = letters;
  for (const char32_t letter :
       loose_confusable(static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))))) {
    if (letters.find(letter) == letters.npos) letters.push_back(letter);
  }
  if (const char32_t letter = fancy_letter(c); letter != 0 && letters.find(letter) == letters.npos)
    letters.push_back(letter);
  return letters;
}

char32_t enclosed_letter(char32_t c) {
  for (const char32_t first : {0x1F1E6u, 0x1F130u, 0x1F150u, 0x1F170u, 0x1F110u}) {
    if (c >= first && c < first + 26) return U'a' + (c - first);
  }
  return 0;
}

std::u32string_view leet_letters(char32_t c) {
  switch (c) {
    case U'0':
      return U"o";
    case U'1':
      return U"il";
    case U'2':
      return U"z";
    case U'3':
      return U"e";
    case U'4':
      return U"a";
    case U'5':
      return U"s";
    case U'6':
      return U"gb";
    case U'7':
      return U"t";
    case U'8':
      return U"b";
    case U'9':
      return U"g";
    case U'@':
      return U"a";
    case U'$':
      return U"s";
    case U'!':
    case U'|':
      return U"il";
    case U'+':
      return U"t";
    case U'(':
    case U'<':
    case U'{':
    case U'[':
      return U"c";
    case U'#':
      return U"h";
    case U'^':
      return U"a";
    case U'%':
      return U"x";
    case U'&':
      return U"a";
    case U'€':
      return U"e";
    case U'£':
      return U"l";
    case U'¢':
    case U'©':
      return U"c";
    case U'¥':
      return U"y";
    case U'¡':
      return U"i";
    case U'§':
      return U"s";
    case U'®':
      return U"r";
    case U'×':
      return U"x";
    case U'†':
      return U"t";
    case U'°':
    case U'⭕':
    case U'◯':
    case U'○':
    case U'●':
      return U"o";
    case U'❗':
    case U'❕':
      return U"i";
    default:
      return {};
  }
}

// Letters that are written for others because they look or sound nearly alike.
std::u32string_view sound_letters(char32_t c) {
  switch (c) {
    case U'k':
      return U"c";
    case U'c':
      return U"k";
    case U'q':
      return U"gk";
    case U'v':
      return U"u";
    case U'x':
      return U"c";
    case U'y':
      return U"i";
    case U'z':
      return U"s";
    case U'w':
      return U"u";
    default:
      return {};
  }
}

// Latin letters and digits in a word that also has Cyrillic ones: "xyй".
std::u32string_view cyrillic_lookalike(char32_t c) {
  switch (c) {
    case U'a':
    case U'@':
      return U"а";
    case U'b':
      return U"вьб";
    case U'c':
    case U's':
      return U"с";
    case U'd':
      return U"д";
    case U'f':
      return U"ф";
    case U'i':
      return U"и";
    case U'j':
      return U"йж";
    case U'l':
      return U"л";
    case U'v':
      return U"в";
    case U'z':
      return U"з";
    case U'e':
      return U"е";
    case U'h':
      return U"нх";
    case U'k':
      return U"к";
    case U'm':
      return U"м";
    case U'n':
      return U"пн";
    case U'o':
    case U'0':
      return U"о";
    case U'p':
      return U"рп";
    case U'r':
      return U"гр";
    case U't':
      return U"т";
    case U'u':
      return U"ицу";
    case U'w':
      return U"ш";
    case U'x':
      return U"х";
    case U'y':
      return U"уы";
    case U'g':
      return U"дг";
    case U'3':
      return U"з";
    case U'4':
      return U"ч";
    case U'6':
      return U"б";
    default:
      return {};
  }
}

char32_t turned_letter(char32_t c, bool* only) {
  struct Turned {
    char32_t letter;
    bool only;
  };
  static const std::unordered_map<char32_t, Turned> map = {
      {U'ɐ', {U'a', true}},  {U'ɒ', {U'a', true}},  {U'∀', {U'a', true}},  {U'q', {U'b', false}},
      {U'ɔ', {U'c', true}},  {U'Ɔ', {U'c', true}},  {U'ↄ', {U'c', true}},  {U'p', {U'd', false}},
      {U'ᗡ', {U'd', true}},  {U'ǝ', {U'e', true}},  {U'Ǝ', {U'e', true}},  {U'ə', {U'e', true}},
      {U'ɘ', {U'e', true}},  {U'ɟ', {U'f', true}},  {U'Ⅎ', {U'f', true}},  {U'ƃ', {U'g', true}},
      {U'ɓ', {U'g', true}},  {U'ᵷ', {U'g', true}},  {U'⅁', {U'g', true}},  {U'פ', {U'g', true}},
      {U'ɥ', {U'h', true}},  {U'H', {U'h', false}}, {U'ᴉ', {U'i', true}},  {U'ı', {U'i', true}},
      {U'ı', {U'i', true}},  {U'I', {U'i', false}}, {U'i', {U'i', false}}, {U'¡', {U'i', false}},
      {U'ɾ', {U'j', true}},  {U'ſ', {U'j', true}},  {U'ʞ', {U'k', true}},  {U'ꓘ', {U'k', true}},
      {U'l', {U'l', false}}, {U'ꞁ', {U'l', true}},  {U'˥', {U'l', true}},  {U'ʃ', {U'l', true}},
      {U'ן', {U'l', true}},  {U'ɯ', {U'm', true}},  {U'W', {U'm', false}}, {U'u', {U'n', false}},
      {U'N', {U'n', false}}, {U'o', {U'o', false}}, {U'O', {U'o', false}}, {U'0', {U'o', false}},
      {U'd', {U'p', false}}, {U'Ԁ', {U'p', true}},  {U'b', {U'q', false}}, {U'ɹ', {U'r', true}},
      {U'ᴚ', {U'r', true}},  {U'ɿ', {U'r', true}},  {U's', {U's', false}}, {U'S', {U's', false}},
      {U'ʇ', {U't', true}},  {U'⊥', {U't', true}},  {U'┴', {U't', true}},  {U'ꓕ', {U't', true}},
      {U'n', {U'u', false}}, {U'∩', {U'u', true}},  {U'ʌ', {U'v', true}},  {U'Λ', {U'v', true}},
      {U'ʍ', {U'w', true}},  {U'M', {U'w', false}}, {U'x', {U'x', false}}, {U'X', {U'x', false}},
      {U'ʎ', {U'y', true}},  {U'⅄', {U'y', true}},  {U'z', {U'z', false}}, {U'Z', {U'z', false}}};
  const auto it = map.find(c);
  if (it == map.end()) return 0;
  if (only != nullptr) *only = it->second.only;
  return it->second.letter;
}

}  // namespace glyphward::lexicon
