// The matcher: finds the lexicon's terms in normalized text. A trie of the terms is walked over the
// cells, following every reading of a cell at once (a nondeterministic automaton); what the walk
// reaches is then judged by its context: word boundaries, endings, how many letters were digits,
// whether what was left out parted words.
//
//   Matcher::find -> Terrain: what each cell may stand for, and what comes next   (walk.h)
//                 -> a walk from each cell where a term may begin                 (walk.cc)
//                    -> judge: letters, gaps, what stands around it               (context.cc)
//                 -> MaskIndex::find: words with signs in place of letters        (masks.cc)
//
// Why not RE2::Set: a cell has several readings, and the readings are of several cells (ph -> f),
// so a text would have to be given to it once for every combination; and RE2 tells which pattern
// matched, not where.
//
// Cost: at each cell where a word may begin, the trie's nodes that the text can reach. A walk goes
// on only while the cells that it could read next hold a letter that the trie continues with, and
// over no more than kReachMax cells in all; runs are squashed before (normalization.h). So hostile
// text costs a bounded amount a cell: linear in the text for a given lexicon.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/matching/entry.h"
#include "lexicon/matching/masks.h"
#include "lexicon/matching/pattern.h"
#include "lexicon/matching/trie.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// Immutable once built: find() may run on any number of threads.
class Matcher {
 public:
  // Keeps nothing of the entries but their order: a hit names its entry by number.
  explicit Matcher(const std::vector<Entry>& entries);

  // Adds what is found, unordered; the same cells may be hit by several entries. `seams`, needed
  // for Scope::Joined: the cells where pieces begin, in order, the first 0 and the last the text's
  // end. Scope::Words may leave out what is found within one piece, if seams are given.
  void find(const NormalizedText& text, Scope scope, std::vector<Hit>& hits,
            const std::vector<std::uint32_t>& seams = {}) const;

  // Changes with any change of what is found that is no change of a table: those are hashed into
  // the lexicon's revision beside it.
  static constexpr std::string_view kVersion = "matcher 4";

 private:
  struct Keys;
  void add_entry(std::uint32_t number, const Entry& entry, Keys& keys);
  void add_spelling(std::u32string letters, std::uint32_t number, const Entry& entry, Steps steps,
                    bool disguised, Keys& keys);

  std::vector<Pattern> patterns_;
  Trie words_;
  Trie stems_;   // those that are found inside longer words too
  Trie turned_;  // those that are found backwards and upside down
  MaskIndex masks_;
};

}  // namespace glyphward::lexicon
