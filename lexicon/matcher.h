// The matcher: finds the lexicon's terms in normalized text. A trie of the terms is walked over the
// cells, following every reading of a cell at once (a nondeterministic automaton); what the walk
// reaches is then judged by its context: word boundaries, endings, how many letters were digits,
// whether what was left out parted words.
//
// Why not RE2::Set: a cell has several readings, and the readings are of several cells (ph -> f),
// so a text would have to be given to it once for every combination; and RE2 tells which pattern
// matched, not where.
//
// Cost: at each cell where a word may begin, the trie's nodes that the text can reach, at most
// (depth of the trie) x (its width under the readings of those few cells). Runs are squashed before
// (normalization.h), so hostile repetition adds nothing: linear in the text for a given lexicon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lexicon/lexicon.h"
#include "lexicon/normalization.h"

namespace glyphward::lexicon {

// The flags column of a lexicon file (docs/LEXICON.md).
enum Flag : std::uint32_t {
  kStem = 1u << 0,       // found inside longer words too, unless an allowed word covers it
  kPlural = 1u << 1,     // no endings but the plural's
  kExact = 1u << 2,      // no endings, no compounds
  kNoLeet = 1u << 3,     // not with digits, signs or marks on its letters
  kNoReverse = 1u << 4,  // reads as a harmless word backwards
  kNoSound = 1u << 5,    // sound-alike spellings are harmless words
  kAccent = 1u << 6,     // its marks are needed: "coño", not "cono"
  kLocal = 1u << 7,      // only where its own language is in evidence
  kName = 1u << 8,       // a name too: not beside a title, a first name or a street
  kHead = 1u << 9,       // like stem, but only a word of swearing may stand before it
};

struct Entry {
  Term term;
  std::uint32_t flags = 0;
  std::vector<std::string> forms;        // other spellings that mean the term
  std::vector<std::string> harmless_in;  // languages in which the word is harmless
};

// A run of cells that reads as an entry.
struct Hit {
  std::uint32_t entry = 0;
  std::uint32_t begin = 0;  // cells: [begin, end)
  std::uint32_t end = 0;
  Steps steps = 0;
};

// A trie over folded letters. Immutable once built.
class Trie {
 public:
  struct Key {
    std::u32string letters;
    std::uint32_t value = 0;
  };
  void build(std::vector<Key> keys);

  static constexpr std::uint32_t kRoot = 0;
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  std::uint32_t child(std::uint32_t node, char32_t letter) const;
  // The values of the keys that end at the node.
  const std::uint32_t* values_begin(std::uint32_t node) const;
  const std::uint32_t* values_end(std::uint32_t node) const;
  bool empty() const { return nodes_.size() <= 1; }

 private:
  struct Node {
    std::uint32_t first_child =
        0;  // children lie together: those by Latin letters first, then the others in order
    std::uint32_t first_other = 0;  // letters_ of those others
    std::uint32_t first_value = 0;
    std::uint32_t latin = 0;  // bit i: an edge for 'a' + i; bit 26: for the space
    std::uint16_t others = 0;
    std::uint16_t values = 0;
  };
  std::vector<Node> nodes_;
  std::vector<char32_t> letters_;
  std::vector<std::uint32_t> values_;
};

class Matcher {
 public:
  enum class Scope {
    Words,   // words, spelled words, compounds
    Whole,   // whole words of four letters or more, nothing added: for text read backwards
    Turned,  // the same for text read upside down, whose glyphs leave no doubt
    Joined   // the whole text is one term
  };

  // Keeps a reference: the entries must outlive the matcher.
  explicit Matcher(const std::vector<Entry>& entries);

  // Adds what is found, unordered; the same cells may be hit by several entries.
  void find(const NormalizedText& text, Scope scope, std::vector<Hit>& hits) const;

  // Changes with any change of what is found.
  static constexpr std::string_view kVersion = "matcher 1";

 private:
  struct Pattern {
    std::uint32_t entry = 0;
    std::uint32_t letters = 0;  // without spaces
    Steps steps = 0;            // kSpelling, kInflection
    bool disguised = false;  // only if the text hides something: "c0no" is meant, "cono" is a cone
  };
  struct State;
  struct Walk;

  bool begins_stem(const NormalizedText& text, const Cell& cell) const;
  static State repeated(const Walk& walk, const State& state, const Reading& reading);
  void walk(Walk& walk, std::uint32_t start) const;
  void step_read(Walk& walk, const State& state) const;
  void step_word_end(Walk& walk, const State& state) const;
  void step_over(Walk& walk, const State& state) const;
  void arrive(Walk& walk, const State& state) const;
  bool acceptable_letters(const Walk& walk, const State& state, const Pattern& pattern) const;
  bool acceptable_gaps(const Walk& walk, const State& state, bool grave, std::u32string& left,
                       std::u32string& right) const;
  bool acceptable_rest(const Entry& entry, const Pattern& pattern, std::u32string_view left,
                       std::u32string_view right, Steps& steps) const;
  void find_masked(const NormalizedText& text, std::vector<Hit>& hits) const;
  void match_mask(const NormalizedText& text, std::uint32_t begin, std::uint32_t end,
                  std::vector<Hit>& hits) const;

  const std::vector<Entry>& entries_;
  std::vector<Pattern> patterns_;
  std::vector<std::u32string> pattern_letters_;
  Trie words_;
  Trie stems_;
  // Patterns without spaces by (length, first letter), and by (length, 0) for those that begin with
  // a vowel.
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_shape_;
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
  std::vector<Range> find(const NormalizedText& text) const;

 private:
  Trie trie_;
};

}  // namespace glyphward::lexicon
