// Judges what OCR read in a picture: against the lexicon, and against the texts that the picture
// may and may not show.
//
// OCR misreads, so readings are compared by its confusions (guard/reading/confusions.h), never by
// plain edit distance to the lexicon, which would turn "duck" into a slur. Only the word that was
// substituted is looked for fuzzily: a picture that was asked to show it and shows something nearer
// to it than to its substitute has failed.
//
// Pure functions; any number of threads.
#pragma once

#include <string>
#include <vector>

#include "guard/reading/ocr.h"
#include "lexicon/lexicon.h"
#include "policy/decision.h"

namespace glyphward::guard {

// A toxic word of the prompt, and the word that is to be drawn for it.
struct SubstitutedWord {
  std::vector<std::string> from;  // as the lexicon has it, and as the prompt wrote it
  std::string substitute;
};

// What the picture may show, and must not.
struct Expectation {
  std::vector<std::string> allowed_texts;
  std::vector<SubstitutedWord> substituted;         // empty if nothing was
  int severity_min = lexicon::kFlaggedSeverityMin;  // from which a finding counts
  // policy::VerificationRules says what these are.
  double replacement_similarity_min = 0.75;
  double short_term_confidence_min = 50;
};

// What the picture of a prompt so analyzed and decided may show.
Expectation expectation(const lexicon::Analysis& analysis, const policy::Decision& decision,
                        const policy::VerificationRules& verification);

enum class Verdict {
  Clean,        // nothing toxic is read; where words were substituted, their substitutes are
  Unconfirmed,  // nothing toxic is read, but a substitute is not either
  Toxic,
};

struct Comparison {
  Verdict verdict = Verdict::Clean;
  std::string reason;      // for the record; empty if clean
  std::vector<Box> boxes;  // of the text to redact; empty unless toxic
};

Comparison compare(const Reading& reading, const Expectation& expectation,
                   const lexicon::Lexicon& lexicon);

}  // namespace glyphward::guard
