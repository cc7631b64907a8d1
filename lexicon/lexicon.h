// The lexicon: toxic terms and the harmless phrases that contain them, and the search for them in a
// prompt.
//
//   prompt --extract--> rendered texts --normalize--> readings --match--> findings, with offsets
//   into the prompt's bytes
//
// A Lexicon is immutable once loaded: analyze() and find() may run on any number of threads.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/finding.h"

namespace glyphward::lexicon {

// What else decides of a lexicon's files.
struct LoadOptions {
  std::vector<std::string> own_categories = {};  // that terms may have besides kCategories
  bool any_category = false;                     // any that has the form of one
  std::string today = {};  // YYYY-MM-DD; rows that held until an earlier day are left out. Empty:
                           // the clock's day, UTC
  // The margin: a reading with a term counts from this evidence on, in nats. Lower finds more, in
  // more that is harmless, and takes longer; below 0 the ordinary reading is the likelier one. What
  // is found as it is written (kEvidenceWritten) knows no doubt.
  float evidence_min = kEvidenceMin;
};

// The clock's day, UTC: YYYY-MM-DD.
std::string today();

class Lexicon {
 public:
  // Reads one or more lexicon files (docs/LEXICON.md). Throws ConfigError naming file, line and
  // field; an empty list is an error.
  static std::shared_ptr<const Lexicon> load(const std::vector<std::filesystem::path>& files,
                                             const LoadOptions& options = {});

  virtual ~Lexicon() = default;

  // The whole way for a prompt. Linear in prompt.size(). Invalid UTF-8 reads as U+FFFD: it cannot
  // hide a term. A finding of kGraveSeverityMin or more counts as rendered unless what stands
  // around it proves that it is description.
  virtual Analysis analyze(std::string_view prompt, Syntax syntax = Syntax::Plain) const = 0;

  // Searches a text that is known to be shown, such as an OCR reading: every finding has rendered =
  // true.
  virtual std::vector<Finding> find(std::string_view text) const = 0;

  virtual const std::vector<Term>& terms() const = 0;

  // The last day on which all of its rows hold, YYYY-MM-DD; empty if they hold always. From the day
  // after on, loading the same files gives another lexicon.
  virtual const std::string& holds_until() const = 0;

  // The margin that it was loaded with.
  virtual float evidence_min() const { return kEvidenceMin; }

  // SHA-256 (hex) over all that decides what is found: the matcher's version, the bytes of the
  // tables that are compiled in (tables.h), the margin, the files' bytes in the order given, and
  // which of their rows hold no longer.
  virtual const std::string& revision() const = 0;
};

}  // namespace glyphward::lexicon
