// What the lexicon says of a prompt: plain values, for all who work with findings.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "lexicon/categories.h"

namespace glyphward::lexicon {

// One line of a lexicon file.
struct Term {
  std::string term;      // canonical form, NFC, lower case: "asshole"
  std::string category;  // one of kCategories
  int severity = 0;      // 0 to kSeverityMax
  std::string language;  // BCP 47: "en"; "und" for any
};

// A text that the picture would show, as the prompt writes it.
struct RenderedText {
  std::string text;       // its bytes in the prompt, without the quotation marks
  std::size_t start = 0;  // byte offsets into the prompt: [start, end)
  std::size_t end = 0;
  // Between quotation marks; otherwise after a verb of writing ("that says X").
  bool quoted = false;
};

// A term found. Offsets are bytes into the prompt as the user sent it, whatever normalization did
// in between.
struct Finding {
  std::string term;  // canonical form, as the lexicon has it
  std::string category;
  int severity = 0;
  std::string language;
  std::size_t start = 0;  // [start, end): the smallest run of the prompt that holds the whole match
  std::size_t end = 0;
  std::string matched;    // prompt.substr(start, end - start)
  bool rendered = false;  // in the text to be rendered; otherwise elsewhere in the prompt
  // The normalizations that led from matched to term: {"confusables", "leet"}.
  std::vector<std::string> steps;
  // If the term was put together from several quotes or lines: the bytes of each, [first, second).
  // Empty otherwise.
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
  // Nats by which the reading with the term is likelier than the likeliest ordinary one.
  double evidence = 0;
  std::string reading;  // how it is read as the term: "leet(i)@1"; empty if it stands there plainly
  std::string
      ordinary;  // the likeliest ordinary reading and what each word costs: "?d!ckhead 28.2"

  // Does it flag its prompt?
  bool flags() const { return rendered && severity >= kFlaggedSeverityMin; }
};

// What analyze() found in a prompt.
struct Analysis {
  std::vector<RenderedText> rendered;  // in order of position; empty if the prompt asks for no text
  // In order of position; overlapping findings: the most severe, then the longest.
  std::vector<Finding> findings;
};

}  // namespace glyphward::lexicon
