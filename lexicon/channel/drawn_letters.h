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
extern const std::array<Drawn, 26> kDrawn;

// Those whose signs stand at cell `at`: bit k for kDrawn[k].
std::uint32_t drawn_at(const NormalizedText& text, std::uint32_t at);

}  // namespace glyphward::lexicon
