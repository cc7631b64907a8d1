// The slow and obvious matcher that the real one is compared with, in a test over all short texts.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "lexicon/matching/matcher.h"

namespace glyphward::lexicon {

// The terms that the whole text may be read as: every way to choose readings, to squash runs and to
// leave out a separator, compared with the term as a whole string.
inline std::set<std::string> slow(const std::vector<Entry>& entries, const std::string& text) {
  std::set<std::string> found;
  const NormalizedText normalized = normalize(text);
  std::function<void(std::size_t, std::string)> spell = [&](std::size_t at, std::string word) {
    if (at == normalized.cells.size()) {
      for (const Entry& e : entries) {
        // Equal but for runs: a run of the text may stand for a shorter run of the term.
        const std::string& term = e.term.term;
        std::size_t i = 0;
        std::size_t j = 0;
        bool equal = true;
        while (equal && (i < word.size() || j < term.size())) {
          if (i >= word.size() || j >= term.size() || word[i] != term[j]) {
            equal = false;
            break;
          }
          std::size_t in_word = 0;
          std::size_t in_term = 0;
          const char c = word[i];
          while (i < word.size() && word[i] == c) ++i, ++in_word;
          while (j < term.size() && term[j] == c) ++j, ++in_term;
          equal = in_word >= in_term;
        }
        if (equal) found.insert(term);
      }
      return;
    }
    const Cell& cell = normalized.cells[at];
    for (const CellReading* r = normalized.begin(cell); r != normalized.end(cell); ++r) {
      if (r->size == 1 && r->letters[0] < 0x80)
        spell(at + 1, word + static_cast<char>(r->letters[0]));
    }
    // What is no letter may be left out between letters.
    if (cell.kind == CellKind::Sign && at > 0 && at + 1 < normalized.cells.size())
      spell(at + 1, word);
  };
  spell(0, "");
  return found;
}

}  // namespace glyphward::lexicon
