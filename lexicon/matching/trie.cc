#include "lexicon/matching/trie.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace glyphward::lexicon {

// By their letters: mostly the first three tell.
void Trie::sort(std::vector<Key>& keys) {
  struct Place {
    std::uint64_t first = 0;
    std::uint32_t key = 0;
  };
  std::vector<Place> order(keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    order[i].key = i;
    for (std::size_t k = 0; k < 3; ++k)
      order[i].first = order[i].first << 21 | (k < keys[i].letters.size() ? keys[i].letters[k] : 0);
  }
  std::sort(order.begin(), order.end(), [&](const Place& a, const Place& b) {
    if (a.first != b.first) return a.first < b.first;
    const int letters = keys[a.key].letters.compare(keys[b.key].letters);
    return letters != 0 ? letters < 0 : keys[a.key].value < keys[b.key].value;
  });
  std::vector<Key> sorted;
  sorted.reserve(keys.size());
  for (const Place& place : order) sorted.push_back(std::move(keys[place.key]));
  keys = std::move(sorted);
}

void Trie::build(std::vector<Key> keys) {
  sort(keys);
  struct Range {
    std::uint32_t node, first, last, depth;
  };
  std::vector<std::uint32_t> spaced_before(keys.size() + 1);
  for (std::size_t i = 0; i < keys.size(); ++i)
    spaced_before[i + 1] = spaced_before[i] + (keys[i].spaced ? 1 : 0);
  nodes_.assign(1, Node{});
  std::vector<Range> todo = {{kRoot, 0, static_cast<std::uint32_t>(keys.size()), 0}};
  std::vector<std::pair<char32_t, Range>> edges;
  while (!todo.empty()) {
    // Depth first, so that a long tail of single letters lies in one place.
    const Range range = todo.back();
    todo.pop_back();
    std::uint32_t i = range.first;
    nodes_[range.node].first_value = static_cast<std::uint32_t>(values_.size());
    nodes_[range.node].spaced = spaced_before[range.last] > spaced_before[range.first] ? 1 : 0;
    for (; i < range.last && keys[i].letters.size() == range.depth; ++i) {
      values_.push_back(keys[i].value);
      ++nodes_[range.node].values;
    }
    edges.clear();
    while (i < range.last) {
      const char32_t letter = keys[i].letters[range.depth];
      std::uint32_t end = i;
      while (end < range.last && keys[end].letters[range.depth] == letter) ++end;
      edges.push_back({letter, {0, i, end, range.depth + 1}});
      i = end;
    }
    // Latin letters first; the space, of all others, stands before them.
    const auto order = [](char32_t c) { return latin_class(c) >= 0 ? latin_class(c) : 27; };
    const auto before = [&](const auto& a, const auto& b) {
      return order(a.first) < order(b.first);
    };
    if (!std::is_sorted(edges.begin(), edges.end(), before))
      std::stable_sort(edges.begin(), edges.end(), before);
    nodes_[range.node].first_child = static_cast<std::uint32_t>(nodes_.size());
    nodes_[range.node].first_other = static_cast<std::uint32_t>(letters_.size());
    for (auto& [letter, child] : edges) {
      if (latin_class(letter) >= 0) {
        nodes_[range.node].next |= letter_bit(letter);
      } else {
        nodes_[range.node].next |= kOtherLetters;
        ++nodes_[range.node].others;
        letters_.push_back(letter);
      }
      child.node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back().letter = letter;
    }
    for (auto edge = edges.rbegin(); edge != edges.rend(); ++edge) todo.push_back(edge->second);
  }
  look_two_ahead();
  index_openings();
}

void Trie::look_two_ahead() {
  for (Node& node : nodes_) {
    const std::uint32_t children = count_bits(node.next & ~kOtherLetters) + node.others;
    for (std::uint32_t i = 0; i < children; ++i) {
      const Node& child = nodes_[node.first_child + i];
      node.after |= child.next | (child.values > 0 ? kEnds : 0);
    }
  }
}

void Trie::index_openings() {
  after_two_.assign(kLatinLetters * kLatinLetters, 0);
  short_openings_ = 0;
  for (std::size_t i = 0; i < kLatinLetters; ++i) {
    const std::uint32_t first = child(kRoot, static_cast<char32_t>(U'a' + i));
    if (first == kNone) continue;
    if (has_values(first) || (nodes_[first].next & kSpaceLetter)) short_openings_ |= 1u << i;
    for (std::size_t k = 0; k < kLatinLetters; ++k) {
      const std::uint32_t second = child(first, static_cast<char32_t>(U'a' + k));
      LetterSet& after = after_two_[i * kLatinLetters + k];
      if (second == kNone) continue;
      after = nodes_[second].next;
      // Behind a key's end, or that of its first word, anything may follow.
      if (has_values(second) || (after & kSpaceLetter)) after = kEnds;
    }
  }
}

bool Trie::may_begin(LetterSet first, LetterSet second, LetterSet third) const {
  if (((first | second | third) & kOtherLetters) || (first & short_openings_)) return true;
  for (LetterSet a = first; a != 0; a &= a - 1) {
    const std::size_t row = static_cast<std::size_t>(std::countr_zero(a)) * kLatinLetters;
    for (LetterSet b = second; b != 0; b &= b - 1) {
      if (after_two_[row + static_cast<std::size_t>(std::countr_zero(b))] & (third | kEnds))
        return true;
    }
  }
  return false;
}

}  // namespace glyphward::lexicon
