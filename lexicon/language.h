// The language of a text, by its own words.
#pragma once

#include <string_view>

namespace glyphward::lexicon {

// BCP 47: the language for which most of the text's words speak. A word speaks for the one in which
// it is written most, unless it is rare, as most names are, belongs to a name ("Dr. Anna Müller"),
// or has, in a script with spaces, only two letters ("no"). Of languages that tie, the one that
// words.txt has first, as more is written in it. Empty if no word tells. What it points to is never
// freed. Linear; any number of threads.
std::string_view language_of(std::string_view text);

}  // namespace glyphward::lexicon
