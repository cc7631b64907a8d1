// The writing systems that OCR's languages read.
#pragma once

#include <unicode/uscript.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace glyphward::guard {

// By Tesseract's name of a language, the scripts that it is written in, Latin left out. A language
// that is missing is written in Latin letters.
using ScriptsByLanguage = std::multimap<std::string, UScriptCode, std::less<>>;

// From a table as guard/reading/scripts.tsv is one. Throws ConfigError with `file` and line: a
// script that Unicode does not know.
ScriptsByLanguage parse_scripts(std::string_view table, const std::filesystem::path& file);

// What these languages (joined by '+') read, Latin letters included: every model reads them too.
// Throws ConfigError if the program's own table is not sound.
std::set<UScriptCode> scripts_of(const std::string& languages);

// Is every letter of this UTF-8 text written in one of these scripts? Digits, marks and symbols,
// which many scripts share, always are; ill-formed bytes never are.
bool readable_in(std::string_view text, const std::set<UScriptCode>& scripts);

}  // namespace glyphward::guard
