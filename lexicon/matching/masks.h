// Masks: words with signs in place of letters, "f*ck" or "n****r". A mask stands for any letter, so
// the walk over the trie would follow them all; here the word's length and its ends are looked up
// instead, and the few patterns of that shape are compared letter by letter.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lexicon/matching/pattern.h"
#include "lexicon/matching/trie.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

struct MaskedRun;

// Immutable once filled: find() may run on any number of threads.
class MaskIndex {
 public:
  // Adds a pattern, patterns[id], whose letters have no space between them.
  void add(std::uint32_t id, std::u32string letters);

  // Adds a hit for each masked word that stands for one of the patterns.
  void find(const NormalizedText& text, const std::vector<Pattern>& patterns,
            std::vector<Hit>& hits) const;

  static constexpr std::uint32_t kWordMax = 24;  // cells of a masked word

 private:
  struct Word {
    std::uint32_t pattern = 0;
    std::u32string letters;
  };
  struct Key {
    std::uint32_t word = 0;                // of words_
    std::array<std::uint8_t, 12> inner{};  // which letter_bit() each letter has, from the second on
  };
  using Patterns = std::vector<Pattern>;

  void match_run(const NormalizedText& text, const Patterns& patterns, const MaskedRun& run,
                 std::vector<Hit>& hits) const;
  void match_word(const NormalizedText& text, const Patterns& patterns, std::uint32_t begin,
                  std::u32string_view right, const Word& word, std::vector<Hit>& hits) const;

  std::vector<Word> words_;
  // By length, first and last letter.
  std::unordered_map<std::uint64_t, std::vector<Key>> by_shape_;
  // The letters in which those of a length, by their first letter, end; a masked end is one more.
  std::array<std::array<LetterSet, 29>, kWordMax + 1> ends_{};
};

}  // namespace glyphward::lexicon
