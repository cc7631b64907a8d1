#include "base/utf8.h"

#include <unicode/utf8.h>

namespace glyphward {

std::optional<char32_t> next_character(std::string_view text, std::size_t& offset) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const std::size_t size = text.size();
  UChar32 character = 0;
  U8_NEXT(bytes, offset, size, character);
  if (character < 0) return std::nullopt;
  return static_cast<char32_t>(character);
}

std::optional<std::size_t> count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t offset = 0; offset < text.size(); ++count)
    if (!next_character(text, offset)) return std::nullopt;
  return count;
}

bool is_utf8(std::string_view text) { return count_characters(text).has_value(); }

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for_each_character(text, [&](std::optional<char32_t> character, std::string_view bytes) {
    valid += character ? bytes : kReplacementUtf8;
  });
  return valid;
}

void append_utf8(std::string& text, char32_t character) {
  std::uint8_t bytes[U8_MAX_LENGTH];
  std::size_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, static_cast<UChar32>(character));
  text.append(reinterpret_cast<const char*>(bytes), length);
}

}  // namespace glyphward
