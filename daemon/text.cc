#include "daemon/text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace glyphward::daemon {
namespace {

// Calls take(character, bytes) for each character; -1 where the bytes are ill-formed.
template <typename Take>
void for_each_character(std::string_view text, const Take& take) {
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < length;) {
    const std::int32_t start = i;
    UChar32 character = 0;
    U8_NEXT(text.data(), i, length, character);
    take(character,
         text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(i - start)));
  }
}

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

bool is_utf8(std::string_view text) {
  bool good = true;
  for_each_character(text,
                     [&](UChar32 character, std::string_view) { good = good && character >= 0; });
  return good;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for_each_character(text, [&](UChar32 character, std::string_view bytes) {
    valid += character >= 0 ? bytes : kReplacement;
  });
  return valid;
}

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for_each_character(text, [&](UChar32 character, std::string_view bytes) {
    const bool plain =
        character == '\n' || (character >= 0 && u_charType(character) != U_CONTROL_CHAR &&
                              u_charType(character) != U_FORMAT_CHAR);
    shown += plain ? bytes : kReplacement;
  });
  return shown;
}

}  // namespace glyphward::daemon
