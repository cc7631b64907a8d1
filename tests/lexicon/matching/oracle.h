// The readings of a text with a term in it, all of them: what Search (lexicon/matching/search.h) is
// compared with under the fuzzer.
//
// Each spelling of each entry is laid against the text from each cell, by every rule at every
// place; there is no trie, no beam, no bound but the evidence that is asked for. What it knows of
// ordinary writing it asks of Innocence and WordTable, and prices of Channel: these are given.
//
// For short texts and few terms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lexicon/channel/channel.h"
#include "lexicon/matching/entry.h"
#include "lexicon/matching/innocence.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

class Oracle {
 public:
  explicit Oracle(const std::vector<Entry>& entries);

  struct Reading {
    std::uint32_t entry = 0;
    std::uint32_t begin = 0;  // cells: [begin, end)
    std::uint32_t end = 0;
    Rules rules = 0;
    Steps steps = 0;
    float evidence = 0;
    // Search is meant to follow it. It gives up, and says so, what is on the way much dearer than
    // ordinary writing has been; a distortion directly behind a mask, a slip or a letter too many;
    // within a word, terms that are found as whole words only, and those whose first three letters
    // are mistyped or have a space or an apostrophe among them.
    bool followed = false;
    std::string spelled;  // the rules that led to it, for people
  };
  // Of each entry, place and set of rules the cheapest one, if it has evidence of `least` or more.
  // False if there are too many ways to follow.
  bool read(const NormalizedText& text, const Innocence& innocence, Scope scope, float least,
            std::vector<Reading>& readings) const;

 private:
  friend class OracleRun;
  struct Spelling {
    std::u32string letters;
    Pattern pattern;
  };
  void add(const std::u32string& letters, std::uint32_t number, const Entry& entry, Steps steps,
           float cost);

  std::vector<Spelling> spellings_;
};

}  // namespace glyphward::lexicon
