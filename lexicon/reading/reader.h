// Every way to read a text that is shown: as it stands, backwards, upside down, decoded, down its
// lines, together with its neighbours. What each finds is placed in the prompt's bytes. Immutable;
// any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/matching/matcher.h"
#include "lexicon/reading/pieces.h"
#include "lexicon/steps.h"
#include "lexicon/text/decoders.h"
#include "lexicon/text/extraction.h"

namespace glyphward::lexicon {

// A hit by its bytes in the prompt: what decides between overlapping ones, and becomes a finding.
struct PlacedHit {
  std::uint32_t entry = 0;
  std::size_t start = 0;  // [start, end)
  std::size_t end = 0;
  Steps steps = 0;
  std::vector<ByteRange> pieces;
  double evidence = 0;  // nats
  std::string reading = {};
  std::string ordinary = {};
};

// Text whose bytes are those of the prompt from `offset` on.
struct Part {
  std::string_view text;
  std::size_t offset = 0;
};

// What a prompt of this length is worth.
Effort effort_of(std::string_view prompt);
// Whether the prompt speaks of a mirror or of letters in the opposite order.
bool asks_for_mirror(std::string_view prompt);

class Reader {
 public:
  // Keeps the entries. `least`: the evidence from which on a hit counts.
  Reader(const std::vector<Entry>& entries, const std::vector<std::string>& allowed,
         float least = kEvidenceMin)
      : entries_(entries), matcher_(entries, allowed, least) {}

  // What the prompt says of how its texts are to be read.
  struct Hints {
    bool acrostic = false;  // by first letters
    bool mirrored = false;
    Effort effort = {};
    bool as_it_stands = false;  // in no other way
  };
  // A text that is only described: as it stands.
  void read(const Part& part, const Hints& hints, std::vector<PlacedHit>& out) const;
  // A text that is shown, which begins at `offset` in the prompt. Returns it normalized, its cells'
  // bytes from `offset` on.
  NormalizedText read_shown(const TextReading& reading, std::size_t offset, const Hints& hints,
                            std::vector<PlacedHit>& out) const;
  // Several texts, or several lines of one, read together: "wan" and "ker".
  void read_joined(const std::vector<NormalizedPart>& parts, const Hints& hints,
                   std::vector<PlacedHit>& out) const;

  // Words in a code, wherever the prompt has them: whoever encodes a toxic word wants it drawn.
  void read_codes(std::string_view prompt, const Hints& hints, std::vector<PlacedHit>& out) const;
  // Words that the prompt describes: what comes out counts as if it stood there.
  void read_described(std::string_view prompt, const std::vector<RenderedText>& shown,
                      const Hints& hints, std::vector<PlacedHit>& out) const;
  // The prompt's words with their letters moved, where it names such a code.
  void read_moved(std::string_view prompt, const Hints& hints, std::vector<PlacedHit>& out) const;

  // Of overlapping hits the one with most evidence stays, each step of severity counting as some.
  // In order of position.
  void resolve(std::vector<PlacedHit>& hits) const;

 private:
  void place(const NormalizedText& text, std::size_t offset, Steps view, std::vector<Hit>& hits,
             std::vector<PlacedHit>& out) const;
  void read_turned(const NormalizedText& text, const Innocence& ordinary, const Hints& hints,
                   std::vector<PlacedHit>& out) const;
  void read_decoded(std::string_view source, const NormalizedText& text, const Innocence& ordinary,
                    const Hints& hints, std::vector<PlacedHit>& out) const;
  void read_moved(std::string_view source, const NormalizedText& text, const Innocence& ordinary,
                  const Hints& hints, std::vector<PlacedHit>& out) const;
  void read_as(const Decoded& decoded, std::size_t offset, float source, const Hints& hints,
               std::vector<PlacedHit>& out) const;
  void read_initials(const NormalizedText& text, const Hints& hints,
                     std::vector<PlacedHit>& out) const;
  void keep_pieces(const Pieces& pieces, std::vector<Hit>& hits, std::vector<PlacedHit>& out) const;

  const std::vector<Entry>& entries_;
  Matcher matcher_;
};

}  // namespace glyphward::lexicon
