#include "lexicon/matching/masks.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "lexicon/matching/walk.h"
#include "lexicon/text/glyphs.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {

// A run of cells in which masks stand among letters, and what is known of it whatever the pattern.
struct MaskedRun {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  // Behind the last letter: signs from there on are punctuation, unless they stand for a letter.
  std::uint32_t word_end = 0;
  // How many cells, from begin on, may be a masked word.
  std::uint32_t shortest = 0;
  std::uint32_t longest = 0;
  // What each cell may stand for: bits of letter_bit().
  std::array<LetterSet, MaskIndex::kWordMax> allowed{};
};

namespace {

constexpr LetterSet kMaskedEnd = kOtherLetters << 1;

// What stands for a letter that is not to be seen; x too ("fxck").
bool is_mask(char32_t c) {
  static constexpr CharacterSet kMasks(U"*#_-.%?^•·●■█~✱★☆⁎∗×╳◾◼▪▮▓░…†+=&@!$x");
  return kMasks.contains(c);
}

// Signs that people put for several letters in a row; a full stop or a hyphen would be a separator.
bool is_strong_mask(char32_t c) {
  static constexpr CharacterSet kStrong(U"*#•●■█✱★☆⁎∗×╳▮▓░");
  return kStrong.contains(c);
}

// One letter that a sign looks like: what stands in a masked word beside the masks.
bool is_look_alike(const CellReading& reading) {
  return reading.size == 1 && !(reading.steps & kSound);
}

// A letter at the end of a masked word, or 0 for a mask: as the number of a bit.
std::size_t end_bit(char32_t c) {
  return static_cast<std::size_t>(std::countr_zero(c == 0 ? kMaskedEnd : letter_bit(c)));
}

// Words by their length and ends, of which one may be a masked vowel (0).
std::uint64_t shape(std::uint64_t length, char32_t first, char32_t last) {
  return length << 42 | static_cast<std::uint64_t>(first) << 21 | last;
}

// The letters that the cell at an end of a word may be; 0 among them if it is a mask.
void letters_at_end(const NormalizedText& text, const Cell& cell, Letters& letters) {
  letters.clear();
  if (is_mask(cell.plain)) letters.push_back(0);
  for (const CellReading* r = text.begin(cell); r != text.end(cell); ++r) {
    if (is_look_alike(*r)) letters.push_back(r->letters[0]);
  }
}

// How long a masked word may be that begins where the run does.
void measure(const NormalizedText& text, MaskedRun& run) {
  const std::vector<Cell>& cells = text.cells;
  // An x alone is a letter far more often than a mask: then the word must be the term and no more.
  bool only_x = true;
  for (std::uint32_t i = run.begin; i < run.word_end; ++i)
    only_x = only_x && (!is_mask(cells[i].plain) || cells[i].plain == U'x');
  run.shortest = only_x ? std::max(4u, run.word_end - run.begin) : 4u;
  // Signs that can be nothing but masks: of two or more, all must be strong (match_word).
  std::uint32_t hidden = 0;
  bool all_strong = true;
  for (; run.longest < std::min(run.end - run.begin, MaskIndex::kWordMax); ++run.longest) {
    const Cell& cell = cells[run.begin + run.longest];
    if (!is_mask(cell.plain) || std::any_of(text.begin(cell), text.end(cell), is_look_alike))
      continue;
    ++hidden;
    all_strong = all_strong && is_strong_mask(cell.plain);
    if (hidden > 1 && !all_strong) break;
  }
}

void note_letters(const NormalizedText& text, MaskedRun& run) {
  for (std::uint32_t i = run.begin; i < std::min(run.end, run.begin + MaskIndex::kWordMax); ++i) {
    const Cell& cell = text.cells[i];
    LetterSet& set = run.allowed[i - run.begin];
    if (is_mask(cell.plain)) set = ~LetterSet{0};
    for (const CellReading* r = text.begin(cell); r != text.end(cell); ++r) {
      if (r->size == 1) set |= letter_bit(r->letters[0]);
    }
  }
}

}  // namespace

void MaskIndex::add(std::uint32_t id, std::u32string letters) {
  const auto length = static_cast<std::uint32_t>(letters.size());
  const char32_t first = letters.front();
  const char32_t last = letters.back();
  Key key{static_cast<std::uint32_t>(words_.size()), {}};
  for (std::size_t k = 0; k < std::min(key.inner.size(), letters.size() - 1); ++k)
    key.inner[k] = static_cast<std::uint8_t>(std::countr_zero(letter_bit(letters[k + 1])));
  const auto add_shape = [&](char32_t from, char32_t to) {
    by_shape_[shape(length, from, to)].push_back(key);
    if (length <= kWordMax) ends_[length][end_bit(from)] |= 1u << end_bit(to);
  };
  add_shape(first, last);
  if (is_vowel(first)) add_shape(0, last);
  if (is_vowel(last)) add_shape(first, 0);
  words_.push_back({id, std::move(letters)});
}

// First stage: the runs of letters and signs that hold a mask, but are not all masks.
void MaskIndex::find(const NormalizedText& text, const Patterns& patterns,
                     std::vector<Hit>& hits) const {
  const std::vector<Cell>& cells = text.cells;
  const auto size = static_cast<std::uint32_t>(cells.size());
  for (std::uint32_t begin = 0; begin < size;) {
    std::uint32_t end = begin;
    std::uint32_t masks = 0;
    for (; end < size; ++end) {
      // Most cells are letters: those but x are neither masks nor signs.
      const char32_t c = cells[end].plain;
      if (is_word(cells[end])) {
        masks += c == U'x' ? 1 : 0;
      } else if (is_mask(c)) {
        ++masks;
      } else if (leet_letters(c).empty()) {
        break;
      }
    }
    if (masks > 0 && masks < end - begin) {
      MaskedRun run{begin, end, end};
      while (run.word_end > begin && !is_word(cells[run.word_end - 1])) --run.word_end;
      measure(text, run);
      if (run.longest >= run.shortest) {
        note_letters(text, run);
        match_run(text, patterns, run, hits);
      }
    }
    begin = end == begin ? begin + 1 : end;
  }
}

// Second stage: for each length that the word may have, the patterns of that length whose ends and
// inner letters the cells allow.
void MaskIndex::match_run(const NormalizedText& text, const Patterns& patterns,
                          const MaskedRun& run, std::vector<Hit>& hits) const {
  const std::vector<Cell>& cells = text.cells;
  const auto fits = [&](const Key& key, std::uint32_t length) {
    for (std::size_t k = 0; k < std::min<std::size_t>(key.inner.size(), length - 1); ++k) {
      if (!(run.allowed[k + 1] >> key.inner[k] & 1)) return false;
    }
    return true;
  };
  Letters firsts;
  Letters lasts;
  letters_at_end(text, cells[run.begin], firsts);
  std::uint32_t letter_cells = 0;
  for (std::uint32_t i = run.begin; i < run.begin + run.shortest - 1 && i < run.end; ++i)
    letter_cells += cells[i].kind == CellKind::Letter ? 1 : 0;
  for (std::uint32_t length = run.shortest; length <= run.longest; ++length) {
    letter_cells += cells[run.begin + length - 1].kind == CellKind::Letter ? 1 : 0;
    if (letter_cells < 2) continue;  // "@#$%!" is no word
    LetterSet possible = 0;
    for (const char32_t first : firsts.view()) possible |= ends_[length][end_bit(first)];
    if (possible == 0) continue;
    // What follows the masked word must be plain: its ending.
    Letters right;
    bool plain_rest = true;
    for (std::uint32_t i = run.begin + length; i < run.word_end && plain_rest; ++i) {
      plain_rest = cells[i].kind == CellKind::Letter && right.size() < Letters::kMax;
      right.push_back(cells[i].plain);
    }
    if (!plain_rest) continue;
    letters_at_end(text, cells[run.begin + length - 1], lasts);
    for (const char32_t first : firsts.view()) {
      for (const char32_t last : lasts.view()) {
        if (!(ends_[length][end_bit(first)] >> end_bit(last) & 1)) continue;
        const auto it = by_shape_.find(shape(length, first, last));
        if (it == by_shape_.end()) continue;
        for (const Key& key : it->second) {
          if (fits(key, length))
            match_word(text, patterns, run.begin, right.view(), words_[key.word], hits);
        }
      }
    }
  }
}

// Third stage: letter by letter. One sign stands for a vowel; several stand for what is between the
// first and the last letter.
void MaskIndex::match_word(const NormalizedText& text, const Patterns& patterns,
                           std::uint32_t begin, std::u32string_view right, const Word& word,
                           std::vector<Hit>& hits) const {
  const std::vector<Cell>& cells = text.cells;
  const Pattern& pattern = patterns[word.pattern];
  const auto length = static_cast<std::uint32_t>(word.letters.size());
  const auto reads = [&](const Cell& cell, char32_t letter) {
    return std::any_of(text.begin(cell), text.end(cell), [&](const CellReading& r) {
      return is_look_alike(r) && r.letters[0] == letter;
    });
  };
  std::uint32_t masks = 0;
  bool vowels = true;
  bool strong = true;
  bool x_masked = false;
  for (std::uint32_t i = 0; i < length; ++i) {
    const Cell& cell = cells[begin + i];
    if (reads(cell, word.letters[i])) continue;
    if (!is_mask(cell.plain)) return;
    ++masks;
    x_masked = cell.plain == U'x';
    vowels = vowels && is_vowel(word.letters[i]);
    strong = strong && is_strong_mask(cell.plain);
  }
  const std::uint32_t known = length - masks;
  if (masks == 0 || known < 2) return;
  const bool ends_known = !is_mask(cells[begin].plain) && !is_mask(cells[begin + length - 1].plain);
  if (!(masks == 1 && vowels && (ends_known || strong)) &&
      !(strong && ends_known && (vowels || masks >= 2))) {
    return;
  }
  // x is a letter too: "texts", "sixty".
  const bool x = masks == 1 && x_masked;
  if (x && (!right.empty() || pattern.severity < 5 || (pattern.steps & kSpelling))) return;
  Steps steps = kMask | pattern.steps;
  if (!acceptable_rest(pattern, {}, right, steps)) return;
  hits.push_back({pattern.entry, begin, begin + length, steps});
}

}  // namespace glyphward::lexicon
