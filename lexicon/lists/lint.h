// What can be said about a list: terms that hide each other, harmless words that it flags.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/finding.h"
#include "lexicon/matching/entry.h"

namespace glyphward::lexicon {

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

// What a lexicon finds in a text: Lexicon::find or the findings of Lexicon::analyze.
using Search = std::function<std::vector<Finding>(std::string_view text)>;

// What can be said about the entries, of which `search` finds what the lexicon made of them finds
// in a text that is known to be shown.
std::vector<Remark> lint(const std::vector<Entry>& entries, const Search& search);
// The words that the lexicon flags, each as the text of a sign; `search` finds what it finds in a
// prompt.
std::vector<Remark> lint_dictionary(const std::vector<std::string>& words, const Search& search);

}  // namespace glyphward::lexicon
