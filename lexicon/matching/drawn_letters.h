// Letters put together from signs: "|-|" for h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

struct Drawn {
  std::u32string_view signs;
  char32_t letter;
};
// The longest first.
inline constexpr std::array<Drawn, 26> kDrawn = {
    {{U"|\\/|", U'm'}, {U"\\/\\/", U'w'}, {U"(_)", U'u'},  {U"|_|", U'u'},  {U"[_]", U'u'},
     {U"|-|", U'h'},   {U"]-[", U'h'},    {U"/-\\", U'a'}, {U"|\\|", U'n'}, {U"/\\/", U'n'},
     {U"|3", U'b'},    {U"|=", U'f'},     {U"|<", U'k'},   {U"|{", U'k'},   {U"|)", U'd'},
     {U"|>", U'p'},    {U"|2", U'r'},     {U"|_", U'l'},   {U"()", U'o'},   {U"[]", U'o'},
     {U"/\\", U'a'},   {U"\\/", U'v'},    {U"><", U'x'},   {U"}{", U'h'},   {U"|*", U'p'},
     {U"[)", U'd'}}};

// Those whose signs stand at cell `pos`: bit k for kDrawn[k].
std::uint32_t drawn_at(const NormalizedText& text, std::uint32_t pos);

}  // namespace glyphward::lexicon
