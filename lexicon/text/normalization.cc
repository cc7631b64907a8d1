#include "lexicon/text/normalization.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>

#include "lexicon/text/glyphs.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

bool is_digit(char32_t c) { return u_isdigit(static_cast<UChar32>(c)); }

// Adds a reading to the last cell's, unless it has the same letters already.
void add(NormalizedText& text, Cell& cell, std::u32string_view letters, Steps steps,
         bool digit = false, bool loose = false) {
  if (letters.empty() || letters.size() > 3) return;
  for (const CellReading* r = text.begin(cell); r != text.end(cell); ++r) {
    if (r->size == letters.size() && std::equal(letters.begin(), letters.end(), r->letters.begin()))
      return;
  }
  CellReading reading;
  std::copy(letters.begin(), letters.end(), reading.letters.begin());
  reading.size = static_cast<std::uint8_t>(letters.size());
  reading.steps = steps;
  reading.digit = digit;
  reading.loose = loose;
  text.readings.push_back(reading);
  ++cell.count;
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

// The readings of plain ASCII, made once: most cells need no more.
struct AsciiReadings {
  std::vector<CellReading> readings;
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

// An apostrophe for what is a letter to Unicode, but drawn as a little sign between letters.
char32_t fold_small_sign(char32_t c) {
  const bool small_sign = (c >= 0x2B9 && c <= 0x2DF) || c == 0xA78B || c == 0xA78C;
  return small_sign ? U'\'' : c;
}

CellKind kind_of(char32_t c) {
  if (c < 0x80) {
    if (is_letter(c)) return CellKind::Letter;
    if (c >= U'0' && c <= U'9') return CellKind::Digit;
    return is_space(c) ? CellKind::Space : CellKind::Sign;
  }
  if (is_space(c)) return CellKind::Space;
  if (is_letter(c) || enclosed_letter(c) != 0) return CellKind::Letter;
  if (is_digit(c) || u_charType(static_cast<UChar32>(c)) == U_OTHER_NUMBER) {
    return CellKind::Digit;
  }
  return CellKind::Sign;
}

std::size_t nfd_size(char32_t c) { return nfd(std::u32string_view(&c, 1)).size(); }

// The readings of one drawn thing: a base and the marks on it.
void add_cluster(NormalizedText& text, Cell& cell, const std::u32string& cluster, Steps steps) {
  const char32_t base = cluster.front();
  const std::u32string_view one(&base, 1);
  const std::u32string folded_base = nfkc_casefold(one);
  std::u32string whole = nfkc_casefold(cluster);
  for (char32_t& c : whole) c = fold_script(c);
  if (nfc_casefold(one) != folded_base) steps |= kCompatibility;
  if (whole.size() <= 3 && !whole.empty()) {
    // Where marks are no ornament they are vowels, which a term is written with: चो, เหี้.
    const bool vowels = !marks_are_ornament(base);
    std::u32string letters;
    for (const char32_t c : whole) {
      if (is_letter(c) || is_digit(c) || (vowels && is_mark(c))) letters.push_back(c);
    }
    if (letters == whole || (steps & kCompatibility)) add(text, cell, letters, steps);
    cell.plain = whole.size() == 1 ? whole.front() : 0;
  }
  // Each mark alone with the base: "ñ" with more marks heaped on it is still an ñ.
  if (cluster.size() > 2) {
    for (std::size_t i = 1; i < std::min<std::size_t>(cluster.size(), 5); ++i) {
      const std::u32string composed = nfkc_casefold(std::u32string{base, cluster[i]});
      if (composed.size() == 1 && is_letter(composed[0])) add(text, cell, composed, steps | kMarks);
    }
  }
  std::u32string stripped;
  const bool ornaments = marks_are_ornament(base);
  if (ornaments || std::any_of(cluster.begin(), cluster.end(), is_common_mark)) {
    stripped = strip_marks(whole);
    std::erase_if(stripped, [&](char32_t c) {
      return !is_letter(c) && !is_digit(c) && (ornaments || !is_mark(c));
    });
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

// Readings of the pool must lie together, so a cell that gets more moves its readings to the pool's
// end.
void extend(NormalizedText& text, Cell& cell, std::u32string_view letters, Steps steps) {
  const std::vector<CellReading> old(text.begin(cell), text.end(cell));
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
                                   [](const CellReading& reading) { return reading.loose; });
  cell.count = static_cast<std::uint16_t>(last - first);
}

// Whether all letters of [begin, end) are of one script of our day.
bool of_one_script(const std::vector<Cell>& cells, std::size_t begin, std::size_t end) {
  UScriptCode script = USCRIPT_INVALID_CODE;
  for (std::size_t i = begin; i < end; ++i) {
    if (cells[i].kind != CellKind::Letter) continue;
    UErrorCode status = U_ZERO_ERROR;
    const UScriptCode one = uscript_getScript(static_cast<UChar32>(cells[i].source), &status);
    if (script == USCRIPT_INVALID_CODE) script = one;
    if (one != script) return false;
  }
  static constexpr std::array kLiving = {
      USCRIPT_GREEK,      USCRIPT_ARMENIAN,  USCRIPT_GEORGIAN, USCRIPT_HEBREW,   USCRIPT_ARABIC,
      USCRIPT_DEVANAGARI, USCRIPT_BENGALI,   USCRIPT_TAMIL,    USCRIPT_TELUGU,   USCRIPT_GUJARATI,
      USCRIPT_KANNADA,    USCRIPT_MALAYALAM, USCRIPT_GURMUKHI, USCRIPT_SINHALA,  USCRIPT_THAI,
      USCRIPT_LAO,        USCRIPT_KHMER,     USCRIPT_MYANMAR,  USCRIPT_ETHIOPIC, USCRIPT_HANGUL,
      USCRIPT_HIRAGANA,   USCRIPT_KATAKANA,  USCRIPT_HAN};
  return std::find(kLiving.begin(), kLiving.end(), script) != kLiving.end();
}

bool of_one_alphabet(const std::vector<Cell>& cells, std::size_t begin, std::size_t end) {
  std::u32string letters;
  for (std::size_t i = begin; i < end; ++i) {
    if (is_cyrillic(cells[i].plain)) letters.push_back(cells[i].plain);
  }
  return are_of_one_cyrillic_alphabet(letters);
}

// No language marks all letters of a long word: there marks are ornament, each of them.
void find_ornate_words(NormalizedText& text) {
  constexpr std::size_t kLettersMin = 4;
  std::vector<Cell>& cells = text.cells;
  for (std::size_t begin = 0; begin < cells.size();) {
    std::size_t end = begin;
    std::size_t bare = 0;
    for (; end < cells.size() && cells[end].kind == CellKind::Letter; ++end) {
      const CellReading* last = text.end(cells[end]);
      const bool marked = !cells[end].shared &&
                          std::any_of(text.begin(cells[end]), last, [](const CellReading& reading) {
                            return (reading.steps & kMarks) != 0;
                          });
      bare += marked ? 0 : 1;
    }
    if (end - begin >= kLettersMin && bare == 0) {
      for (std::size_t i = begin; i < end; ++i) {
        for (std::size_t k = 0; k < cells[i].count; ++k) {
          CellReading& reading = text.readings[cells[i].first + k];
          reading.ornate = reading.ornate || (reading.steps & kMarks) != 0;
        }
      }
    }
    begin = std::max(end, begin + 1);
  }
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
    // A word of one script is a word of that script: "Рита" is a name. But no language has the
    // letters of several: "аѕѕһоӏє".
    const bool native =
        other ? of_one_script(cells, begin, end) : !cyrillic || of_one_alphabet(cells, begin, end);
    for (std::size_t i = begin; native && i < end; ++i) drop_loose(text, cells[i]);
    begin = end;
  }
}

// A run of the same letter, however long, becomes at most two cells: no term has more in a row, and
// the second knows that there were more.
void squash_runs(NormalizedText& text) {
  std::vector<Cell>& cells = text.cells;
  std::size_t out = 0;
  std::size_t run = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool same = out > 0 && cells[i].plain != 0 && cells[i].plain == cells[out - 1].plain &&
                      cells[i].kind == cells[out - 1].kind && is_word(cells[i]);
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

}  // namespace

std::u32string strip_marks(std::u32string_view folded) {
  if (std::all_of(folded.begin(), folded.end(), [](char32_t c) { return c < 0x80; }))
    return std::u32string(folded);
  std::u32string result;
  char32_t base = 0;
  for (const char32_t c : nfd(folded)) {
    if (is_mark(c) && base != 0 && (is_common_mark(c) || marks_are_ornament(base))) continue;
    base = c;
    const std::u32string_view plain = undecomposed(c);
    if (plain.empty()) {
      result.push_back(c);
    } else {
      result.append(plain);
    }
  }
  return nfc(result);
}

std::u32string fold_term(std::string_view term) {
  const bool plain = std::all_of(term.begin(), term.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || c == ' '; });
  if (plain && !term.empty() && term.front() != ' ' && term.back() != ' ' &&
      term.find("  ") == term.npos) {
    return std::u32string(term.begin(), term.end());
  }
  std::u32string source;
  for (std::size_t offset = 0; offset < term.size();) source.push_back(decode(term, offset));
  std::u32string result;
  for (const char32_t c : nfkc_casefold(source)) {
    if (is_letter(c) || is_mark(c) || is_digit(c)) {
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
    const char32_t c = fold_small_sign(decode(text, offset));
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
  find_ornate_words(result);
  add_mixed_script(result);
  return result;
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
