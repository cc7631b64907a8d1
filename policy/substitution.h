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

// The form in which a text has the term, by its ending; Base where it has none that tells.
WordForm form_of(std::string_view text, std::string_view term);

// Letters and digits in a text, as a reader counts them: without marks, signs and spaces.
std::size_t count_letters(std::string_view text);

struct Range {
  std::size_t start = 0;  // bytes into the prompt: [start, end)
  std::size_t end = 0;
};

// Where the words of a prompt are. Where a script writes no spaces between words, there are none.
class WordRuns {
 public:
  explicit WordRuns(std::string_view prompt);
  // The range widened to the whole words that it begins and ends in.
  Range widened(Range range) const;

 private:
  std::vector<Range> runs_;  // in order of position
};

// The prompt with each substitution made. They are in order of position and do not overlap.
std::string apply_substitutions(std::string_view prompt,
                                const std::vector<Substitution>& substitutions);

// Gathers the substitutions of one prompt, finding by finding. What the constructor takes must
// outlive it. For one thread. Linear in the prompt and the findings, but for their sorting: no byte
// of the prompt is walked over once per finding, however many share a word or a text.
class Substituter {
 public:
  // `words` is asked only where the rules name no word; it may be null if they always do. Another
  // attempt picks other words.
  Substituter(std::string_view prompt, std::string_view revision, const WordList* words,
              int attempt = 0);

  // Replaces the whole words that hold the finding; if it was put together from several quotes or
  // lines, each of those. `pool`, which must outlive this, is asked for words instead, if given.
  void add_words(const lexicon::Finding& finding, const SubstitutionRules& rules,
                 const WordList* pool = nullptr);

  // Replaces the whole rendered texts that the finding touches; if it touches none, its words.
  // `rendered` is in order of position, and its texts do not overlap.
  void add_texts(const std::vector<lexicon::RenderedText>& rendered,
                 const lexicon::Finding& finding, const SubstitutionRules& rules,
                 const WordList* pool = nullptr);

  // In order of position. Of two that overlap, the first one's substitute replaces both.
  std::vector<Substitution> finish() const;

 private:
  // A range to be replaced, and what its substitute hangs on.
  struct Wanted {
    Range range;
    bool widens = false;    // to whole words
    std::string word;       // as the rules say it; empty: a harmless one
    std::string term;       // seeds the choice of a harmless word
    std::size_t piece = 0;  // so does this: the pieces of one finding become different words
    const WordList* pool = nullptr;
  };

  void add(Range range, bool widens, const lexicon::Finding& finding,
           const SubstitutionRules& rules, std::size_t piece, const WordList* pool);
  Substitution made(const Wanted& wanted) const;

  std::string_view prompt_;
  std::string seed_;  // of revision and prompt
  const WordList* words_;
  std::vector<Wanted> wanted_;  // as added
};

}  // namespace glyphward::policy
