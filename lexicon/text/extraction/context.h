// What the words around a text say of it: whether the picture shows it, and where in the prompt a
// word may yet be drawn though nothing says so.
#pragma once

#include <vector>

#include "lexicon/text/extraction/cues.h"
#include "lexicon/text/extraction/scene.h"

namespace glyphward::lexicon::extraction {

// The quotations, in order, each with its certainty. `cued` as read_cues() left it.
std::vector<Shown> judge_quotations(const Scene& scene, const std::vector<bool>& cued);

// Where words may be drawn, besides `shown`: nowhere if the prompt has nothing that bears text or
// its texts are marked and no other clause has such a thing. Spans of tokens, ascending.
std::vector<Span> doubtful(const Scene& scene, const std::vector<Shown>& shown);

}  // namespace glyphward::lexicon::extraction
