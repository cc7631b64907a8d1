#include "policy/word_list.h"

#include <algorithm>
#include <sstream>

#include "base/config_error.h"
#include "base/sha256.h"

namespace glyphward::policy {

WordList::WordList(const std::filesystem::path& file, const std::string& content,
                   std::size_t length_min, std::size_t length_max) {
  std::istringstream stream(content);
  std::string word;
  for (int line = 1; std::getline(stream, word); ++line) {
    if (!word.empty() && word.back() == '\r') word.pop_back();
    if (word.empty() || word.front() == '#') continue;
    if (!std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
      throw ConfigError(file, line, "",
                        "expected a word of lower-case Latin letters, found '" + word + "'");
    }
    all_.push_back({word, line});
    if (word.size() >= length_min && word.size() <= length_max)
      by_length_[word.size()].push_back(word);
  }
  for (std::size_t length = length_min; length <= length_max; ++length) {
    if (!by_length_.contains(length)) {
      throw ConfigError(file, 0, "",
                        "expected a word of " + std::to_string(length) + " letters, found none");
    }
  }
}

const std::string& WordList::pick(std::size_t length, std::string_view seed) const {
  const std::size_t clamped =
      std::clamp(length, by_length_.begin()->first, by_length_.rbegin()->first);
  const std::vector<std::string>& words = by_length_.at(clamped);
  return words[leading_number(sha256_of_chunks({seed})) % words.size()];
}

}  // namespace glyphward::policy
