// The terms that are found as they are written and in no disguise: names with signs in them
// (C&A, Yahoo!), regular expressions, and kinds of text that are known by their form (URLs, card
// numbers). They need no judge: what is found is what was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/matching/entry.h"

namespace glyphward::lexicon {

// A match of an entry, in bytes of the text: [start, end).
struct WrittenMatch {
  std::uint32_t entry = 0;
  std::size_t start = 0;
  std::size_t end = 0;
};

// Immutable once built: find() may run on any number of threads. Linear in the text: an expression
// or form that matches more than kMatchesMax times is found once more, from there to the last
// letter.
class WrittenSearch {
 public:
  static constexpr std::size_t kMatchesMax = 64;

  // Of the entries, those that are flagged kLiteral, kRegex or kForm; a match names its entry by
  // number.
  explicit WrittenSearch(const std::vector<Entry>& entries);
  WrittenSearch(WrittenSearch&&) noexcept;
  ~WrittenSearch();

  // Adds what is found, unordered; matches may overlap.
  void find(std::string_view text, std::vector<WrittenMatch>& matches) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;  // null: nothing to search for
};

// What is wrong with a regular expression; empty if nothing is.
std::string expression_fault(const std::string& expression);

// The forms that are known by name: "url", "email" ...
const std::vector<std::string>& form_names();

// A literal's letters in the form in which they are searched for.
std::u32string fold_literal(std::string_view literal);

}  // namespace glyphward::lexicon
