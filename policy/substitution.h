// Substitution: the harmless words that take the place of toxic ones. Deterministic: the same seed
// gives the same word.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::policy {

// A list of harmless words, sorted by length. Immutable once built.
class WordList {
 public:
  // One word a line, lower case Latin letters; `#` begins a comment. Throws ConfigError naming file
  // and line. Every length from length_min to length_max must have a word.
  WordList(const std::filesystem::path& file, const std::string& content, std::size_t length_min,
           std::size_t length_max);

  // A word of the length nearest to `length` within the limits, chosen by the seed.
  const std::string& pick(std::size_t length, std::string_view seed) const;

  struct Word {
    std::string word;
    int line = 0;
  };
  const std::vector<Word>& all() const { return all_; }

 private:
  std::map<std::size_t, std::vector<std::string>> by_length_;
  std::vector<Word> all_;
};

// The word written like `model`: UPPER, Title or lower.
std::string like_case(std::string_view word, std::string_view model);

// Letters and digits in a text, as a reader counts them: without marks, signs and spaces.
std::size_t count_letters(std::string_view text);

// [start, end) widened to the whole word that holds it.
struct Range {
  std::size_t start = 0;
  std::size_t end = 0;
};
Range whole_word(std::string_view prompt, Range range);

}  // namespace glyphward::policy
