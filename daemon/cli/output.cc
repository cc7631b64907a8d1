#include "daemon/cli/output.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <fstream>

#include "base/utf8.h"
#include "daemon/cli/command.h"

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

std::string printable_line(std::string_view text) {
  std::string shown = printable(text);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return shown;
}

void write_file(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  if (!out)
    throw CommandError(
        ExitStatus::Usage,
        file.string() + ": cannot be written; is its folder there, and may you write to it?");
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw CommandError(ExitStatus::Found, file.string() + ": writing failed");
}

}  // namespace glyphward::daemon
