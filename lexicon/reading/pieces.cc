#include "lexicon/reading/pieces.h"

#include <algorithm>

namespace glyphward::lexicon {

void Pieces::add(const NormalizedPart& part, bool spaced) {
  const auto base = static_cast<std::uint32_t>(text.readings.size());
  text.ascii = part.text.ascii;
  text.readings.insert(text.readings.end(), part.text.readings.begin(), part.text.readings.end());
  bool begins = true;
  for (Cell cell : part.text.cells) {
    if (cell.source == U'\n') {
      begins = true;
      continue;
    }
    if (!cell.shared) cell.first += base;
    cell.start += static_cast<std::uint32_t>(part.offset);
    cell.end += static_cast<std::uint32_t>(part.offset);
    if (begins) {
      if (spaced) add_gap();
      seams.push_back(size());
      bytes.emplace_back(cell.start, cell.end);
      begins = false;
    }
    bytes.back().second = cell.end;
    text.cells.push_back(cell);
  }
}

void Pieces::add_gap() {
  if (text.cells.empty()) return;
  Cell gap = text.cells.back();
  gap.kind = CellKind::Space;
  gap.source = gap.plain = U' ';
  gap.count = 0;
  text.cells.push_back(gap);
}

std::size_t Pieces::piece(std::uint32_t cell) const {
  const auto next = std::upper_bound(seams.begin(), seams.end() - 1, cell);
  return static_cast<std::size_t>(next - seams.begin()) - 1;
}

std::vector<ByteRange> Pieces::through(std::size_t start, std::size_t end) const {
  auto first = std::upper_bound(bytes.begin(), bytes.end(), start,
                                [](std::size_t at, const ByteRange& r) { return at < r.first; });
  if (first != bytes.begin()) --first;
  auto last = first;
  while (last != bytes.end() && last->first < end) ++last;
  return {first, last};
}

}  // namespace glyphward::lexicon
