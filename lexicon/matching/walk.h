// The walk over a text's cells: what leads from a place in the text to the end of a pattern. Shared
// by the matcher's sources (walk.cc, context.cc, masks.cc, matcher.cc) and by no one else.
//
// A walk starts at one cell and reads the trie along. A cell has several readings, a reading may be
// of several cells, letters repeat, separators stand between them: so a walk is in many places at
// once, a nondeterministic automaton whose states are pairs of a trie's node and the next cell.
// They wait in a ring of short lists by that cell (Waiting), and the ring is emptied cell by cell:
// of two states with the same node and cell only the plainer stays.
//
// What keeps a walk short is known before it begins (Terrain) or learned on the way (Completions):
// a state is kept only if the cells that come next hold a letter that its node goes on with.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lexicon/matching/pattern.h"
#include "lexicon/matching/trie.h"
#include "lexicon/matching/word_lists.h"
#include "lexicon/text/normalization.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {

// The cells that a match may span: more than any term of a list has letters, twice over.
inline constexpr std::uint32_t kReachMax = 250;
inline constexpr std::uint32_t kSeparatorRunMax = 8;
// A match may have no more letters that only sound alike, or l for i.
inline constexpr std::uint8_t kWeakMax = 1;

// A sign that goes on inside a word when a letter follows: "a$$ist".
inline bool joins_letters(const Cell& cell) { return cell.plain == U'@' || cell.plain == U'$'; }

// A letter that sounds alike, or l for i: more often chance than a disguise.
inline bool is_weak(const CellReading& reading, const Cell& cell) {
  return (reading.steps & kSound) ||
         ((reading.steps & kConfusables) && cell.source < 0x80 && reading.letters[0] < 0x80);
}

// The letters beside a match: few, so they need no memory of their own.
class Letters {
 public:
  static constexpr std::size_t kMax = 20;  // no ending or companion is so long
  void push_back(char32_t c) {
    if (size_ < kMax) letters_[size_++] = c;
  }
  void clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void reverse() { std::reverse(letters_.begin(), letters_.begin() + size_); }
  std::u32string_view view() const { return {letters_.data(), size_}; }

 private:
  std::array<char32_t, kMax> letters_;
  std::uint8_t size_ = 0;
};

// ----- where a walk is -----

// How far a walk came, and how it came there. Many are copied, so it is small. A match is the cells
// [walk.start, pos); its letters lie in fragments, which gaps of signs and spaces part.
struct WalkState {
  std::uint32_t node = Trie::kRoot;
  std::uint32_t pos = 0;  // the next cell
  Steps steps = 0;
  std::uint8_t read = 0;     // letters of the term
  std::uint8_t surplus = 0;  // letters that only repeat one
  // How all of them were written: as they are, as digits, as signs, as letters that sound alike.
  std::uint8_t natives = 0;
  std::uint8_t digits = 0;
  std::uint8_t signs = 0;
  std::uint8_t weak = 0;
  // Letters stripped of marks: of marks that an alphabet has on that letter, and of others.
  std::uint8_t accents = 0;
  std::uint8_t ornate = 0;
  std::uint8_t doubles = 0;  // letters written twice where the term has one
  bool odd_double = false;   // one of those is never doubled
  bool long_run = false;     // a letter was written three times or more
  std::uint8_t gaps = 0;
  std::uint8_t fragment = 0;  // letters since the last gap
  bool single = true;         // every fragment so far is one letter
  bool space_gap = false;     // a gap holds a space
  bool sign_gap = false;      // a gap holds something else
  // Cells, counted from the start of the walk: the last letter's, and the first gaps'.
  std::uint8_t last_read = 0;
  std::array<std::uint8_t, 3> gap_begin{};
  std::array<std::uint8_t, 3> gap_end{};

  // What makes it less plain than another state: the most doubtful first.
  int cost() const {
    return 8 * weak + 4 * digits + 2 * (signs + ornate) + 2 * surplus + gaps + accents;
  }

  // How a letter was written: too much of one kind and it is another word.
  void count(const CellReading& reading, const Cell& cell) {
    if (reading.steps & kMarks) ++(reading.ornate ? ornate : accents);
    if (is_weak(reading, cell)) {
      ++weak;
    } else if (reading.digit) {
      ++digits;
    } else if (reading.steps & kLeet) {
      ++signs;
    } else {
      ++natives;
    }
  }
};

// ----- what is known of the text before a walk begins -----

// What a walk asks of a text again and again, found in two passes over it: forwards for each cell's
// own letters, backwards for what comes after it. Sets of letters are bits, so that "may the trie
// go on here?" is one AND.
struct Terrain {
  // Walks that start in a block of this many cells share one set of letters.
  static constexpr std::uint32_t kBlock = 256;

  struct Spot {
    LetterSet letters = 0;  // first letters of the cell's readings; kOtherLetters if one has more
    LetterSet next = 0;     // and of those that come next, over signs and spaces, to a letter
    LetterSet near = 0;     // of all cells from it on, as far as a term's next letter may be
    std::uint32_t next_word = 0;  // first cell from it on that is no separator
    std::uint32_t drawn = 0;      // bit k: kDrawn[k] stands there
    bool amid = false;            // no space stands between it and a letter before it
  };
  std::vector<Spot> spots;          // of the cells, and three beyond them
  std::vector<LetterSet> in_reach;  // all letters that walks from the cells of block i come to

  Terrain(const NormalizedText& text, bool plain_only);
  // Whether walks from the cell come to a space.
  bool spaces_near(std::uint32_t start) const { return in_reach[start / kBlock] & kSpaceLetter; }
  // Whether one of the keys may begin at cell i and go on in the next cells, nothing between them.
  bool may_begin(const Trie& trie, std::uint32_t i) const {
    const LetterSet first = spots[i].letters;
    const LetterSet second = spots[i + 1].letters;
    const LetterSet third = spots[i + 2].letters;
    // The same letter again may only repeat the one before.
    return ((first | third) & second) != 0 || trie.may_begin(first, second, third);
  }
  bool empty() const { return spots.front().next_word + kBeyond == spots.size(); }

 private:
  static constexpr std::uint32_t kBeyond = 3;
  void look_ahead(const NormalizedText& text);
};

// Whether terms can be made of few letters, by node of a trie. Text that repeats a few letters for
// long ("1!|l") leads every walk far, and to no term: each cell looks promising, the whole does
// not. So the nodes from which those letters alone lead to a term are found, when first asked for,
// and kept in a table whose older answers newer ones overwrite.
class Completions {
 public:
  explicit Completions(const Trie& trie) : trie_(trie) {}

  // From now on, of these letters.
  void use(LetterSet letters) {
    if (letters == letters_) return;
    letters_ = letters;
    active_ = count_bits(letters & ~kSpaceLetter) <= kFewLetters;
    if (active_) known_.assign(kSlots, 0);
  }
  // Whether a term may be reached from the node by these letters alone; true if it isn't known.
  bool possible(std::uint32_t node) { return !active_ || complete(node); }

 private:
  static constexpr std::uint32_t kFewLetters = 12;
  static constexpr std::uint32_t kSlots = 4096;
  static constexpr std::uint32_t kBudget = 50000;  // nodes looked at, for one text

  bool complete(std::uint32_t node) {
    if (trie_.has_values(node)) return true;
    const std::uint32_t known = (node + 1) << 1;
    if (known_[node % kSlots] >> 1 == node + 1) return known_[node % kSlots] & 1;
    if (budget_ == 0) return true;
    --budget_;
    const bool result = trie_.any_child(node, letters_ | kSpaceLetter,
                                        [&](std::uint32_t child) { return complete(child); });
    if (budget_ > 0) known_[node % kSlots] = known | (result ? 1 : 0);
    return result;
  }

  const Trie& trie_;
  LetterSet letters_ = ~LetterSet{0};
  bool active_ = false;
  std::uint32_t budget_ = kBudget;
  // By node % kSlots: node + 1, and the answer in the lowest bit.
  std::vector<std::uint32_t> known_;
};

// ----- the walk -----

// The states that wait, by the cell that they read next: a ring, since no step is longer than a few
// cells.
struct Waiting {
  static constexpr std::size_t kPlaces = 16;  // more than any step is long
  std::array<std::vector<WalkState>, kPlaces> places{};
  std::size_t count = 0;  // in all places

  std::vector<WalkState>& at(std::uint32_t pos) { return places[pos % kPlaces]; }
};

// One walk and all that it looks at. Used again for each cell where a term may begin, so that its
// lists are allocated once.
struct Walk {
  const NormalizedText& text;
  const Trie& trie;
  const std::vector<Pattern>& patterns;
  const Terrain& terrain;
  const std::vector<std::uint32_t>& seams;
  Scope scope;
  bool inside;  // starts within a word: only stems, only compounds
  Waiting& waiting;
  std::vector<Hit>& hits;
  std::uint32_t start = 0;
  Completions completions{trie};

  // Whether a walk at the node may come to a term from cell `pos` on.
  bool promising(std::uint32_t node, std::uint32_t pos) {
    if (trie.has_values(node)) return true;
    if (pos >= size() || !completions.possible(node)) return false;
    LetterSet wanted = trie.next_letters(node);
    if (wanted & kSpaceLetter) {
      // Or the next word's first letter.
      wanted = (wanted & ~kSpaceLetter) | trie.next_letters(trie.child(node, U' '));
    }
    const Terrain::Spot& spot = terrain.spots[pos];
    if (wanted & spot.next) return true;
    // It may stand behind letters that repeat the one before.
    return (spot.next & letter_bit(trie.letter(node))) && (wanted & spot.near);
  }

  // Of several ways to the same node and place the plainest stays.
  void push(const WalkState& state) {
    if (state.pos - start > kReachMax) return;
    std::vector<WalkState>& there = waiting.at(state.pos);
    for (WalkState& other : there) {
      if (other.node != state.node || other.single != state.single ||
          (other.gaps > 0) != (state.gaps > 0))
        continue;
      if (state.cost() < other.cost()) other = state;
      return;
    }
    there.push_back(state);
    ++waiting.count;
  }

  // What stands around the walk.

  const Cell& cell(std::uint32_t i) const { return text.cells[i]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(text.cells.size()); }

  // Whether the match up to `end` is a word of kana of its own.
  bool kana_boundary(std::uint32_t end) const {
    return (start == 0 || kana_begins(cell(start - 1).source, cell(start).source)) &&
           (end >= size() || kana_ends(cell(end - 1).source, cell(end).source));
  }

  // The letters that stick to [begin, end) on either side.
  void letters_before(std::uint32_t begin, Letters& out) const {
    for (std::uint32_t i = begin; i > 0 && out.size() < Letters::kMax; --i) {
      const Cell& c = cell(i - 1);
      const bool joins =
          joins_letters(c) && i >= 2 && is_word(cell(i - 2)) && i < size() && is_word(cell(i));
      if (!is_word(c) && !joins) break;
      out.push_back(c.plain);
    }
    out.reverse();
  }
  void letters_after(std::uint32_t end, Letters& out) const {
    for (std::uint32_t i = end; i < size() && out.size() < Letters::kMax; ++i) {
      const bool joins = joins_letters(cell(i)) && i + 1 < size() && is_word(cell(i + 1));
      if (!is_word(cell(i)) && !joins) break;
      out.push_back(cell(i).plain);
    }
  }
  // For Scope::Joined: the letters from `end` to the next seam; false if other things stand there,
  // or if it is the seam of the first of several pieces.
  bool letters_to_seam(std::uint32_t end, Letters& out) const {
    const auto first = std::upper_bound(seams.begin(), seams.end(), start);
    const auto seam = std::lower_bound(first, seams.end(), end);
    if (seam == seams.end() || (seam == first && seams.size() > 2)) return false;
    bool letter = true;
    for (std::uint32_t i = end; i < *seam; ++i) {
      const bool word = is_word(cell(i));
      if ((word && !letter) || out.size() >= Letters::kMax) return false;
      letter = word;
      if (word) out.push_back(cell(i).plain);
    }
    return true;
  }
  // Whether nothing else can be read in the text than what ends at `end`.
  bool alone(std::uint32_t end) const {
    return terrain.spots[0].next_word == start && terrain.spots[end].next_word == size();
  }
  // The token of one letter that holds cell i alone.
  bool single_letter(std::uint32_t i) const {
    return is_word(cell(i)) && (i == 0 || !is_word(cell(i - 1))) &&
           (i + 1 >= size() || !is_word(cell(i + 1)));
  }
  // Whether a gap at [gap_begin, gap_end), the first of the walk, only goes on with a run of
  // spelled letters that began long before: "x*x*x*". Such a run is found from its beginning, or as
  // a word that is found inside others.
  bool amid_run(const WalkState& state, std::uint32_t gap_end) const {
    if (state.gaps > 0 || trie.leads_inside(state.node)) return false;
    if (scope == Scope::Joined || (scope == Scope::Words && terrain.spaces_near(start)))
      return false;
    std::uint32_t run = start;
    Letters left;
    while (run > gap_end - state.pos && left.size() < Letters::kMax) {
      const std::uint32_t gap = run - (gap_end - state.pos);
      if (gap == 0 || !single_letter(gap - 1) || !same_gap(gap, run, state.pos, gap_end)) break;
      left.push_back(cell(gap - 1).plain);
      run = gap - 1;
    }
    // The likes of "a" and "i" are words, digits stand beside words, and kana part from Latin.
    if (left.empty() || left.view()[0] < U'b' || left.view()[0] > U'z' || left.view()[0] == U'i')
      return false;
    left.reverse();
    return !companions().contains(left.view());
  }
  // Whether the state's gaps part words, whatever follows; of fragments of several letters
  // (acceptable_gaps).
  bool parts_words(const WalkState& state) const {
    if (state.gaps == 0 || state.single || scope == Scope::Joined) return false;
    if (state.space_gap)
      return scope != Scope::Words || state.sign_gap || state.gaps > state.gap_begin.size();
    return terrain.spots[start].amid;
  }
  bool same_gap(std::uint32_t a_begin, std::uint32_t a_end, std::uint32_t b_begin,
                std::uint32_t b_end) const {
    if (a_end - a_begin != b_end - b_begin) return false;
    for (std::uint32_t i = 0; i < a_end - a_begin; ++i) {
      if (cell(a_begin + i).source != cell(b_begin + i).source) return false;
    }
    return true;
  }
};

// Walks from the cell, and adds to walk.hits what it comes to.
void walk_from(Walk& walk, std::uint32_t start);

// ----- letters drawn from signs (drawn_letters.cc) -----

// A letter put together from signs: "|-|" for h.
struct Drawn {
  std::u32string_view signs;
  char32_t letter;
};
extern const std::array<Drawn, 26> kDrawn;

// Those whose signs stand at cell `pos`: bit k for kDrawn[k].
std::uint32_t drawn_at(const NormalizedText& text, std::uint32_t pos);

// ----- context (context.cc) -----

// Too short to be found where letters are doubled, or backwards.
inline bool is_short(const Pattern& pattern) {
  return pattern.letters < 4 && !is_unspaced(pattern.front);
}

// Judges a walk that has come to the end of a pattern, and adds a hit to walk.hits for each pattern
// that ends there and that the letters read, the gaps and the letters around it allow.
void judge(Walk& walk, const WalkState& state);

// Whether a term with more letters around it is still the term: an ending, a compound; `steps` says
// which.
bool acceptable_rest(const Pattern& pattern, std::u32string_view left, std::u32string_view right,
                     Steps& steps);

}  // namespace glyphward::lexicon
