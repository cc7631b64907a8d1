// Which languages a text shows signs of, from its function words and letters: enough to know that a
// word next to "på" is Swedish and that "un chat" is French, not a language detector. Pure
// functions; any number of threads.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace glyphward::lexicon {

class Languages {
 public:
  void add(std::string_view language) { ++counts_[std::string(language)]; }
  bool has(std::string_view language) const { return counts_.contains(std::string(language)); }
  // The language with the most evidence; empty if there is none or two have as much.
  std::string main() const;

 private:
  std::map<std::string, int> counts_;
};

// Evidence of the whole text, less the bytes [skip_start, skip_end).
Languages guess_languages(std::string_view text, std::size_t skip_start = 0,
                          std::size_t skip_end = 0);

// A title or first name: "mr", "andy". What follows roads, rivers and families: "road", "creek".
// Lower case.
bool is_name_before(std::string_view word);
bool is_name_after(std::string_view word);

// A word of the radio spelling alphabet: "foxtrot". Lower case.
bool is_spelling_word(std::string_view word);

}  // namespace glyphward::lexicon
