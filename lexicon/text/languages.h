// Which languages a text shows signs of, from its function words and letters: enough to know that a
// word next to "på" is Swedish and that "un chat" is French, not a language detector. Pure
// functions; any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace glyphward::lexicon {

// How many signs there are of each language.
class Languages {
 public:
  static constexpr std::size_t kCount = 22;
  bool has(std::string_view language) const;
  // The language with the most evidence; empty if there is none or two have as much.
  std::string_view main() const;

 private:
  friend class LanguageIndex;
  std::array<std::uint32_t, kCount> counts_{};
};

// Where in a text the signs stand, found once, when first asked for. For one thread.
class LanguageIndex {
 public:
  // Keeps the view.
  explicit LanguageIndex(std::string_view text) : text_(text) {}

  Languages all() const;
  // Of the words within 200 bytes of [start, end), less those in it, as far as they lie in
  // [clip_start, clip_end).
  Languages near(std::size_t start, std::size_t end, std::size_t clip_start,
                 std::size_t clip_end) const;

 private:
  struct Word {
    std::size_t start = 0;
    std::size_t end = 0;
    Languages before;  // of all words before it
  };
  void build() const;
  Languages between(std::size_t start, std::size_t end) const;

  std::string_view text_;
  mutable std::vector<Word> words_;  // the last one stands for the end
};

// A title or first name: "mr", "andy". What follows roads, rivers and families: "road", "creek".
// Lower case.
bool is_name_before(std::string_view word);
bool is_name_after(std::string_view word);

// A word of the radio spelling alphabet: "foxtrot". Lower case.
bool is_spelling_word(std::string_view word);

}  // namespace glyphward::lexicon
