// The matcher: finds the lexicon's terms in normalized text. A trie of the terms is walked over the
// cells, following every reading of a cell at once (a nondeterministic automaton); what the walk
// reaches is then judged by its context: word boundaries, endings, how many letters were digits,
// whether what was left out parted words.
//
// Why not RE2::Set: a cell has several readings, and the readings are of several cells (ph -> f),
// so a text would have to be given to it once for every combination; and RE2 tells which pattern
// matched, not where.
//
// Cost: at each cell where a word may begin, the trie's nodes that the text can reach. A walk goes
// on only while the cells that it could read next hold a letter that the trie continues with, and
// over no more than kReachMax cells in all; runs are squashed before (normalization.h). So hostile
// text costs a bounded amount a cell: linear in the text for a given lexicon.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lexicon/matching/entry.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// A run of cells that reads as an entry.
struct Hit {
  std::uint32_t entry = 0;
  std::uint32_t begin = 0;  // cells: [begin, end)
  std::uint32_t end = 0;
  Steps steps = 0;
};

// A set of letters: bit i for 'a' + i, one bit for the space and one for all others.
using LetterSet = std::uint32_t;
constexpr LetterSet kSpaceLetter = 1u << 26;
constexpr LetterSet kOtherLetters = 1u << 27;

// A trie over folded letters. Immutable once built.
class Trie {
 public:
  struct Key {
    std::u32string letters;
    std::uint32_t value = 0;
    bool inner = false;  // found inside longer words too
  };
  void build(std::vector<Key> keys);

  static constexpr std::uint32_t kRoot = 0;
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  std::uint32_t child(std::uint32_t node, char32_t letter) const;
  // The letter that leads to the node; 0 for the root.
  char32_t letter(std::uint32_t node) const { return nodes_[node].letter; }
  // The letters that the node goes on with, as a set of letter_bit()s.
  LetterSet next_letters(std::uint32_t node) const { return nodes_[node].next; }
  bool has_values(std::uint32_t node) const { return nodes_[node].values > 0; }
  // Whether the node leads to an inner key.
  bool leads_inside(std::uint32_t node) const { return nodes_[node].inner; }
  // The values of the keys that end at the node.
  const std::uint32_t* values_begin(std::uint32_t node) const;
  const std::uint32_t* values_end(std::uint32_t node) const;
  // Whether a key may begin with letters of these sets; true where that isn't known.
  bool may_begin(LetterSet first, LetterSet second, LetterSet third) const;
  // Whether `test` holds for a child by one of the letters, given its node.
  template <typename Test>
  bool any_child(std::uint32_t node, LetterSet letters, Test test) const {
    const Node& n = nodes_[node];
    std::uint32_t child = n.first_child;
    for (LetterSet rest = n.next & ~kOtherLetters; rest != 0; rest &= rest - 1, ++child) {
      if ((rest & -rest & letters) && test(child)) return true;
    }
    if (!(letters & kOtherLetters)) return false;
    for (std::uint32_t i = 0; i < n.others; ++i, ++child) {
      if (test(child)) return true;
    }
    return false;
  }

 private:
  struct Node {
    // Children lie together: those by Latin letters first, then the others in order.
    std::uint32_t first_child = 0;
    std::uint32_t first_other = 0;  // letters_ of those others
    std::uint32_t first_value = 0;
    LetterSet next = 0;  // of the children
    std::uint32_t others = 0;
    std::uint32_t values = 0;
    char32_t letter = 0;
    bool inner = false;
  };
  static constexpr std::size_t kLatinLetters = 26;
  static constexpr LetterSet kEnds = 1u << 28;
  void index_openings();

  std::vector<Node> nodes_;
  std::vector<LetterSet> after_two_;  // what follows two Latin letters; kEnds: it may be anything
  LetterSet short_openings_ = 0;      // after which of them alone it may be anything
  std::vector<char32_t> letters_;
  std::vector<std::uint32_t> values_;
};

class Matcher {
 public:
  enum class Scope {
    Words,   // words, spelled words, compounds
    Whole,   // whole words of four letters or more, nothing added: for text read backwards
    Turned,  // the same for text read upside down, whose glyphs leave no doubt
    Joined   // several pieces in a row, from a seam to a seam, are one term
  };

  // The cells that a match may span: more than any term of a list has letters, twice over.
  static constexpr std::uint32_t kReachMax = 250;

  // Keeps a reference: the entries must outlive the matcher.
  explicit Matcher(const std::vector<Entry>& entries);

  // Adds what is found, unordered; the same cells may be hit by several entries. `seams`, needed
  // for Scope::Joined: the cells where pieces begin, in order, the first 0 and the last the text's
  // end. Scope::Words may leave out what is found within one piece, if seams are given.
  void find(const NormalizedText& text, Scope scope, std::vector<Hit>& hits,
            const std::vector<std::uint32_t>& seams = {}) const;

  // Changes with any change of what is found.
  static constexpr std::string_view kVersion = "matcher 3";

 private:
  // A spelling of an entry, with all that is asked about it for every match: entries are too large
  // to be looked at so often.
  struct Pattern {
    std::uint32_t entry = 0;
    std::uint32_t letters = 0;  // without spaces
    Steps steps = 0;            // kSpelling, kInflection
    std::uint32_t flags = 0;    // the entry's
    char32_t front = 0;
    char32_t back = 0;
    std::uint8_t severity = 0;
    bool english = false;
    bool russian = false;
    bool spaced = false;     // several words
    bool disguised = false;  // only if the text hides something: "c0no" is meant, "cono" is a cone
    bool coined = false;     // a spelling without vowels, as good as the term itself
    bool numeric = false;    // digits only
  };
  struct State;
  struct Terrain;
  class Completions;
  struct Waiting;
  struct Walk;
  class Letters;

  static State repeated(const Walk& walk, const State& state, const Reading& reading);
  void walk(Walk& walk, std::uint32_t start) const;
  void step_read(Walk& walk, const State& state) const;
  void step_word_end(Walk& walk, const State& state) const;
  void step_over(Walk& walk, const State& state) const;
  void arrive(Walk& walk, const State& state) const;
  // Too short to be found where letters are doubled, or backwards.
  static bool is_short(const Pattern& pattern);
  static bool acceptable_letters(const Walk& walk, const State& state, const Pattern& pattern);
  static bool acceptable_gaps(const Walk& walk, const State& state, bool grave, Letters& left,
                              Letters& right);
  static bool acceptable_spelling(const Walk& walk, const State& state, Letters& left,
                                  Letters& right);
  static bool acceptable_rest(const Pattern& pattern, std::u32string_view left,
                              std::u32string_view right, Steps& steps);
  static bool is_ending(const Pattern& pattern, std::u32string_view letters);
  void find_masked(const NormalizedText& text, std::vector<Hit>& hits) const;
  void match_masks(const NormalizedText& text, std::uint32_t begin, std::uint32_t end,
                   std::vector<Hit>& hits) const;
  void match_mask(const NormalizedText& text, std::uint32_t begin, std::uint32_t length,
                  std::u32string_view right, std::uint32_t id, std::vector<Hit>& hits) const;

  const std::vector<Entry>& entries_;
  std::vector<Pattern> patterns_;
  std::vector<std::u32string> pattern_letters_;
  Trie words_;
  Trie stems_;
  Trie turned_;  // those that are found backwards and upside down
  // Patterns without spaces by shape(): the ones that a masked word may stand for.
  struct MaskKey {
    std::uint32_t id = 0;
    std::array<std::uint8_t, 12> inner{};  // which letter_bit() each letter has, from the second on
  };
  std::unordered_map<std::uint64_t, std::vector<MaskKey>> by_shape_;
  // The letters in which those of a length, by their first letter, end; a masked end is one more.
  static constexpr std::uint32_t kMaskedWordMax = 24;
  std::array<std::array<LetterSet, 29>, kMaskedWordMax + 1> shape_ends_{};
};

// Harmless words and phrases: matched on the plain text, case folded and nothing else, so that no
// disguise is excused.
class AllowList {
 public:
  // A phrase that ends in `*` allows any ending. Punctuation and spaces of a phrase match each
  // other.
  explicit AllowList(const std::vector<std::string>& phrases);

  struct Range {
    std::uint32_t begin = 0;  // cells: [begin, end)
    std::uint32_t end = 0;
  };
  // Words begin and end at the seams too (Matcher::find).
  std::vector<Range> find(const NormalizedText& text,
                          const std::vector<std::uint32_t>& seams = {}) const;

 private:
  Trie trie_;
};

}  // namespace glyphward::lexicon
