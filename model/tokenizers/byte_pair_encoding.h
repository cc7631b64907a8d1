// Byte-level byte-pair encoding as CLIP has it: words end in </w>. Internal to model/.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/tokenizers/tokenizer_parts.h"

namespace glyphward::model {

constexpr std::string_view kEndOfWord = "</w>";

// Immutable once built: any number of threads.
class BytePairEncoding {
 public:
  // Every byte has its symbol, with and without </w>, or the constructor throws ConfigError: no
  // text is unknown to it, and no stray byte can become the unknown token, which in CLIP is the end
  // of the text. The files are named in errors.
  BytePairEncoding(Vocabulary vocabulary,
                   const std::vector<std::pair<std::string, std::string>>& merges,
                   const std::filesystem::path& vocabulary_file,
                   const std::filesystem::path& merges_file);

  std::optional<std::int64_t> find(const std::string& token) const;

  // Appends the ids of one word, in n log n, since a prompt may be one long word.
  void encode(std::string_view word, std::vector<std::int64_t>& ids) const;

 private:
  struct Merge {
    std::int64_t rank = 0;
    std::int64_t result = 0;
  };
  struct Symbol;
  class Candidates;

  std::int64_t require(const std::string& token, const std::filesystem::path& file,
                       const std::string& field) const;
  void offer(const std::vector<Symbol>& symbols, int left, Candidates& queue) const;
  void merge(std::vector<Symbol>& symbols, int left, std::uint64_t pair, Candidates& queue) const;

  Vocabulary vocabulary_;
  // The symbol of a byte within a word and at its end.
  std::array<std::int64_t, 256> inner_{};
  std::array<std::int64_t, 256> last_{};
  std::unordered_map<std::uint64_t, Merge> merges_;  // by pair of symbols
};

}  // namespace glyphward::model
