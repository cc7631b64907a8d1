#include "lexicon/channel/drawn_letters.h"

#include <bit>

namespace glyphward::lexicon {

// The longest first.
constexpr std::array<Drawn, 26> kDrawn = {
    {{U"|\\/|", U'm'}, {U"\\/\\/", U'w'}, {U"(_)", U'u'},  {U"|_|", U'u'},  {U"[_]", U'u'},
     {U"|-|", U'h'},   {U"]-[", U'h'},    {U"/-\\", U'a'}, {U"|\\|", U'n'}, {U"/\\/", U'n'},
     {U"|3", U'b'},    {U"|=", U'f'},     {U"|<", U'k'},   {U"|{", U'k'},   {U"|)", U'd'},
     {U"|>", U'p'},    {U"|2", U'r'},     {U"|_", U'l'},   {U"()", U'o'},   {U"[]", U'o'},
     {U"/\\", U'a'},   {U"\\/", U'v'},    {U"><", U'x'},   {U"}{", U'h'},   {U"|*", U'p'},
     {U"[)", U'd'}}};

namespace {

// Whether the signs stand at cell `at`.
bool stands_at(const NormalizedText& text, std::uint32_t at, std::u32string_view signs) {
  if (at + signs.size() > text.cells.size()) return false;
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (text.cells[at + i].source != signs[i]) return false;
  }
  return true;
}

}  // namespace

std::uint32_t drawn_at(const NormalizedText& text, std::uint32_t at) {
  static constexpr auto kByFirst = [] {
    std::array<std::uint32_t, 128> result{};
    for (std::size_t k = 0; k < kDrawn.size(); ++k) result[kDrawn[k].signs[0]] |= 1u << k;
    return result;
  }();
  const char32_t first = text.cells[at].source;
  std::uint32_t result = 0;
  for (std::uint32_t rest = first < 128 ? kByFirst[first] : 0; rest != 0; rest &= rest - 1) {
    const int k = std::countr_zero(rest);
    if (stands_at(text, at, kDrawn[static_cast<std::size_t>(k)].signs)) result |= 1u << k;
  }
  return result;
}

}  // namespace glyphward::lexicon
