// Lists of other formats, brought in as entries. A pure function.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/matching/entry.h"

namespace glyphward::lexicon {

// What other lists do not say about their words.
struct ImportDefaults {
  std::string category = "profanity";
  int severity = 3;  // 0 to 7
  std::string language = "und";
  int scale = 4;  // the highest severity of the list's own scale, whose lowest is 1
};

enum class ImportFormat { Text, Csv, Json };

// A row, or one spelling of it, that no list can hold.
struct LeftOut {
  int line = 0;  // JSON: the place in the array, from 1
  std::string spelling;
  std::string reason;
};

// Each row that says a word is kept, merged or left out: rows == kept + merged + left out, where a
// row is left out if all of its spellings are.
struct Imported {
  std::vector<Entry> entries;  // in the order of the list, no term twice
  std::size_t rows = 0;
  std::size_t merged = 0;  // said a term again, and added at most spellings to it
  std::vector<LeftOut> left_out;
  // What the list calls categories that none of ours is: how many rows, which have the default.
  std::map<std::string, std::size_t> unknown_categories;
};

// Text: a word or phrase a line, as LDNOOBW has them. CSV: a header with `text`, `term` or `word`,
// and if wanted `category` (or category_1), `severity` (or severity_rating), `language` and
// `canonical_form_1`. JSON: an array of strings, or of objects with `term`, `word`, `text` or
// `match` (alternatives parted by |), and if wanted `severity`, `category` or `tags`, `language`.
// A spelling with signs (C&A, Yahoo!) or without a letter becomes a term that is found as it is
// written (kLiteral). Throws ConfigError naming file, line and field.
Imported import_list(const std::filesystem::path& file, std::string_view content,
                     ImportFormat format, const ImportDefaults& defaults);

}  // namespace glyphward::lexicon
