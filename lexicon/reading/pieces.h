// Quotes and lines put together in one text, whose offsets are the prompt's: a term may be split
// over several ("wan" and "ker").
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

using ByteRange = std::pair<std::size_t, std::size_t>;  // [first, second)

// A text of the prompt, normalized; its cells' offsets are from `offset` on.
struct NormalizedPart {
  NormalizedText text;
  std::size_t offset = 0;
};

struct Pieces {
  NormalizedText text;
  std::vector<std::uint32_t> seams;  // the cell where each piece begins; last, the text's end
  std::vector<ByteRange> bytes;      // of each piece

  // Adds the part's lines, each as a piece; `spaced` puts a space between pieces. After the last
  // part comes finish().
  void add(const NormalizedPart& part, bool spaced);
  void finish() { seams.push_back(size()); }

  // The piece that holds the cell.
  std::size_t piece(std::uint32_t cell) const;
  // The bytes of the pieces that [start, end) runs through.
  std::vector<ByteRange> through(std::size_t start, std::size_t end) const;

 private:
  std::uint32_t size() const { return static_cast<std::uint32_t>(text.cells.size()); }
  void add_gap();
};

}  // namespace glyphward::lexicon
