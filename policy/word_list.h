// The harmless words that substitutes are picked from.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::policy {

// A list of harmless words, by length. Immutable once built: any number of threads.
class WordList {
 public:
  // One word per line, in lower-case Latin letters; `#` begins a comment. Throws ConfigError, which
  // names file and line, where a line is anything else or a length from length_min to length_max
  // has no word.
  WordList(const std::filesystem::path& file, const std::string& content, std::size_t length_min,
           std::size_t length_max);

  // A word of the length nearest to `length` within the limits. The same seed picks the same word.
  const std::string& pick(std::size_t length, std::string_view seed) const;

  struct Word {
    std::string word;
    int line = 0;
  };
  const std::vector<Word>& all() const { return all_; }  // in the file's order, of any length

 private:
  std::map<std::size_t, std::vector<std::string>> by_length_;
  std::vector<Word> all_;
};

}  // namespace glyphward::policy
