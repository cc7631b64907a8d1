// Lists of terms in the project's own format (docs/LEXICON.md): read, written, merged, compared.
// Pure functions.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_error.h"
#include "lexicon/matching/entry.h"

namespace glyphward::lexicon {

struct Lists {
  std::vector<Entry> entries;
  std::vector<std::string> allowed;  // harmless words and phrases
  // Of the reader: which categories terms may have besides kCategories.
  std::vector<std::string> own_categories = {};
  bool any_category = false;  // any that has the form of one
};

// Whether a spelling has signs that a disguise could be made of. Such a spelling can only be found
// as it is written (kLiteral): its letters alone may be another word, as those of C&A are.
bool has_signs(std::string_view spelling);

// Adds what the content of a file says, terms or harmless phrases, as its header tells. Throws
// ConfigError naming file, line and field.
void read_list(const std::filesystem::path& file, std::string_view content, Lists& lists);

// The same, but a row that is wrong is left out and what is wrong with it added to `faults`, at
// most kListFaultsMax of them.
inline constexpr std::size_t kListFaultsMax = 100;
void read_list(const std::filesystem::path& file, std::string_view content, Lists& lists,
               std::vector<ConfigError>& faults);

// The file of these terms: read_list() of it gives the same.
std::string write_list(const std::vector<Entry>& entries);

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

}  // namespace glyphward::lexicon
