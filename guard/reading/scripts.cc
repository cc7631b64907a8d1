#include "guard/reading/scripts.h"

#include <unicode/uchar.h>

#include <functional>
#include <optional>
#include <sstream>

#include "base/config_error.h"
#include "base/table.h"
#include "base/utf8.h"

namespace glyphward::tables {
extern const std::string_view guard_reading_scripts_tsv;
}

namespace glyphward::guard {

ScriptsByLanguage parse_scripts(std::string_view table, const std::filesystem::path& file) {
  ScriptsByLanguage scripts;
  for (const TableRow& row : table_rows(table, file, 2)) {
    const std::string& name = row.fields[1];
    const std::int32_t script = ::u_getPropertyValueEnum(UCHAR_SCRIPT, name.c_str());
    if (script == UCHAR_INVALID_CODE)
      throw ConfigError(file, row.line, "script", "expected Unicode's name of one, found " + name);
    scripts.emplace(row.fields[0], static_cast<UScriptCode>(script));
  }
  return scripts;
}

std::set<UScriptCode> scripts_of(const std::string& languages) {
  static const ScriptsByLanguage by_language =
      parse_scripts(tables::guard_reading_scripts_tsv, "guard/reading/scripts.tsv");
  std::set<UScriptCode> scripts = {USCRIPT_LATIN};
  std::istringstream names(languages);
  for (std::string name; std::getline(names, name, '+');) {
    const auto [first, last] = by_language.equal_range(name);
    for (auto it = first; it != last; ++it) scripts.insert(it->second);
  }
  return scripts;
}

bool readable_in(std::string_view text, const std::set<UScriptCode>& scripts) {
  for (std::size_t offset = 0; offset < text.size();) {
    const std::optional<char32_t> character = next_character(text, offset);
    UErrorCode error = U_ZERO_ERROR;
    const UScriptCode script =
        character ? ::uscript_getScript(static_cast<UChar32>(*character), &error) : USCRIPT_UNKNOWN;
    if (script == USCRIPT_COMMON || script == USCRIPT_INHERITED) continue;
    if (!scripts.contains(script)) return false;
  }
  return true;
}

}  // namespace glyphward::guard
