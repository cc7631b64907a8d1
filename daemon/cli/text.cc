#include "daemon/cli/text.h"

#include <unicode/uchar.h>

#include "base/utf8.h"

namespace glyphward::daemon {

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for_each_character(text, [&](std::optional<char32_t> character, std::string_view bytes) {
    const auto type = u_charType(static_cast<UChar32>(character.value_or(0)));
    const bool plain =
        character == U'\n' || (character && type != U_CONTROL_CHAR && type != U_FORMAT_CHAR);
    shown += plain ? bytes : kReplacementUtf8;
  });
  return shown;
}

}  // namespace glyphward::daemon
