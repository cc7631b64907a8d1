// A trie over folded letters, and sets of letters as bits, by which a walk over it knows early that
// it leads nowhere.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace glyphward::lexicon {

// A set of letters: bit i for 'a' + i, one bit for the space and one for all others.
using LetterSet = std::uint32_t;
inline constexpr LetterSet kSpaceLetter = 1u << 26;
inline constexpr LetterSet kOtherLetters = 1u << 27;

// 0 to 25 for a to z, 26 for the space, -1 for all others.
inline int latin_class(char32_t c) {
  if (c >= U'a' && c <= U'z') return static_cast<int>(c - U'a');
  return c == U' ' ? 26 : -1;
}

inline LetterSet letter_bit(char32_t c) {
  const int cls = latin_class(c);
  return cls >= 0 ? 1u << cls : kOtherLetters;
}

// Without the processor's own instruction, which the baseline build may not use, std::popcount is a
// call.
inline std::uint32_t count_bits(std::uint32_t bits) {
  bits -= (bits >> 1) & 0x55555555u;
  bits = (bits & 0x33333333u) + ((bits >> 2) & 0x33333333u);
  return (((bits + (bits >> 4)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24;
}

// A trie over folded letters. Immutable once built.
class Trie {
 public:
  struct Key {
    std::u32string letters;
    std::uint32_t value = 0;
    bool spaced = false;  // of several words
  };
  void build(std::vector<Key> keys);

  static constexpr std::uint32_t kRoot = 0;
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  std::uint32_t child(std::uint32_t node, char32_t letter) const;
  // The letter that leads to the node; 0 for the root.
  char32_t letter(std::uint32_t node) const { return nodes_[node].letter; }
  // The letters that the node goes on with, as a set of letter_bit()s.
  LetterSet next_letters(std::uint32_t node) const { return nodes_[node].next; }
  // The letters that the children go on with, and kEnds if a key ends at one of them.
  LetterSet letters_after(std::uint32_t node) const { return nodes_[node].after; }
  static constexpr LetterSet kEnds = 1u << 28;
  bool has_values(std::uint32_t node) const { return nodes_[node].values > 0; }
  // Whether the node leads to a key of several words.
  bool leads_to_phrase(std::uint32_t node) const { return nodes_[node].spaced; }
  // The values of the keys that end at the node.
  const std::uint32_t* values_begin(std::uint32_t node) const {
    return values_.data() + nodes_[node].first_value;
  }
  const std::uint32_t* values_end(std::uint32_t node) const {
    return values_begin(node) + nodes_[node].values;
  }
  // Whether a key may begin with letters of these sets; true where that isn't known.
  bool may_begin(LetterSet first, LetterSet second, LetterSet third) const;
  // Whether `test` holds for a child by one of the letters, given its node.
  template <typename Test>
  bool any_child(std::uint32_t node, LetterSet letters, Test test) const {
    const Node& n = nodes_[node];
    const LetterSet latin = n.next & ~kOtherLetters;
    for (LetterSet rest = latin & letters; rest != 0; rest &= rest - 1) {
      if (test(n.first_child + count_bits(latin & ((rest & -rest) - 1)))) return true;
    }
    if (!(letters & kOtherLetters) || n.others == 0) return false;
    std::uint32_t child = n.first_child + count_bits(latin);
    for (std::uint32_t i = 0; i < n.others; ++i, ++child) {
      if (test(child)) return true;
    }
    return false;
  }
  // Calls `use` with the letter of each child by one of the letters, and its node.
  template <typename Use>
  void each_child(std::uint32_t node, LetterSet letters, Use use) const {
    any_child(node, letters, [&](std::uint32_t child) {
      use(nodes_[child].letter, child);
      return false;
    });
  }
  std::size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    std::uint32_t first_child =
        0;  // children lie together: those by Latin letters first, then the others in order
    std::uint32_t first_other = 0;  // letters_ of those others
    std::uint32_t first_value = 0;
    LetterSet next = 0;   // of the children
    LetterSet after = 0;  // of the children's children
    std::uint32_t values = 0;
    char32_t letter = 0;
    std::uint32_t others : 31 = 0;
    std::uint32_t spaced : 1 = 0;
  };
  static constexpr std::size_t kLatinLetters = 26;
  void look_two_ahead();
  static void sort(std::vector<Key>& keys);
  void index_openings();

  std::vector<Node> nodes_;
  std::vector<LetterSet> after_two_;  // what follows two Latin letters; kEnds: it may be anything
  LetterSet short_openings_ = 0;      // after which of them alone it may be anything
  std::vector<char32_t> letters_;
  std::vector<std::uint32_t> values_;
};

// Inline: the matcher asks this for every reading of every cell.
inline std::uint32_t Trie::child(std::uint32_t node, char32_t letter) const {
  const Node& n = nodes_[node];
  if (const int cls = latin_class(letter); cls >= 0) {
    const std::uint32_t bit = 1u << cls;
    return n.next & bit ? n.first_child + count_bits(n.next & (bit - 1)) : kNone;
  }
  if (n.others == 0) return kNone;
  const auto first = letters_.begin() + n.first_other;
  const auto last = first + n.others;
  const auto it = std::lower_bound(first, last, letter);
  if (it == last || *it != letter) return kNone;
  return n.first_child + count_bits(n.next & ~kOtherLetters) +
         static_cast<std::uint32_t>(it - first);
}

}  // namespace glyphward::lexicon
