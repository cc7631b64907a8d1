// UTF-8, as far as every folder needs it. Pure functions; any number of threads. Ill-formed bytes
// are one character a run, as Unicode's chapter 3.9 cuts them (maximal subparts).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace glyphward {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

// Decodes the character at `offset`, which must be below text.size(), and moves on behind it;
// nothing where the bytes are ill-formed.
std::optional<char32_t> next_character(std::string_view text, std::size_t& offset);

// Calls take(character, bytes) for each character of the text; `character` is a
// std::optional<char32_t>, without a value where the bytes are ill-formed.
template <typename Take>
void for_each_character(std::string_view text, const Take& take) {
  for (std::size_t offset = 0; offset < text.size();) {
    const std::size_t start = offset;
    const std::optional<char32_t> character = next_character(text, offset);
    take(character, text.substr(start, offset - start));
  }
}

// How many characters; nothing if the text is not UTF-8.
std::optional<std::size_t> count_characters(std::string_view text);
bool is_utf8(std::string_view text);
// Ill-formed bytes as U+FFFD.
std::string valid_utf8(std::string_view text);

void append_utf8(std::string& text, char32_t character);

}  // namespace glyphward
