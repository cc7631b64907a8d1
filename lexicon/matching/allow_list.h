// The allow list: harmless words and phrases that hold a term's letters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lexicon/matching/trie.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// Harmless words and phrases: matched on the plain text, case folded and nothing else, so that no
// disguise is excused.
class AllowList {
 public:
  // A phrase that ends in `*` allows any ending, one that ends in ` *` any word. Punctuation and
  // spaces of a phrase match each other.
  explicit AllowList(const std::vector<std::string>& phrases);

  struct Range {
    std::uint32_t begin = 0;  // cells: [begin, end)
    std::uint32_t end = 0;
    bool any_word = false;  // ends with a word that the phrase does not name
  };
  // Words begin and end at the seams too (Matcher::find).
  std::vector<Range> find(const NormalizedText& text,
                          const std::vector<std::uint32_t>& seams = {}) const;

 private:
  Trie trie_;
};

}  // namespace glyphward::lexicon
