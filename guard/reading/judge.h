// Judges what OCR read in a picture: against the lexicon, and against the texts that the picture
// may and may not show.
//
// OCR misreads, so readings are compared by its confusions (0/O, 1/l/I, rn/m, vv/w, cl/d), never by
// plain edit distance to the lexicon, which would turn "duck" into a slur. Only the word that was
// replaced is looked for fuzzily: a picture that was asked to show it and shows something nearer to
// it than to its replacement has failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guard/reading/ocr.h"
#include "lexicon/lexicon.h"
#include "policy/policy.h"

namespace glyphward::guard {

// A toxic word of the prompt and what stands for it.
struct Replaced {
  std::vector<std::string> from;  // as the lexicon has it, and as the prompt wrote it
  std::string to;
};

// What the picture may show, and must not.
struct Expectation {
  std::vector<std::string> allowed_texts;
  std::vector<Replaced> replaced;                   // empty if nothing was substituted
  int severity_min = lexicon::kFlaggedSeverityMin;  // from which a finding counts
  // policy::VerificationRules says what these are.
  double replacement_similarity_min = 0.75;
  double short_term_confidence_min = 50;
};

Expectation expectation(const lexicon::Analysis& analysis, const policy::Decision& decision,
                        const policy::VerificationRules& verification);

enum class Verdict {
  Clean,        // nothing toxic is read; where words were replaced, their replacements are
  Unconfirmed,  // nothing toxic is read, but a replacement is not either
  Toxic,
};

struct Comparison {
  Verdict verdict = Verdict::Clean;
  std::string reason;      // for the record; empty if clean
  std::vector<Box> boxes;  // of the text to redact; empty unless toxic
};

Comparison compare(const Reading& reading, const Expectation& expectation,
                   const lexicon::Lexicon& lexicon);

// The rest is public for its tests.

// Lower-case ASCII letters of a text, accents off, digits and signs as the letters they are
// confused with, all else left out: "Sh1T!" is "shiti", "5HÍT" is "shit".
std::string folded_letters(std::string_view text);

// How much of `word` stands somewhere in `text` (both folded), in order: 1 is all of it, up to
// OCR's confusions; each wrong, missing, added or exchanged letter takes 1/length.
double similarity_within(std::string_view word, std::string_view text);

// Other words that OCR may have read as this one, by its usual confusions; not the word itself. At
// most 64.
std::vector<std::string> confusion_variants(std::string_view word);

}  // namespace glyphward::guard
