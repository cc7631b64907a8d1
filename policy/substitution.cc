#include "policy/substitution.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <sstream>

#include "base/config_error.h"
#include "base/sha256.h"

namespace glyphward::policy {
namespace {

// What belongs to a word: letters, digits, and the marks and invisible code points that cling to
// them.
bool in_word(UChar32 c) {
  if (c < 0) return false;
  return u_isalnum(c) || u_getCombiningClass(c) != 0 ||
         u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

// Widening stops where words are not parted by spaces: there it would swallow the whole sentence.
bool spaced_script(UChar32 c) {
  return !u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) && !(c >= 0x3040 && c <= 0x30FF) &&
         !(c >= 0xAC00 && c <= 0xD7A3);
}

}  // namespace

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

std::string like_case(std::string_view word, std::string_view model) {
  std::size_t upper = 0;
  std::size_t lower = 0;
  bool first_upper = false;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(model.size());) {
    UChar32 c = 0;
    U8_NEXT(reinterpret_cast<const std::uint8_t*>(model.data()), i,
            static_cast<std::int64_t>(model.size()), c);
    if (c < 0 || !u_isalpha(c)) continue;
    const bool is_upper = u_isupper(c) || u_istitle(c);
    if (upper + lower == 0) first_upper = is_upper;
    ++(is_upper ? upper : lower);
  }
  std::string result(word);
  const auto raise = [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  };
  if (upper > 1 && upper > lower) {
    std::transform(result.begin(), result.end(), result.begin(), raise);
  } else if (first_upper && !result.empty()) {
    result[0] = raise(result[0]);
  }
  return result;
}

std::size_t count_letters(std::string_view text) {
  std::size_t count = 0;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(text.size());) {
    UChar32 c = 0;
    U8_NEXT(reinterpret_cast<const std::uint8_t*>(text.data()), i,
            static_cast<std::int64_t>(text.size()), c);
    if (c >= 0 && u_isalnum(c) && u_getCombiningClass(c) == 0) ++count;
  }
  return count;
}

Range whole_word(std::string_view prompt, Range range) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(prompt.data());
  const auto size = static_cast<std::int64_t>(prompt.size());
  for (;;) {
    // U8_PREV takes no wider one; a prompt is far shorter.
    auto i = static_cast<std::int32_t>(range.start);
    if (i == 0) break;
    UChar32 c = 0;
    U8_PREV(bytes, 0, i, c);
    if (!in_word(c) || !spaced_script(c)) break;
    range.start = static_cast<std::size_t>(i);
  }
  for (;;) {
    auto i = static_cast<std::int64_t>(range.end);
    if (i >= size) break;
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (!in_word(c) || !spaced_script(c)) break;
    range.end = static_cast<std::size_t>(i);
  }
  return range;
}

}  // namespace glyphward::policy
