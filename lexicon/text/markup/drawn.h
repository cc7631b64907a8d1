// How a text looks once it is drawn: line breaks as people write them inside a text, tags, escapes
// and weights resolved.
#pragma once

#include <optional>

#include "lexicon/text/markup/source.h"

namespace glyphward::lexicon::extraction {

//   GOOD\nMORNING, GOOD<br>MORNING, GOOD / MORNING  ->  two lines
//   <b>cu</b>te, c\u0075te, (cu:1.2)(te:1.2)        ->  cute
//   f space u space n, f and u and n                ->  f u n
// Nothing if the text is drawn as it stands.
std::optional<Source> as_drawn(const Source& text);

}  // namespace glyphward::lexicon::extraction
