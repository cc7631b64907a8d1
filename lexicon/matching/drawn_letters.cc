#include "lexicon/matching/drawn_letters.h"

#include <bit>

namespace glyphward::lexicon {
namespace {

// Whether the signs stand at cell `pos`.
bool stands_at(const NormalizedText& text, std::uint32_t pos, std::u32string_view signs) {
  if (pos + signs.size() > text.cells.size()) return false;
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (text.cells[pos + i].source != signs[i]) return false;
  }
  return true;
}

}  // namespace

std::uint32_t drawn_at(const NormalizedText& text, std::uint32_t pos) {
  static constexpr auto kByFirst = [] {
    std::array<std::uint32_t, 128> result{};
    for (std::size_t k = 0; k < kDrawn.size(); ++k) result[kDrawn[k].signs[0]] |= 1u << k;
    return result;
  }();
  const char32_t first = text.cells[pos].source;
  std::uint32_t result = 0;
  for (std::uint32_t rest = first < 128 ? kByFirst[first] : 0; rest != 0; rest &= rest - 1) {
    const int k = std::countr_zero(rest);
    if (stands_at(text, pos, kDrawn[static_cast<std::size_t>(k)].signs)) result |= 1u << k;
  }
  return result;
}

}  // namespace glyphward::lexicon
