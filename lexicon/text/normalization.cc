#include "lexicon/text/normalization.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

namespace glyphward::lexicon {
namespace {

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) {
    throw std::runtime_error(std::string("ICU: ") + what + ": " + u_errorName(status));
  }
}

const icu::Normalizer2& nfkc_casefold() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* instance = icu::Normalizer2::getNFKCCasefoldInstance(status);
  check(status, "NFKC_Casefold");
  return *instance;
}

const icu::Normalizer2& nfc() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* instance = icu::Normalizer2::getNFCInstance(status);
  check(status, "NFC");
  return *instance;
}

const icu::Normalizer2& nfd() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* instance = icu::Normalizer2::getNFDInstance(status);
  check(status, "NFD");
  return *instance;
}

icu::UnicodeString apply(const icu::Normalizer2& normalizer, const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString result = normalizer.normalize(text, status);
  check(status, "normalize");
  return result;
}

std::u32string to_u32(const icu::UnicodeString& text) {
  std::u32string result;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    result.push_back(static_cast<char32_t>(text.char32At(i)));
  }
  return result;
}

// Kana are one alphabet in two shapes; ё is written е as often as not.
char32_t fold_script(char32_t c) {
  if (c >= U'ァ' && c <= U'ヶ') return c - 0x60;
  if (c == U'ё') return U'е';
  return c;
}

bool marks_are_ornament(char32_t base) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(static_cast<UChar32>(base), &status);
  return script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC ||
         script == USCRIPT_COMMON;
}

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

void add(NormalizedText& text, Cell& cell, std::u32string_view letters, Steps steps,
         bool digit = false, bool loose = false) {
  if (letters.empty() || letters.size() > 3) return;
  for (const Reading* r = text.begin(cell); r != text.end(cell); ++r) {
    if (r->size == letters.size() && std::equal(letters.begin(), letters.end(), r->letters.begin()))
      return;
  }
  Reading reading;
  std::copy(letters.begin(), letters.end(), reading.letters.begin());
  reading.size = static_cast<std::uint8_t>(letters.size());
  reading.steps = steps;
  reading.digit = digit;
  reading.loose = loose;
  text.readings.push_back(reading);
  ++cell.count;
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

void add_ascii(NormalizedText& text, Cell& cell, char32_t c, Steps steps) {
  const char32_t lower = c >= U'A' && c <= U'Z' ? c - U'A' + U'a' : c;
  const auto one = [&](char32_t letter, Steps step, bool digit = false) {
    add(text, cell, std::u32string_view(&letter, 1), step, digit);
  };
  const bool letter = lower >= U'a' && lower <= U'z';
  if (letter || (lower >= U'0' && lower <= U'9')) one(lower, steps);
  if (c == U'l') one(U'i', steps | kConfusables);
  if (c == U'I') one(U'l', steps | kConfusables);
  for (const char32_t leet : leet_letters(lower)) {
    one(leet, steps | kLeet, lower >= U'0' && lower <= U'9');
  }
  for (const char32_t sound : sound_letters(lower)) one(sound, steps | kSound);
}

// The readings of plain ASCII, which every pool begins with: most cells need no more.
struct AsciiReadings {
  std::vector<Reading> readings;
  std::array<Cell, 128> cells{};

  static const AsciiReadings& instance() {
    static const AsciiReadings table;
    return table;
  }

  AsciiReadings() {
    NormalizedText text;
    for (char32_t c = 0; c < 128; ++c) {
      cells[c].first = static_cast<std::uint32_t>(text.readings.size());
      add_ascii(text, cells[c], c, 0);
    }
    readings = std::move(text.readings);
  }
};

CellKind kind_of(char32_t c) {
  if (c < 0x80) {
    if (is_letter(c)) return CellKind::Letter;
    if (c >= U'0' && c <= U'9') return CellKind::Digit;
    return is_space(c) ? CellKind::Space : CellKind::Sign;
  }
  if (is_space(c)) return CellKind::Space;
  if (is_letter(c) || enclosed_letter(c) != 0) return CellKind::Letter;
  if (u_isdigit(static_cast<UChar32>(c)) || u_charType(static_cast<UChar32>(c)) == U_OTHER_NUMBER) {
    return CellKind::Digit;
  }
  return CellKind::Sign;
}

std::size_t nfd_size(char32_t c) {
  return to_u32(apply(nfd(), icu::UnicodeString(static_cast<UChar32>(c)))).size();
}

// The readings of one drawn thing: a base and the marks on it.
void add_cluster(NormalizedText& text, Cell& cell, const std::u32string& cluster, Steps steps) {
  const char32_t base = cluster.front();
  icu::UnicodeString source;
  for (const char32_t c : cluster) source.append(static_cast<UChar32>(c));
  icu::UnicodeString one(static_cast<UChar32>(base));
  const std::u32string folded_base = to_u32(apply(nfkc_casefold(), one));
  std::u32string whole = to_u32(apply(nfkc_casefold(), source));
  for (char32_t& c : whole) c = fold_script(c);
  icu::UnicodeString canonical = apply(nfc(), one);
  canonical.foldCase();
  if (to_u32(canonical) != folded_base) steps |= kCompatibility;
  if (whole.size() <= 3 && !whole.empty()) {
    std::u32string letters;
    for (const char32_t c : whole) {
      if (is_letter(c) || u_isdigit(static_cast<UChar32>(c))) letters.push_back(c);
    }
    if (letters == whole || (steps & kCompatibility)) add(text, cell, letters, steps);
    cell.plain = whole.size() == 1 ? whole.front() : 0;
  }
  // Each mark alone with the base: "ñ" with more marks heaped on it is still an ñ.
  if (cluster.size() > 2) {
    for (std::size_t i = 1; i < std::min<std::size_t>(cluster.size(), 5); ++i) {
      icu::UnicodeString pair(static_cast<UChar32>(base));
      pair.append(static_cast<UChar32>(cluster[i]));
      const std::u32string composed = to_u32(apply(nfkc_casefold(), pair));
      if (composed.size() == 1 && is_letter(composed[0])) add(text, cell, composed, steps | kMarks);
    }
  }
  std::u32string stripped;
  if (marks_are_ornament(base)) {
    stripped = strip_marks(whole);
    std::erase_if(stripped,
                  [](char32_t c) { return !is_letter(c) && !u_isdigit(static_cast<UChar32>(c)); });
    if (stripped != whole) {
      // ø, small capitals and the like are look-alikes; é is an e with a mark that an alphabet has;
      // ẽ̀ is ornament.
      const bool marked = cluster.size() > 1 || nfd_size(base) > 1;
      const std::size_t before = text.readings.size();
      add(text, cell, stripped, steps | (marked ? kMarks : kConfusables));
      const bool alphabetic = whole.size() == 1 && whole[0] >= 0xC0 && whole[0] < 0x180;
      if (text.readings.size() > before) text.readings.back().ornate = marked && !alphabetic;
    }
  }
  if (const char32_t letter = enclosed_letter(base)) {
    add(text, cell, std::u32string_view(&letter, 1), steps | kEnclosed);
  }
  // The look-alikes of the glyph itself, of its folded form and of its base.
  for (const char32_t glyph : {base, folded_base.size() == 1 ? folded_base[0] : base,
                               stripped.size() == 1 ? stripped[0] : base}) {
    std::u32string strict;
    for (const char32_t letter : confusable_letters(glyph, &strict)) {
      add(text, cell, std::u32string_view(&letter, 1), steps | kConfusables, false,
          strict.find(letter) == std::u32string::npos);
    }
  }
  const char32_t bare = stripped.size() == 1      ? stripped[0]
                        : folded_base.size() == 1 ? folded_base[0]
                                                  : base;
  const Steps bare_steps = steps | (cluster.size() > 1 ? static_cast<Steps>(kMarks) : 0u);
  if (bare < 0x80) {
    add_ascii(text, cell, bare, bare_steps);
  } else {
    for (const char32_t leet : leet_letters(bare)) {
      add(text, cell, std::u32string_view(&leet, 1), bare_steps | kLeet);
    }
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

bool is_cyrillic(char32_t c) { return c >= 0x400 && c <= 0x52F; }

// Readings of the pool must lie together, so a cell that gets more moves its readings to the pool's
// end.
void extend(NormalizedText& text, Cell& cell, std::u32string_view letters, Steps steps) {
  const std::vector<Reading> old(text.begin(cell), text.end(cell));
  const auto moved = static_cast<std::uint32_t>(text.readings.size());
  text.readings.insert(text.readings.end(), old.begin(), old.end());
  cell.shared = false;
  cell.first = moved;
  for (const char32_t letter : letters) add(text, cell, std::u32string_view(&letter, 1), steps);
}

void drop_loose(NormalizedText& text, Cell& cell) {
  if (cell.shared) return;  // has none, and shares its readings
  const auto first = text.readings.begin() + cell.first;
  const auto last = std::remove_if(first, first + cell.count,
                                   [](const Reading& reading) { return reading.loose; });
  cell.count = static_cast<std::uint16_t>(last - first);
}

void add_mixed_script(NormalizedText& text) {
  std::vector<Cell>& cells = text.cells;
  for (std::size_t begin = 0; begin < cells.size();) {
    if (cells[begin].kind == CellKind::Space) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    bool cyrillic = false;
    bool other = false;
    for (; end < cells.size() && cells[end].kind != CellKind::Space; ++end) {
      const bool native = is_cyrillic(cells[end].plain);
      cyrillic = cyrillic || native;
      other = other || (!native && cells[end].kind != CellKind::Sign) ||
              leet_letters(cells[end].plain).size() > 0;
    }
    for (std::size_t i = begin; cyrillic && other && i < end; ++i) {
      const std::u32string_view letters = cyrillic_lookalike(cells[i].plain);
      if (!letters.empty()) extend(text, cells[i], letters, kConfusables);
    }
    // A word of one script is a word of that script: "Рита" is a name.
    for (std::size_t i = begin; !other && i < end; ++i) drop_loose(text, cells[i]);
    begin = end;
  }
}

// A run of the same letter, however long, becomes at most two cells: no term has more in a row, and
// the second knows that there were more.
bool is_word_kind(CellKind kind) { return kind == CellKind::Letter || kind == CellKind::Digit; }

void squash_runs(NormalizedText& text) {
  std::vector<Cell>& cells = text.cells;
  std::size_t out = 0;
  std::size_t run = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool same = out > 0 && cells[i].plain != 0 && cells[i].plain == cells[out - 1].plain &&
                      cells[i].kind == cells[out - 1].kind && is_word_kind(cells[i].kind);
    run = same ? run + 1 : 1;
    if (run > 2) {
      cells[out - 1].end = cells[i].end;
      cells[out - 1].long_run = true;
      continue;
    }
    cells[out++] = cells[i];
  }
  cells.resize(out);
}

bool is_jamo(char32_t c) { return c >= 0x1100 && c <= 0x11FF; }

}  // namespace

std::vector<std::string> step_names(Steps steps) {
  static constexpr std::array<const char*, 17> kNames = {
      "invisible", "compatibility", "marks",      "confusables", "enclosed", "leet",
      "sound",     "repeats",       "separators", "mask",        "turned",   "reversed",
      "split",     "acrostic",      "spelling",   "inflection",  "compound"};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (steps & (1u << i)) names.emplace_back(kNames[i]);
  }
  return names;
}

char32_t decode(std::string_view text, std::size_t& offset) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto length = static_cast<std::int64_t>(text.size());
  auto position = static_cast<std::int64_t>(offset);
  UChar32 c = 0;
  U8_NEXT(bytes, position, length, c);
  if (c < 0) {
    ++offset;
    return 0xFFFD;
  }
  offset = static_cast<std::size_t>(position);
  return static_cast<char32_t>(c);
}

std::string encode(std::u32string_view letters) {
  std::string result;
  for (const char32_t c : letters) {
    std::array<char, 4> bytes{};
    int32_t size = 0;
    U8_APPEND_UNSAFE(bytes.data(), size, static_cast<UChar32>(c));
    result.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return result;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  return u_isalpha(static_cast<UChar32>(c));
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == U' ' || (c >= 0x09 && c <= 0x0D);
  return u_isUWhiteSpace(static_cast<UChar32>(c));
}

bool is_unspaced_script(char32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(c), &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return c == U'ー';
  }
}

bool is_invisible(char32_t c) {
  if (c < 0x80) return (c < 0x20 && !is_space(c)) || c == 0x7F;
  return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
         u_charType(static_cast<UChar32>(c)) == U_FORMAT_CHAR ||
         u_charType(static_cast<UChar32>(c)) == U_CONTROL_CHAR || c == 0x2800;  // braille blank
}

bool is_mark(char32_t c) {
  if (c < 0x300) return false;
  const auto type = u_charType(static_cast<UChar32>(c));
  return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK ||
         type == U_COMBINING_SPACING_MARK || c == 0xFF9E ||
         c == 0xFF9F;  // half-width voiced sound marks
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

std::u32string strip_marks(std::u32string_view folded) {
  if (std::all_of(folded.begin(), folded.end(), [](char32_t c) { return c < 0x80; }))
    return std::u32string(folded);
  icu::UnicodeString source;
  for (const char32_t c : folded) source.append(static_cast<UChar32>(c));
  std::u32string result;
  char32_t base = 0;
  for (const char32_t c : to_u32(apply(nfd(), source))) {
    if (is_mark(c) && base != 0 && marks_are_ornament(base)) continue;
    base = c;
    const std::u32string_view plain = undecomposed(c);
    if (plain.empty()) {
      result.push_back(c);
    } else {
      result.append(plain);
    }
  }
  icu::UnicodeString stripped;
  for (const char32_t c : result) stripped.append(static_cast<UChar32>(c));
  return to_u32(apply(nfc(), stripped));
}

std::u32string fold_term(std::string_view term) {
  const bool plain = std::all_of(term.begin(), term.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || c == ' '; });
  if (plain && !term.empty() && term.front() != ' ' && term.back() != ' ' &&
      term.find("  ") == term.npos) {
    return std::u32string(term.begin(), term.end());
  }
  const icu::UnicodeString source = icu::UnicodeString::fromUTF8(
      icu::StringPiece(term.data(), static_cast<int32_t>(term.size())));
  std::u32string result;
  for (const char32_t c : to_u32(apply(nfkc_casefold(), source))) {
    if (is_letter(c) || is_mark(c) || u_isdigit(static_cast<UChar32>(c))) {
      result.push_back(fold_script(c));
    } else if (!result.empty() && result.back() != U' ') {
      result.push_back(U' ');
    }
  }
  while (!result.empty() && result.back() == U' ') result.pop_back();
  return result;
}

NormalizedText normalize(std::string_view text) {
  NormalizedText result;
  const AsciiReadings& shared = AsciiReadings::instance();
  result.ascii = shared.readings.data();
  result.cells.reserve(text.size());

  std::u32string cluster;
  std::size_t offset = 0;
  bool invisible = false;
  while (offset < text.size()) {
    const std::size_t start = offset;
    const char32_t c = decode(text, offset);
    if (is_invisible(c)) {
      // The gap belongs to the letter before it, so that a finding's bytes hold it and a
      // replacement removes it.
      if (!result.cells.empty()) {
        result.cells.back().end = static_cast<std::uint32_t>(offset);
      }
      invisible = true;
      continue;
    }
    cluster.assign(1, c);
    std::size_t end = offset;
    Steps steps = invisible ? static_cast<Steps>(kInvisible) : 0;
    invisible = false;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) >= 0x80)) {
      std::size_t next = offset;
      const char32_t mark = decode(text, next);
      const bool joins = is_mark(mark) || (is_jamo(c) && is_jamo(mark) && mark >= 0x1160);
      if (!joins && !is_invisible(mark)) break;
      if (joins && cluster.size() < 16) cluster.push_back(mark);
      if (!joins) invisible = true;
      offset = end = next;
    }
    Cell cell;
    cell.start = static_cast<std::uint32_t>(start);
    cell.end = static_cast<std::uint32_t>(end);
    cell.source = c;
    cell.kind = kind_of(c);
    cell.upper = c < 0x80 ? (c >= U'A' && c <= U'Z') : u_isupper(static_cast<UChar32>(c));
    cell.first = static_cast<std::uint32_t>(result.readings.size());
    if (c < 0x80 && cluster.size() == 1) {
      cell.plain = c >= U'A' && c <= U'Z' ? c - U'A' + U'a' : c;
      if (steps == 0) {
        cell.first = shared.cells[c].first;
        cell.count = shared.cells[c].count;
        cell.shared = true;
      } else {
        add_ascii(result, cell, c, steps);
      }
    } else if (cell.kind != CellKind::Space) {
      add_cluster(result, cell, cluster, steps);
      if (cell.plain == 0) cell.plain = c;
      // What folds to letters is a letter, whatever block it stands in.
      if (cell.kind == CellKind::Sign && cell.count > 0 &&
          is_letter(result.begin(cell)->letters[0]) && (result.begin(cell)->steps & kLeet) == 0) {
        cell.kind = CellKind::Letter;
      }
    } else {
      cell.plain = U' ';
    }
    result.cells.push_back(cell);
  }
  squash_runs(result);
  add_mixed_script(result);
  return result;
}

const std::vector<Reading>& NormalizedText::ascii_readings() {
  return AsciiReadings::instance().readings;
}

void NormalizedText::append(const NormalizedText& other, std::size_t offset) {
  ascii = other.ascii;
  const auto base = static_cast<std::uint32_t>(readings.size());
  readings.insert(readings.end(), other.readings.begin(), other.readings.end());
  for (Cell cell : other.cells) {
    if (!cell.shared) cell.first += base;
    cell.start += static_cast<std::uint32_t>(offset);
    cell.end += static_cast<std::uint32_t>(offset);
    cells.push_back(cell);
  }
}

NormalizedText reverse(const NormalizedText& text) {
  NormalizedText result = text;
  std::reverse(result.cells.begin(), result.cells.end());
  return result;
}

NormalizedText turn(const NormalizedText& text, bool* any_turned) {
  NormalizedText result;
  // The glyphs that are only used upside down are none of ASCII's.
  *any_turned = std::any_of(text.cells.begin(), text.cells.end(), [](const Cell& cell) {
    bool only = false;
    return cell.source >= 0x80 && turned_letter(cell.source, &only) != 0 && only;
  });
  if (!*any_turned) return result;
  for (auto it = text.cells.rbegin(); it != text.cells.rend(); ++it) {
    Cell cell = *it;
    cell.first = static_cast<std::uint32_t>(result.readings.size());
    cell.count = 0;
    cell.shared = false;
    if (const char32_t letter = turned_letter(it->source, nullptr)) {
      add(result, cell, std::u32string_view(&letter, 1), kTurned);
      cell.kind = CellKind::Letter;
      cell.plain = letter;
    }
    result.cells.push_back(cell);
  }
  return result;
}

}  // namespace glyphward::lexicon
