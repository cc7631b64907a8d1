// Names that are spelled like terms: "Dick Van Dyke".
#pragma once

#include "lexicon/matching/pattern.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// Written as a name: beside a title, a first name or what places are called, or as an owner's.
bool is_name(const NormalizedText& text, const Hit& hit);

}  // namespace glyphward::lexicon
