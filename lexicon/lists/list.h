// Lists of terms as files: the project's own format (docs/LEXICON.md), what is brought in from
// other formats, and what can be said about a list. Pure functions but for lint(), which searches.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/lexicon.h"
#include "lexicon/matching/entry.h"

namespace glyphward::lexicon {

struct Lists {
  std::vector<Entry> entries;
  std::vector<std::string> allowed;  // harmless words and phrases
};

// Adds what the content of a file says, terms or harmless phrases, as its header tells. Throws
// ConfigError naming file, line and field.
void read_list(const std::filesystem::path& file, std::string_view content, Lists& lists);

// The file of these terms: read_list() of it gives the same.
std::string write_list(const std::vector<Entry>& entries);

// What other lists do not say about their words.
struct ImportDefaults {
  std::string category = "profanity";
  int severity = 3;  // 0 to 7
  std::string language = "und";
  int scale = 4;  // the highest severity of the list's own scale, whose lowest is 1
};

enum class ImportFormat { Text, Csv, Json };

struct Imported {
  std::vector<Entry> entries;         // in the order of the list, no term twice
  std::vector<std::string> warnings;  // what was left out, and why
};

// Text: a word or phrase a line, as LDNOOBW has them. CSV: a header with `text`, `term` or `word`,
// and if wanted `category` (or category_1), `severity` (or severity_rating), `language` and
// `canonical_form_1`. JSON: an array of strings, or of objects with `term`, `word`, `text` or
// `match` (alternatives parted by |), and if wanted `severity`, `category` or `tags`, `language`.
// Throws ConfigError naming file, line and field.
Imported import_list(const std::filesystem::path& file, std::string_view content,
                     ImportFormat format, const ImportDefaults& defaults);

// The terms of both; of one that both have, the base's line, with the other's spellings added and
// the higher severity.
std::vector<Entry> merge(const std::vector<Entry>& base, const std::vector<Entry>& other);

struct Difference {
  enum class Kind { Added, Removed, Changed } kind;
  std::string term;
  std::string language;
  std::string what;  // for Changed: "severity 3 -> 5, form 'x' added"
};
std::vector<Difference> diff(const std::vector<Entry>& before, const std::vector<Entry>& after);

struct Remark {
  enum class Kind {
    Duplicate,  // a spelling that several terms have
    Shadowed,   // a spelling that is found as another term of the same or a higher severity
    Harmless    // a word of a dictionary that is flagged
  } kind;
  std::string term;
  std::string spelling;
  std::string other;               // the other term
  std::vector<std::string> steps;  // Harmless: how the word came to be the term
};

// The words of a dictionary: a word a line, or a Hunspell .dic, whose stems are taken. Throws
// ConfigError if the file cannot be read or holds none.
std::vector<std::string> read_dictionary(const std::filesystem::path& file);

std::vector<Remark> lint(const std::vector<Entry>& entries, const Lexicon& lexicon);
// The words, each as the text of a sign, that the lexicon flags at severity 2 or more.
std::vector<Remark> lint_dictionary(const std::vector<std::string>& words, const Lexicon& lexicon);

}  // namespace glyphward::lexicon
