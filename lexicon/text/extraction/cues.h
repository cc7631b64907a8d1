// The grammar: what the words of a prompt ask to be written.
//
//   shown  := marked | cue lead? (marked | emphasis | clause) | text written | letters put apart
//   lead   := "in big red letters", "the words", ":"
//   clause := up to a comma, the end of the sentence or what leads back to the scene
//
// A cue is a verb or noun of writing, a thing that bears text beside capitals or a colon, or what
// names something. docs/LEXICON.md has an example of each rule.
#pragma once

#include <vector>

#include "lexicon/finding.h"
#include "lexicon/text/extraction/scene.h"

namespace glyphward::lexicon::extraction {

// A text by its bytes in the scene.
struct Shown {
  std::uint32_t start = 0;
  std::uint32_t end = 0;
  bool quoted = false;
  Certainty certainty = Certainty::Likely;
};

// Those without quotation marks, in order of position, not overlapping; their tokens are covered.
// `cued` is set for each quotation (Scene::marked) that a cue leads to.
std::vector<Shown> read_cues(Scene& scene, std::vector<bool>& cued);

}  // namespace glyphward::lexicon::extraction
