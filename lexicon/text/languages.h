// Which languages a text shows signs of, from its function words and letters: enough to know that a
// word next to "på" is Swedish and that "un chat" is French, not a language detector. Pure
// functions; any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glyphward::lexicon {

// How many signs there are of each language.
class Languages {
 public:
  static constexpr std::size_t kCount = 31;
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

// The signs, by word and by letter: languages.tsv, which is compiled in, and the scripts that one
// language is written in. Languages are numbers below Languages::kCount. Immutable once built.
class LanguageTable {
 public:
  // Throws ConfigError naming file, line and field.
  LanguageTable(const std::filesystem::path& file, std::string_view content);

  // Empty if it is a sign of none. Lower case.
  const std::vector<std::size_t>& of_word(const std::string& word) const;
  const std::vector<std::size_t>& of_letter(char32_t c) const;

 private:
  std::unordered_map<std::string, std::vector<std::size_t>> words_;
  std::unordered_map<char32_t, std::vector<std::size_t>> letters_;
};

}  // namespace glyphward::lexicon
