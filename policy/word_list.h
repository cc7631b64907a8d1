// The harmless words that substitutes are picked from: one list, or one for each pool of a policy.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::policy {

// The form of a word, as far as a reader misses it: "cunts" becomes "lamps", "fucking" "singing".
enum class WordForm { Base, Plural, Participle };

// A list of harmless words, by form and length. Immutable once built: any number of threads.
class WordList {
 public:
  // Which lengths must have a word.
  enum class Lengths { Every, Any };

  // One word per line, in lower-case Latin letters, and behind a tab its form if it has one: plural
  // or participle. `#` begins a comment. Throws ConfigError, which names file and line, where a
  // line is anything else, or a length from length_min to length_max has no word without a form
  // (with Lengths::Any: none of them has).
  WordList(const std::filesystem::path& file, const std::string& content, std::size_t length_min,
           std::size_t length_max, Lengths lengths = Lengths::Every);

  // A word of the length nearest to `length` within the limits, of the form if the list has any of
  // it. The same seed picks the same word.
  const std::string& pick(std::size_t length, std::string_view seed,
                          WordForm form = WordForm::Base) const;

  struct Word {
    std::string word;
    int line = 0;
  };
  const std::vector<Word>& all() const { return all_; }  // in the file's order, of any length

 private:
  using ByLength = std::map<std::size_t, std::vector<std::string>>;
  std::map<WordForm, ByLength> words_;  // Base is never missing
  std::vector<Word> all_;
};

}  // namespace glyphward::policy
