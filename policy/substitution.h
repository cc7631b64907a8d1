// Substitution: harmless words, the substitutes, take the place of toxic ones. All of it is
// deterministic: the same policy revision, prompt and findings give the same words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/finding.h"
#include "policy/decision.h"
#include "policy/rules.h"
#include "policy/word_list.h"

namespace glyphward::policy {

// The word in the case of `model`: UPPER, Title or lower.
std::string like_case(std::string_view word, std::string_view model);

// Letters and digits in a text, as a reader counts them: without marks, signs and spaces.
std::size_t count_letters(std::string_view text);

struct Range {
  std::size_t start = 0;  // bytes into the prompt: [start, end)
  std::size_t end = 0;
};

// The range widened to the whole word that holds it. Where a script writes no spaces between words,
// it stays as it is.
Range whole_word(std::string_view prompt, Range range);

// The prompt with each substitution made. They are in order of position and do not overlap.
std::string apply_substitutions(std::string_view prompt,
                                const std::vector<Substitution>& substitutions);

// Gathers the substitutions of one prompt, finding by finding. What the constructor takes must
// outlive it. For one thread.
class Substituter {
 public:
  // `words` is asked only where the rules name no word; it may be null if they always do.
  Substituter(std::string_view prompt, std::string_view revision, const WordList* words)
      : prompt_(prompt), revision_(revision), words_(words) {}

  // Replaces the whole words that hold the finding; if it was put together from several quotes or
  // lines, each of those.
  void add_words(const lexicon::Finding& finding, const SubstitutionRules& rules);

  // Replaces the whole rendered texts that the finding touches; if it touches none, its words.
  void add_texts(const std::vector<lexicon::RenderedText>& rendered,
                 const lexicon::Finding& finding, const SubstitutionRules& rules);

  // In order of position. Of two that overlap, the first one's substitute replaces both.
  std::vector<Substitution> finish() const;

 private:
  void add(Range range, std::string substitute);
  std::string substitute_for(const lexicon::Finding& finding, const SubstitutionRules& rules,
                             std::string_view from, std::size_t piece) const;

  std::string_view prompt_;
  std::string_view revision_;
  const WordList* words_;
  std::vector<Substitution> substitutions_;  // as added; `from` is filled in by finish()
};

}  // namespace glyphward::policy
