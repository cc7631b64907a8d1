// The matcher: finds the lexicon's terms in normalized text.
//
//   Matcher::find -> AllowList: the harmless phrases that stand there
//                 -> Innocence: the cheapest ordinary reading       (innocence.h)
//                 -> Search: the cheapest readings with a term      (search.h)
//
// One number judges: by how much the second is cheaper than the first. What a language, a name or a
// place makes harmless is cheaper to write, and what is disguised is cheaper to hide; there is no
// other rule.
//
// Cost: linear in the text for a given lexicon. Ordinary words, which most are, are looked up once,
// and are read on only where a phrase may begin with them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexicon/matching/allow_list.h"
#include "lexicon/matching/entry.h"
#include "lexicon/matching/innocence.h"
#include "lexicon/matching/search.h"
#include "lexicon/matching/vocabulary.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// Immutable once built: find() may run on any number of threads.
class Matcher {
 public:
  // Keeps nothing of the entries but their order: a hit names its entry by number.
  // `least`: the evidence from which on a hit counts.
  explicit Matcher(const std::vector<Entry>& entries, const std::vector<std::string>& allowed = {},
                   float least = kEvidenceMin);
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  // How a text came to be read otherwise than it stands: what that costs, and the cells around a
  // hit that were read so, with what they cost as they stand.
  struct Around {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    float ordinary = 0;
  };
  struct View {
    Scope scope = Scope::Words;
    float cost = 0;
    Effort effort = {};
    std::function<Around(std::uint32_t begin, std::uint32_t end)> around;  // empty: it stands so
  };

  // Adds what is found, unordered; the same cells may be hit by several entries. `seams`, needed
  // for Scope::Joined: the cells where pieces begin, in order, the first 0 and the last the text's
  // end.
  void find(const NormalizedText& text, const View& view, std::vector<Hit>& hits,
            const std::vector<std::uint32_t>& seams = {}) const;
  // The same, where innocence() of the text is known already.
  void find(const NormalizedText& text, const Innocence& innocence, const View& view,
            std::vector<Hit>& hits, const std::vector<std::uint32_t>& seams = {}) const;
  void find(const NormalizedText& text, Scope scope, std::vector<Hit>& hits,
            const std::vector<std::uint32_t>& seams = {}) const {
    View view;
    view.scope = scope;
    find(text, view, hits, seams);
  }
  float least() const { return least_; }
  // The ordinary reading of a text, which must outlive it.
  Innocence innocence(const NormalizedText& text, Effort effort = {}) const {
    return Innocence(text, vocabulary_, allowed_.find(text), effort);
  }

  // Changes with any change of what is found that is no change of a table: those are hashed into
  // the lexicon's revision beside it.
  static constexpr std::string_view kVersion = "matcher 4";

 private:
  struct Keys;
  void add_entry(std::uint32_t number, const Entry& entry, Keys& keys);
  void add_spelling(std::u32string letters, std::uint32_t number, const Entry& entry, Steps steps,
                    float cost, Keys& keys, bool stripped = false);
  bool find_begins(const NormalizedText& text, const View& view, std::vector<bool>& begins) const;
  void search(const NormalizedText& text, const Innocence& innocence, const View& view,
              const std::vector<bool>& begins, std::vector<Hit>& hits,
              const std::vector<std::uint32_t>& seams) const;
  void explain(std::vector<std::pair<Search::Found, Hit>>& counted, Search& search,
               const Innocence& innocence) const;

  float least_;
  Terms terms_;
  Shapes shapes_;
  Vocabulary vocabulary_{terms_};
  AllowList allowed_;
};

}  // namespace glyphward::lexicon
