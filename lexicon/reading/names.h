// Names that are spelled like terms: "Dick Van Dyke". The words that tell a name are in names.tsv,
// which is compiled in. Any number of threads.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>

#include "lexicon/matching/entry.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// Written as a name: beside a title, a first name or what places are called, or as an owner's.
bool is_name(const NormalizedText& text, const Hit& hit);

// A title or a first name, which a name follows: "mr", "andy". Lower case.
bool is_before_names(const std::string& word);

// A word of the radio spelling alphabet: "foxtrot". Lower case.
bool is_spelling_word(const std::string& word);

// Words, lower case. Throws ConfigError naming file, line and field.
struct NameTable {
  NameTable(const std::filesystem::path& file, std::string_view content);

  std::unordered_set<std::string> before;    // a title or first name: "mr", "andy"
  std::unordered_set<std::string> after;     // what follows a name: "road", "creek"
  std::unordered_set<std::string> spelling;  // the radio spelling alphabet
};

}  // namespace glyphward::lexicon
