// What of a sentencepiece model's file (spiece.model, a protocol buffer) is read here and not by
// sentencepiece, which trusts it. Internal to model/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::model {

// Whether the message is whole, and holds what sentencepiece writes behind the pieces: a file that
// was cut between two pieces is a message, too.
bool is_whole(std::string_view model);

// normalizer_spec.precompiled_charsmap
std::string_view find_charsmap(std::string_view model);

// trainer_spec.model_type
bool is_unigram(std::string_view model);

// A double-array trie from characters to what they are replaced by (NFKC and some more), as
// sentencepiece stores it: the trie's size in bytes, its units, and the replacements, each ended by
// a zero. sentencepiece looks nothing up with bounds, so that a damaged map would make it read
// anywhere; and tokenizers, which transformers reads with, looks up by grapheme. So it is done
// here.
class CharacterMap {
 public:
  // Throws ConfigError on a trie that leaves the map. An empty map replaces nothing.
  CharacterMap(std::string_view charsmap, const std::filesystem::path& file);

  // What replaces the shortest beginning of `text` that the map has; none if it has none. The view
  // lives as long as the map.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace glyphward::model
