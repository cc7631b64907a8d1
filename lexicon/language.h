// The language of a text, by its own words.
#pragma once

#include <string_view>

namespace glyphward::lexicon {

// BCP 47: that in which most of the text's words are written most; of those that tie the one that
// comes first. Empty if the text has no word that tells. Linear; any number of threads.
std::string_view language_of(std::string_view text);

}  // namespace glyphward::lexicon
