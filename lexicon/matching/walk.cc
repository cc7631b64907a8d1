#include "lexicon/matching/walk.h"

#include <bit>
#include <string>

namespace glyphward::lexicon {
namespace {

// From one letter of a term to the next there are no more cells than this.
constexpr std::uint32_t kLetterReach = 24;
constexpr std::uint8_t kSurplusMax = 14;
constexpr std::size_t kGapsMax = 40;
constexpr std::u32string_view kNeverDoubled = U"ahijkquvwxyаиуыюяхй";

// ----- terrain -----

// The letters that a cell's readings begin with, and those that they go on with.
struct CellLetters {
  LetterSet first = 0;
  LetterSet later = 0;
};

CellLetters letters_of(const NormalizedText& text, const Cell& cell, bool plain_only) {
  CellLetters result;
  for (const CellReading* r = text.begin(cell); r != text.end(cell); ++r) {
    if (plain_only && is_weak(*r, cell)) continue;
    result.first |= letter_bit(r->letters[0]) | (r->size > 1 ? kOtherLetters : 0);
    for (std::uint8_t k = 1; k < r->size; ++k) result.later |= letter_bit(r->letters[k]);
  }
  return result;
}

using AsciiLetters = std::array<CellLetters, 128>;

AsciiLetters ascii_letters(bool plain_only) {
  AsciiLetters result;
  for (std::size_t c = 0; c < result.size(); ++c) {
    const NormalizedText text = normalize(std::string(1, static_cast<char>(c)));
    for (const Cell& cell : text.cells) {
      if (cell.shared) result[c] = letters_of(text, cell, plain_only);
    }
  }
  return result;
}

}  // namespace

// Forwards: each cell's own letters. Those of plain ASCII are known.
Terrain::Terrain(const NormalizedText& text, bool plain_only) {
  static const std::array<AsciiLetters, 2> ascii = {ascii_letters(false), ascii_letters(true)};
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  spots.resize(size + kBeyond);
  in_reach.resize(size / kBlock + 1);
  bool after_letter = false;
  for (std::uint32_t i = 0; i < size; ++i) {
    const Cell& cell = text.cells[i];
    Spot& spot = spots[i];
    spot.amid = after_letter;
    after_letter = cell.kind != CellKind::Space && (after_letter || is_word(cell));
    const CellLetters letters =
        cell.shared ? ascii[plain_only][cell.source] : letters_of(text, cell, plain_only);
    spot.letters = letters.first;
    if (!plain_only) {
      if (cell.plain == U'p') spot.letters |= letter_bit(U'f');  // ph
      if (cell.plain == U'v') spot.letters |= letter_bit(U'w');  // vv
      spot.drawn = drawn_at(text, i);
      for (std::uint32_t rest = spot.drawn; rest != 0; rest &= rest - 1)
        spot.letters |= letter_bit(kDrawn[static_cast<std::size_t>(std::countr_zero(rest))].letter);
    }
    in_reach[i / kBlock] |=
        spot.letters | letters.later | (cell.kind == CellKind::Space ? kSpaceLetter : 0);
  }
  look_ahead(text);
}

// Backwards: what comes after each cell.
void Terrain::look_ahead(const NormalizedText& text) {
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  static_assert(kReachMax < kBlock, "a walk ends in the next block at the latest");
  for (std::size_t i = 0; i + 1 < in_reach.size(); ++i) in_reach[i] |= in_reach[i + 1];
  // The union over a sliding window, from unions within stretches of its size: from each cell to
  // the stretch's end, and from the next stretch's begin to the window's end.
  std::uint32_t next_word = size;
  LetterSet to_end = 0;
  for (std::uint32_t i = size; i-- > 0;) {
    next_word = spots[i].letters != 0 ? i : next_word;
    to_end = spots[i].letters | ((i + 1) % kLetterReach == 0 ? 0 : to_end);
    spots[i].next_word = next_word;
    spots[i].next = spots[i].letters | (is_word(text.cells[i]) ? 0 : spots[i + 1].next);
    spots[i].near = to_end;
  }
  for (std::uint32_t i = size; i < spots.size(); ++i) spots[i].next_word = size;
  LetterSet from_begin = 0;
  for (std::uint32_t last = kLetterReach; last < size + kLetterReach - 1; ++last) {
    if (last % kLetterReach == 0) from_begin = 0;
    if (last < size) from_begin |= spots[last].letters;
    const std::uint32_t i = last - (kLetterReach - 1);
    if (i % kLetterReach != 0) spots[i].near |= from_begin;
  }
}

// ----- steps -----
//
// From a state a walk goes on in three ways: it reads the cell (step_read), it ends a word of a
// term of several words (step_word_end), or it steps over what stands between letters (step_over).
// Each pushes the states that it leads to; they wait until the walk comes to their cell.

namespace {

// The state after a cell that only repeats the letter before it.
WalkState repeated(const Walk& walk, const WalkState& state, const CellReading& reading) {
  WalkState next = state;
  next.count(reading, walk.cell(state.pos));
  next.natives = state.natives;
  ++next.pos;
  ++next.surplus;
  next.steps |= kRepeats | reading.steps;
  if (walk.cell(state.pos).long_run) {
    next.long_run = true;
  } else {
    ++next.doubles;
    next.odd_double = next.odd_double ||
                      kNeverDoubled.find(walk.trie.letter(state.node)) != std::u32string_view::npos;
  }
  return next;
}

// Follows every reading of the cell: its own, the letter before it once more, signs that draw a
// letter together, two letters that sound or look like one.
void step_read(Walk& walk, const WalkState& state) {
  const Cell& cell = walk.cell(state.pos);
  // Backwards and upside down, look-alikes count for nothing, so they need not be followed.
  const bool plain_only = walk.scope == Scope::Whole || walk.scope == Scope::Turned;
  const auto read = [&](const CellReading& reading, std::uint32_t cells) {
    std::uint32_t node = state.node;
    for (std::uint8_t i = 0; i < reading.size; ++i) {
      node = walk.trie.child(node, reading.letters[i]);
      if (node == Trie::kNone) return;
    }
    if (!walk.promising(node, state.pos + cells)) return;
    WalkState next = state;
    next.node = node;
    next.last_read = static_cast<std::uint8_t>(state.pos - walk.start);
    next.read = static_cast<std::uint8_t>(state.read + reading.size);
    next.pos += cells;
    next.steps |= reading.steps;
    next.count(reading, cell);
    if (cell.long_run) {
      next.long_run = true;
      next.steps |= kRepeats;
    }
    if (next.weak > kWeakMax || next.digits > next.natives + 4 ||
        next.signs > next.natives + next.digits + 2) {
      return;
    }
    if (state.fragment >= 1) next.single = false;
    if (walk.parts_words(next)) return;
    if (next.fragment < 250) ++next.fragment;
    walk.push(next);
  };
  for (const CellReading* r = walk.text.begin(cell); r != walk.text.end(cell); ++r) {
    if (walk.inside && (r->steps & kSound)) continue;
    if (plain_only && is_weak(*r, cell)) continue;
    read(*r, 1);
    // Three of a letter are a term's three, or one drawn out: "kkk".
    if (r->size == 1 && cell.long_run && cell.source < 0x80 && cell.end - cell.start == 2)
      read(CellReading{{r->letters[0], r->letters[0]}, 2, r->steps}, 1);
    const bool repeats =
        state.pos != walk.start && r->size == 1 && r->letters[0] == walk.trie.letter(state.node);
    // Behind a separator the same glyph must stand again: "f-u-u-c-k".
    if (repeats && state.surplus < std::min(kSurplusMax, state.read) &&
        (state.fragment > 0 || walk.cell(walk.start + state.last_read).plain == cell.plain)) {
      if (walk.promising(state.node, state.pos + 1)) walk.push(repeated(walk, state, *r));
    }
  }
  if (walk.inside || plain_only || state.pos + 1 >= walk.size()) return;
  if (cell.kind == CellKind::Sign) {
    for (std::uint32_t rest = walk.terrain.spots[state.pos].drawn; rest != 0; rest &= rest - 1) {
      const Drawn& drawn = kDrawn[static_cast<std::size_t>(std::countr_zero(rest))];
      read(CellReading{{drawn.letter}, 1, kLeet}, static_cast<std::uint32_t>(drawn.signs.size()));
    }
  }
  const char32_t next = walk.cell(state.pos + 1).plain;
  if (cell.plain == U'p' && next == U'h') read(CellReading{{U'f'}, 1, kSound}, 2);
  if (cell.plain == U'v' && next == U'v') read(CellReading{{U'w'}, 1, kConfusables}, 2);
}

// A term of several words goes on behind a space, or without one: "killyourself".
void step_word_end(Walk& walk, const WalkState& state) {
  if (walk.trie.letter(state.node) == U' ') return;
  const std::uint32_t child = walk.trie.child(state.node, U' ');
  if (child == Trie::kNone) return;
  WalkState next = state;
  next.node = child;
  if (state.pos < walk.size() && walk.cell(state.pos).count == 0) {
    const std::uint32_t to = walk.terrain.spots[state.pos].next_word;
    if (to < walk.size() && to - state.pos <= kSeparatorRunMax) {
      next.pos = to;
      next.fragment = 0;
      next.single = true;
      if (walk.promising(child, to)) walk.push(next);
      return;
    }
  }
  next.steps |= kCompound;
  if (walk.promising(child, state.pos)) walk.push(next);
}

// Steps over what stands between letters: to each place in the run of signs and spaces from which
// the trie goes on. Whether the gap parts letters or words is judged at the end (context.cc),
// unless it is known at once.
void step_over(Walk& walk, const WalkState& state) {
  if (walk.inside || is_word(walk.cell(state.pos)) || walk.trie.letter(state.node) == U' ') return;
  if (state.gaps >= state.read + state.surplus) return;
  // A word uses such signs as letters or as separators, hardly as both.
  if (walk.cell(state.pos).count > 0 && state.signs > 1) return;
  // Words are not put together from more pieces than this.
  if (state.gaps >=
      (state.single ? kGapsMax : state.gap_begin.size() + (state.space_gap ? 0 : kGapsMax)))
    return;
  std::uint32_t to = state.pos;
  bool space = state.space_gap;
  bool sign = state.sign_gap;
  while (to < walk.size() && !is_word(walk.cell(to)) && to - state.pos < kSeparatorRunMax) {
    (walk.cell(to).kind == CellKind::Space ? space : sign) = true;
    ++to;
    // Signs right before a letter may be the first of that word: stop there too.
    const bool near_word = to + 2 >= walk.size() || is_word(walk.cell(to)) ||
                           is_word(walk.cell(to + 1)) || is_word(walk.cell(to + 2));
    const bool stop = to < walk.size() && walk.terrain.spots[to].letters != 0 && near_word;
    if (!stop) continue;
    const bool goes_on = (walk.trie.next_letters(state.node) & walk.terrain.spots[to].letters) ||
                         walk.cell(to).plain == walk.cell(walk.start + state.last_read).plain;
    if (!goes_on) continue;
    if (to - walk.start > kReachMax || walk.amid_run(state, to)) return;
    WalkState next = state;
    if (next.gaps < next.gap_begin.size()) {
      next.gap_begin[next.gaps] = static_cast<std::uint8_t>(state.pos - walk.start);
      next.gap_end[next.gaps] = static_cast<std::uint8_t>(to - walk.start);
    }
    ++next.gaps;
    next.fragment = 0;
    next.pos = to;
    next.steps |= kSeparators;
    next.space_gap = space;
    next.sign_gap = sign;
    if (!walk.parts_words(next)) walk.push(next);
  }
}

}  // namespace

// ----- the walk -----

void walk_from(Walk& walk, std::uint32_t start) {
  walk.start = start;
  if (walk.size() > Terrain::kBlock / 2) {  // shorter texts cost little anyway
    walk.completions.use(walk.terrain.in_reach[start / Terrain::kBlock]);
    if (!walk.completions.possible(Trie::kRoot)) return;
  }
  WalkState first;
  first.pos = start;
  step_read(walk, first);
  // States wait at the cell that they read next, so each cell is seen once and none is seen before
  // all ways to it are known.
  for (std::uint32_t pos = start + 1; walk.waiting.count > 0; ++pos) {
    std::vector<WalkState>& here = walk.waiting.at(pos);
    for (std::size_t i = 0; i < here.size(); ++i) {
      const WalkState state = here[i];
      // A state whose last step was over a gap ends in no letter.
      if (state.fragment > 0 && walk.trie.has_values(state.node)) judge(walk, state);
      step_word_end(walk, state);
      if (pos >= walk.size()) continue;
      step_read(walk, state);
      step_over(walk, state);
    }
    walk.waiting.count -= here.size();
    here.clear();
  }
}

}  // namespace glyphward::lexicon
